"""Whether a write belongs to a transaction: batches, and offsets of groups.

The first write of a transaction to a partition is put to the coordinator, as AddPartitionsToTxn of
brokers among themselves does in Apache Kafka 4.1. What clients of older versions are told in its
words' stead is decided here too.
"""

from enum import IntEnum

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.transaction import Producer, TopicPartition
from station_sim.kafka.transactions import Transactions


class WriteKind(IntEnum):
    """What the version of a request says of the client (KIP-890)."""

    PLAIN = 0
    KNOWS_ABORTABLE = 1
    ADDS_PARTITIONS = 2
    """The write itself has the partition take part."""

    @classmethod
    def of(cls, version: int, *, abortable_since: int) -> "WriteKind":
        """That of a request's version; partitions are added from the next version on."""
        return cls(min(2, max(0, version - abortable_since + 1)))


def refusal_of_write(
    transactions: Transactions,
    transactional_id: str,
    producer: Producer,
    partition: TopicPartition,
    kind: WriteKind,
) -> ErrorCode:
    """Why a producer may not write to a partition within its transaction; NONE if it may."""
    if kind is WriteKind.ADDS_PARTITIONS:
        error = transactions.add(transactional_id, producer, [partition])
    else:
        error = transactions.verify(transactional_id, producer, partition)
    if error is ErrorCode.PRODUCER_FENCED:
        return ErrorCode.INVALID_PRODUCER_EPOCH
    if error is ErrorCode.TRANSACTION_ABORTABLE and kind is WriteKind.PLAIN:
        return ErrorCode.INVALID_TXN_STATE
    return error
