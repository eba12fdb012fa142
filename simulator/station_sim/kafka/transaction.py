"""What the coordinator keeps of one transactional id, and how that changes.

A `Transaction` is never altered: each change is a new one, made by a method here and put in the old
one's place by the coordinator (`transactions.py`). Who may ask for which change is decided there.
The figures are those of TransactionMetadata in Apache Kafka 4.1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from station_sim.kafka.transaction_states import COMES_FROM, TransactionState

NO_PRODUCER_ID = -1
NO_EPOCH = -1
NO_TIME_MS = -1
EPOCH_MAX = 2**15 - 1

TopicPartition = tuple[str, int]


class Producer(NamedTuple):
    """A producer's id and epoch, as requests name it."""

    producer_id: int
    epoch: int

    @property
    def is_exhausted(self) -> bool:
        """Whether its epoch may not be raised for a client: the last is kept to fence with."""
        return self.epoch >= EPOCH_MAX - 1


NO_PRODUCER = Producer(NO_PRODUCER_ID, NO_EPOCH)


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transactional id: its producer, its state, and the partitions of its open transaction.

    `last_epoch` is the epoch before, where the same client went on; `previous_producer_id` and
    `next_producer_id` tell of a change of ids when the epochs ran out. Times are epoch ms.
    """

    transactional_id: str
    producer_id: int
    timeout_ms: int
    updated_at_ms: int
    epoch: int = NO_EPOCH
    last_epoch: int = NO_EPOCH
    previous_producer_id: int = NO_PRODUCER_ID
    next_producer_id: int = NO_PRODUCER_ID
    state: TransactionState = TransactionState.EMPTY
    started_at_ms: int = NO_TIME_MS
    partitions: tuple[TopicPartition, ...] = ()

    @property
    def producer(self) -> Producer:
        """Who may write at present."""
        return Producer(self.producer_id, self.epoch)

    @property
    def times_out_at_ms(self) -> int:
        """The first instant at which an open transaction has lasted too long."""
        return self.started_at_ms + self.timeout_ms + 1

    @property
    def commits(self) -> bool:
        """Whether a transaction that is being ended is committed."""
        return self.state is TransactionState.PREPARE_COMMIT

    def initialised(
        self, producer: Producer, last_epoch: int, timeout_ms: int, now_ms: int
    ) -> "Transaction":
        """For a client that starts: with its producer, and nothing open."""
        return self._moved(
            TransactionState.EMPTY,
            producer_id=producer.producer_id,
            previous_producer_id=self.producer_id,
            epoch=producer.epoch,
            last_epoch=last_epoch,
            timeout_ms=timeout_ms,
            started_at_ms=NO_TIME_MS,
            updated_at_ms=now_ms,
            partitions=(),
        )

    def with_partitions(self, added: Iterable[TopicPartition], now_ms: int) -> "Transaction":
        """With more partitions; the first open the transaction."""
        is_open = self.state is TransactionState.ONGOING
        return self._moved(
            TransactionState.ONGOING,
            previous_producer_id=self.producer_id,
            partitions=tuple(dict.fromkeys((*self.partitions, *added))),
            started_at_ms=self.started_at_ms if is_open else now_ms,
            updated_at_ms=now_ms,
        )

    def prepared(
        self, *, commit: bool, now_ms: int, bump: bool, next_producer_id: int = NO_PRODUCER_ID
    ) -> "Transaction":
        """About to end: from here on the outcome is certain. `bump` raises the epoch."""
        is_open = self.state is TransactionState.ONGOING
        return self._moved(
            TransactionState.PREPARE_COMMIT if commit else TransactionState.PREPARE_ABORT,
            previous_producer_id=self.producer_id,
            next_producer_id=next_producer_id,
            epoch=self.epoch + 1 if bump else self.epoch,
            last_epoch=self.epoch if bump else self.last_epoch,
            started_at_ms=self.started_at_ms if is_open else now_ms,
            updated_at_ms=now_ms,
        )

    def completed(self, now_ms: int) -> "Transaction":
        """Ended: every partition has its marker."""
        rotates = self.next_producer_id != NO_PRODUCER_ID
        return self._moved(
            TransactionState.COMPLETE_COMMIT if self.commits else TransactionState.COMPLETE_ABORT,
            producer_id=self.next_producer_id if rotates else self.producer_id,
            previous_producer_id=self.producer_id,
            next_producer_id=NO_PRODUCER_ID,
            epoch=0 if rotates else self.epoch,
            updated_at_ms=now_ms,
            partitions=(),
        )

    def _moved(self, state: TransactionState, **changes: Any) -> "Transaction":
        assert self.state in COMES_FROM[state], (
            f"{self.transactional_id}: {state.value} cannot follow {self.state.value}"
        )
        return replace(self, state=state, **changes)
