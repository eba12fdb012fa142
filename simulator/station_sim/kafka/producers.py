"""What a partition knows of idempotent producers: who wrote which sequence numbers last.

The rules are those of ProducerStateManager and ProducerAppendInfo in Apache Kafka: the last five
batches of a producer are recognised when they come again, a gap in the sequence is refused, an
older epoch is refused, and a producer that the partition does not know may start anywhere. A
transaction's marker takes its epoch over; while a transaction is open its producer is remembered.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from station_sim.kafka.batches import Batch
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.markers import COORDINATOR_EPOCH

REMEMBERED_BATCHES = 5
"""Batches of a producer recognised as duplicates; clients keep at most five in flight."""

SEQUENCE_END = 2**31


@dataclass(frozen=True, slots=True)
class Written:
    """A batch already in the log and where it landed; `timestamp_ms` is its newest."""

    first_sequence: int
    last_sequence: int
    base_offset: int
    timestamp_ms: int


NO_SEQUENCE = -1
NO_COORDINATOR_EPOCH = -1


@dataclass(slots=True)
class KnownProducer:
    """What a partition remembers of one producer; `last_timestamp_ms` is of its newest batch."""

    epoch: int
    seen_at_ms: int
    written: deque[Written] = field(default_factory=lambda: deque(maxlen=REMEMBERED_BATCHES))
    in_transaction: bool = False
    last_timestamp_ms: int = -1
    coordinator_epoch: int = NO_COORDINATOR_EPOCH

    @property
    def last_offset(self) -> int | None:
        """Offset of its last record at its epoch; None if it has none."""
        if not self.written:
            return None
        last = self.written[-1]
        return last.base_offset + (last.last_sequence - last.first_sequence) % SEQUENCE_END

    @property
    def last_sequence(self) -> int:
        """Sequence number of its last record at its epoch; -1 if it has none."""
        return self.written[-1].last_sequence if self.written else NO_SEQUENCE


@dataclass(frozen=True, slots=True)
class ProducerSnapshot:
    """A `KnownProducer` that does not change, with its id."""

    producer_id: int
    epoch: int
    seen_at_ms: int
    written: tuple[Written, ...]
    in_transaction: bool
    last_timestamp_ms: int
    coordinator_epoch: int


class ProducerStates:
    """The idempotent producers of one partition."""

    def __init__(self, *, expiration_ms: int) -> None:
        self.expiration_ms = expiration_ms
        self._producers: dict[int, KnownProducer] = {}

    def __len__(self) -> int:
        return len(self._producers)

    def snapshot(self) -> tuple[ProducerSnapshot, ...]:
        """All that is remembered, who was seen last at the end."""
        return tuple(
            ProducerSnapshot(
                producer_id,
                known.epoch,
                known.seen_at_ms,
                tuple(known.written),
                known.in_transaction,
                known.last_timestamp_ms,
                known.coordinator_epoch,
            )
            for producer_id, known in self._producers.items()
        )

    def restore(self, snapshots: Iterable[ProducerSnapshot]) -> None:
        """Remember what `snapshot` told before."""
        for snapshot in snapshots:
            self._producers[snapshot.producer_id] = KnownProducer(
                snapshot.epoch,
                snapshot.seen_at_ms,
                deque(snapshot.written, maxlen=REMEMBERED_BATCHES),
                snapshot.in_transaction,
                snapshot.last_timestamp_ms,
                snapshot.coordinator_epoch,
            )

    def known(self, now_ms: int) -> Iterator[tuple[int, KnownProducer]]:
        """The producers that are remembered, by id; to be read only."""
        for producer_id in tuple(self._producers):
            found = self._known(producer_id, now_ms)
            if found is not None:
                yield producer_id, found

    def has_written(self, producer_id: int, now_ms: int) -> bool:
        """Whether a batch of a producer is remembered."""
        known = self._known(producer_id, now_ms)
        return known is not None and bool(known.written)

    def check_epoch(self, producer_id: int, epoch: int, now_ms: int) -> bool:
        """Whether a producer at this epoch is in a transaction that it has written to.

        Raises `RefusalError` (INVALID_PRODUCER_EPOCH) if a later epoch is known.
        """
        known = self._known(producer_id, now_ms)
        if known is None:
            return False
        if epoch < known.epoch:
            raise RefusalError(
                ErrorCode.INVALID_PRODUCER_EPOCH,
                f"epoch {epoch} of producer {producer_id} is older than {known.epoch}",
            )
        return known.in_transaction and epoch == known.epoch

    def check(self, batch: Batch, now_ms: int) -> Written | None:
        """The earlier write if `batch` is a duplicate, None if it may be appended.

        Raises `RefusalError`: INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, or
        INVALID_TXN_STATE for what does not belong to the producer's open transaction.
        """
        known = self._known(batch.producer_id, now_ms)
        if known is None:
            return None
        if batch.producer_epoch < known.epoch:
            self.check_epoch(batch.producer_id, batch.producer_epoch, now_ms)
        if batch.producer_epoch > known.epoch or not known.written:
            expected = 0
        else:
            for written in known.written:
                if (written.first_sequence, written.last_sequence) == (
                    batch.base_sequence,
                    batch.last_sequence,
                ):
                    return written
            expected = (known.written[-1].last_sequence + 1) % SEQUENCE_END
        if batch.base_sequence != expected:
            raise RefusalError(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
                f"sequence {batch.base_sequence} of producer {batch.producer_id}, "
                f"expected {expected}",
            )
        if known.in_transaction and not batch.is_transactional:
            raise RefusalError(
                ErrorCode.INVALID_TXN_STATE,
                f"producer {batch.producer_id} has a transaction open",
            )
        return None

    def wrote(self, batch: Batch, now_ms: int) -> None:
        """Remember a batch that was appended; its offsets are those of the log."""
        known = self._seen(batch, now_ms)
        if batch.is_transactional:
            known.in_transaction = True
        known.written.append(
            Written(
                batch.base_sequence,
                batch.last_sequence,
                batch.base_offset,
                batch.max_timestamp_ms,
            )
        )

    def ended(self, marker: Batch, now_ms: int) -> None:
        """A marker was appended: the producer's transaction is over."""
        known = self._seen(marker, now_ms)
        known.in_transaction = False
        known.coordinator_epoch = COORDINATOR_EPOCH

    def _seen(self, batch: Batch, now_ms: int) -> KnownProducer:
        known = self._producers.pop(batch.producer_id, None)
        if known is None:
            self._forget_expired(now_ms)
            known = KnownProducer(batch.producer_epoch, now_ms)
        elif known.epoch != batch.producer_epoch:
            known.epoch = batch.producer_epoch
            known.written.clear()
        self._producers[batch.producer_id] = known  # last, for it is the one seen last
        known.seen_at_ms = now_ms
        known.last_timestamp_ms = batch.max_timestamp_ms
        return known

    def _forget_expired(self, now_ms: int) -> None:
        while self._producers:
            oldest_id = next(iter(self._producers))
            if not self._is_expired(self._producers[oldest_id], now_ms):
                break
            del self._producers[oldest_id]

    def _known(self, producer_id: int, now_ms: int) -> KnownProducer | None:
        known = self._producers.get(producer_id)
        if known is not None and self._is_expired(known, now_ms):
            del self._producers[producer_id]
            return None
        return known

    def _is_expired(self, known: KnownProducer, now_ms: int) -> bool:
        return not known.in_transaction and now_ms - known.seen_at_ms >= self.expiration_ms
