"""Which EndTxn is in order: the tables of TransactionCoordinator in Apache Kafka 4.1.

With transactions of the first kind a client keeps its epoch, and a request that comes twice is told
by the state. With the second kind (KIP-890, EndTxn 5 and later) each end raises the epoch, so that
a request that comes twice is told by its old epoch, and a client may abort what it never began.
"""

from enum import Enum, auto

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.transaction import EPOCH_MAX, Producer, Transaction
from station_sim.kafka.transaction_states import COMPLETE, PREPARED, TransactionState


class Ending(Enum):
    """What an EndTxn that is in order does."""

    ENDS = auto()
    ENDED_BEFORE = auto()
    """It came twice: the first had its effect."""


_OUTCOME = {
    True: (TransactionState.PREPARE_COMMIT, TransactionState.COMPLETE_COMMIT),
    False: (TransactionState.PREPARE_ABORT, TransactionState.COMPLETE_ABORT),
}


def judge_end(
    known: Transaction, producer: Producer, *, commit: bool, bump: bool
) -> Ending | ErrorCode:
    """What an EndTxn of `producer` does, or why it is refused."""
    judge = _judge_second_kind if bump else _judge_first_kind
    return judge(known, producer, commit)


def _judge_first_kind(known: Transaction, producer: Producer, commit: bool) -> Ending | ErrorCode:
    if producer.producer_id != known.producer_id:
        return ErrorCode.INVALID_PRODUCER_ID_MAPPING
    if producer.epoch != known.epoch:
        return ErrorCode.PRODUCER_FENCED
    if known.state is TransactionState.ONGOING:
        return Ending.ENDS
    return _judge_over(known, commit)


def _judge_over(known: Transaction, commit: bool) -> Ending | ErrorCode:
    preparing, complete = _OUTCOME[commit]
    if known.state is complete:
        return Ending.ENDED_BEFORE
    if known.state is preparing:
        return ErrorCode.CONCURRENT_TRANSACTIONS
    return ErrorCode.INVALID_TXN_STATE


def _judge_second_kind(known: Transaction, producer: Producer, commit: bool) -> Ending | ErrorCode:
    has_new_id = (
        known.previous_producer_id == producer.producer_id
        and producer.epoch == EPOCH_MAX - 1
        and known.epoch == 0
    )
    comes_twice = has_new_id or known.epoch == producer.epoch + 1
    if producer.producer_id != known.producer_id and not has_new_id:
        return ErrorCode.INVALID_PRODUCER_ID_MAPPING
    if not _has_epoch(known, producer, comes_twice):
        return ErrorCode.PRODUCER_FENCED
    if known.state is TransactionState.ONGOING:
        return Ending.ENDS
    if comes_twice or known.state in PREPARED:
        return _judge_over(known, commit)
    return ErrorCode.INVALID_TXN_STATE if commit else Ending.ENDS


def _has_epoch(known: Transaction, producer: Producer, comes_twice: bool) -> bool:
    is_current = known.epoch == producer.epoch
    if known.state in PREPARED:
        return known.epoch == producer.epoch + 1
    if known.state in COMPLETE:
        return comes_twice or is_current
    return is_current
