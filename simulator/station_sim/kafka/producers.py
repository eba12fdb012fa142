"""What a partition knows of idempotent producers: who wrote which sequence numbers last.

The rules are those of ProducerStateManager and ProducerAppendInfo in Apache Kafka: the last five
batches of a producer are recognised when they come again, a gap in the sequence is refused, an
older epoch is refused, and a producer that the partition does not know may start anywhere.
"""

from collections import deque
from dataclasses import dataclass, field

from station_sim.kafka.batches import Batch
from station_sim.kafka.error_codes import ErrorCode, RefusalError

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


@dataclass(slots=True)
class _Producer:
    epoch: int
    seen_at_ms: int
    written: deque[Written] = field(default_factory=lambda: deque(maxlen=REMEMBERED_BATCHES))


class ProducerStates:
    """The idempotent producers of one partition."""

    def __init__(self, *, expiration_ms: int) -> None:
        self._expiration_ms = expiration_ms
        self._producers: dict[int, _Producer] = {}

    def __len__(self) -> int:
        return len(self._producers)

    def check(self, batch: Batch, now_ms: int) -> Written | None:
        """The earlier write if `batch` is a duplicate, None if it may be appended.

        Raises `RefusalError`: INVALID_PRODUCER_EPOCH or OUT_OF_ORDER_SEQUENCE_NUMBER.
        """
        known = self._known(batch.producer_id, now_ms)
        if known is None:
            return None
        if batch.producer_epoch < known.epoch:
            raise RefusalError(
                ErrorCode.INVALID_PRODUCER_EPOCH,
                f"epoch {batch.producer_epoch} of producer {batch.producer_id} is older than "
                f"{known.epoch}",
            )
        if batch.producer_epoch > known.epoch:
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
        return None

    def wrote(self, batch: Batch, now_ms: int) -> None:
        """Remember a batch that was appended; its offsets are those of the log."""
        known = self._producers.pop(batch.producer_id, None)
        if known is None:
            self._forget_expired(now_ms)
        if known is None or known.epoch != batch.producer_epoch:
            known = _Producer(batch.producer_epoch, now_ms)
        self._producers[batch.producer_id] = known  # last, for it is the one seen last
        known.seen_at_ms = now_ms
        known.written.append(
            Written(
                batch.base_sequence,
                batch.last_sequence,
                batch.base_offset,
                batch.max_timestamp_ms,
            )
        )

    def _forget_expired(self, now_ms: int) -> None:
        while self._producers:
            oldest_id = next(iter(self._producers))
            if now_ms - self._producers[oldest_id].seen_at_ms < self._expiration_ms:
                break
            del self._producers[oldest_id]

    def _known(self, producer_id: int, now_ms: int) -> _Producer | None:
        known = self._producers.get(producer_id)
        if known is not None and now_ms - known.seen_at_ms >= self._expiration_ms:
            del self._producers[producer_id]
            return None
        return known
