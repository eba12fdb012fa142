"""One segment of a partition's log: consecutive batches that are deleted together.

When a segment is full and when a log deletes one are Kafka's rules (LogSegment.shouldRoll,
LogSegment.largestTimestamp). The log that strings segments together is in `logs.py`.
"""

from bisect import bisect_left, bisect_right
from operator import attrgetter

from station_sim.kafka.batches import Batch

_LAST_OFFSET = attrgetter("last_offset")


class Segment:
    """Batches from `base_offset` on; times are epoch ms."""

    __slots__ = (
        "base_offset",
        "batches",
        "created_at_ms",
        "first_timestamp_ms",
        "max_timestamp_ms",
        "modified_at_ms",
        "size_bytes",
    )

    def __init__(self, base_offset: int, created_at_ms: int) -> None:
        self.base_offset = base_offset
        self.created_at_ms = created_at_ms
        self.modified_at_ms = created_at_ms
        self.batches: list[Batch] = []
        self.size_bytes = 0
        self.first_timestamp_ms = -1
        self.max_timestamp_ms = -1

    def append(self, batch: Batch, now_ms: int) -> None:
        """Take a batch that already has its offset."""
        if not self.batches:
            self.first_timestamp_ms = batch.max_timestamp_ms
        self.batches.append(batch)
        self.size_bytes += len(batch.data)
        self.modified_at_ms = now_ms
        if batch.max_timestamp_ms > self.max_timestamp_ms:
            self.max_timestamp_ms = batch.max_timestamp_ms

    def is_full_for(
        self, batch: Batch, now_ms: int, *, segment_bytes: int, segment_ms: int
    ) -> bool:
        """Whether `batch` must open a new segment.

        Time counts between the first batch and this one by the records' own timestamps, and by the
        clock only where records have none.
        """
        if self.size_bytes > segment_bytes - len(batch.data):
            return True
        if self.first_timestamp_ms >= 0:
            waited_ms = batch.max_timestamp_ms - self.first_timestamp_ms
        else:
            waited_ms = now_ms - self.created_at_ms
        return self.size_bytes > 0 and waited_ms > segment_ms

    @property
    def largest_timestamp_ms(self) -> int:
        """The newest record's time, or that of the last append where records have none."""
        return self.max_timestamp_ms if self.max_timestamp_ms >= 0 else self.modified_at_ms

    def index_of(self, offset: int) -> int:
        """Index of the first batch that ends at or after `offset`; len(batches) if none does."""
        return bisect_left(self.batches, offset, key=_LAST_OFFSET)


def segment_index(segments: list[Segment], offset: int) -> int:
    """Index of the segment in which `offset` lies or would be appended."""
    return max(0, bisect_right(segments, offset, key=attrgetter("base_offset")) - 1)
