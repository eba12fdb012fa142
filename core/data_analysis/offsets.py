"""Which offsets are safe to commit: never one whose record, or an earlier one, is still in work.

Nothing is sent from here. Partitions are any hashable pairs that sort; an offset that is committed
is the next one to read.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from operator import lt
from typing import NamedTuple

from data_analysis.clock import Clock, SystemClock
from data_analysis.settings import OffsetSettings, check_integer, check_number


class Partition(NamedTuple):
    """A topic and a partition number; equal to the clients' own pairs."""

    topic: str
    partition: int


class OffsetManager:
    """Tracks records from hand-over to done, across gaps and changes of ownership.

    Args:
        commit_interval_seconds: a commit is due so long after the last one.
        commit_batch_size: or as soon as so many records are done.
        max_commit_retries: how often one commit is tried.
        commit_retry_delay: seconds between two tries.
        clock: where `monotonic()` comes from.
    """

    def __init__(
        self,
        commit_interval_seconds: float = 5.0,
        commit_batch_size: int = 100,
        max_commit_retries: int = 3,
        commit_retry_delay: float = 1.0,
        *,
        clock: Clock | None = None,
    ) -> None:
        check_number("commit_interval_seconds", commit_interval_seconds, least=0, above=True)
        check_integer("commit_batch_size", commit_batch_size, least=1)
        check_integer("max_commit_retries", max_commit_retries, least=1)
        check_number("commit_retry_delay", commit_retry_delay, least=0)
        self.commit_interval_seconds = commit_interval_seconds
        self.commit_batch_size = commit_batch_size
        self.max_commit_retries = max_commit_retries
        self.commit_retry_delay = commit_retry_delay
        self.commits_unknown = 0
        self._clock = clock or SystemClock()
        self._partitions: dict[tuple[str, int], _Progress] = {}
        self._generations: dict[tuple[str, int], int] = {}
        self._pending: dict[tuple[str, int], None] = {}
        self._done_since_commit = 0
        self._at_once = False
        self._last_commit_at = self._clock.monotonic()

    @classmethod
    def of(cls, settings: OffsetSettings, clock: Clock) -> "OffsetManager":
        """Return a manager with the intervals of `OFFSET_COMMIT_CONFIG`."""
        return cls(
            settings.commit_interval_seconds,
            settings.commit_batch_size,
            settings.max_commit_retries,
            settings.commit_retry_delay,
            clock=clock,
        )

    def assign(
        self, tp: tuple[str, int], position: int, *, last_record_ms: int | None = None
    ) -> int:
        """Own a partition whose committed offset is `position`; return its new generation."""
        generation = self._generations.get(tp, 0) + 1
        self._generations[tp] = generation
        self._pending.pop(tp, None)
        self._partitions[tp] = _Progress(generation, position, last_record_ms)
        return generation

    def track(self, tp: tuple[str, int], offset: int, timestamp_ms: int | None = None) -> None:
        """Note that a record is in work; a partition not yet owned is owned from here on."""
        progress = self._partitions.get(tp)
        if progress is None:
            self.assign(tp, offset)
            progress = self._partitions[tp]
        progress.track(offset, timestamp_ms)

    def track_all(
        self, tp: tuple[str, int], offsets: Sequence[int], stamps_ms: Sequence[int | None]
    ) -> None:
        """Note that records of one partition are in work, as `track` does for each of them."""
        progress = self._partitions.get(tp)
        if progress is not None and progress.track_all(offsets, stamps_ms):
            return
        for offset, stamp_ms in zip(offsets, stamps_ms, strict=True):
            self.track(tp, offset, stamp_ms)

    def done(self, tp: tuple[str, int], offset: int, *, generation: int | None = None) -> None:
        """Note that all a record caused is done; one of an earlier ownership changes nothing."""
        progress = self._partitions.get(tp)
        if progress is None or (generation is not None and generation != progress.generation):
            return
        if progress.done(offset):
            self._done_since_commit += 1
            if progress.next_offset() != progress.committed:
                self._pending[tp] = None

    def done_all(self, tp: tuple[str, int], offsets: Sequence[int], *, generation: int) -> None:
        """Note that all that records of one partition caused is done, as `done` does for each."""
        progress = self._partitions.get(tp)
        if progress is None or generation != progress.generation:
            return
        count = progress.done_all(offsets)
        self._done_since_commit += count
        if count and progress.next_offset() != progress.committed:
            self._pending[tp] = None

    def gap(
        self, tp: tuple[str, int], start: int, end: int, *, last_record_ms: int | None = None
    ) -> None:
        """Declare [start, end) lost: reading goes on at `end`, which is to be committed at once.

        An `end` below what was already read means another log: work of the old one counts no more.
        """
        progress = self._partitions.get(tp)
        if progress is None or end < progress.position:
            self.assign(tp, start)
            progress = self._partitions[tp]
        progress.committed = None
        progress.position = end
        if last_record_ms is not None:
            progress.last_record_ms = last_record_ms
        self._pending[tp] = None
        self._at_once = True

    def revoke(self, tps: Iterable[tuple[str, int]]) -> None:
        """Give partitions up: nothing more is committed for them."""
        for tp in tps:
            self._partitions.pop(tp, None)
            self._pending.pop(tp, None)

    def owns(self, tp: tuple[str, int]) -> bool:
        """Return whether the partition is owned."""
        return tp in self._partitions

    def generation(self, tp: tuple[str, int]) -> int:
        """Return the number of the partition's latest ownership, 0 before the first."""
        return self._generations.get(tp, 0)

    def position(self, tp: tuple[str, int]) -> int:
        """Return the offset behind the last tracked one of an owned partition."""
        return self._partitions[tp].position

    def committed(self, tp: tuple[str, int]) -> int | None:
        """Return the offset last known to be committed for an owned partition."""
        progress = self._partitions.get(tp)
        return None if progress is None else progress.committed

    def due(self) -> bool:
        """Return whether a commit should be sent now."""
        return self.seconds_until_due() == 0.0

    def full(self) -> bool:
        """Return whether a commit is due already, without a look at the clock."""
        return self._at_once or self._done_since_commit >= self.commit_batch_size

    def seconds_until_due(self) -> float | None:
        """Return how long until a commit is due: 0 for now, None with nothing to commit."""
        if not self._pending:
            return None
        if self.full():
            return 0.0
        passed = self._clock.monotonic() - self._last_commit_at
        return max(0.0, self.commit_interval_seconds - passed)

    def committable(self) -> dict[Partition, int]:
        """Return the next offset of each partition that has moved on since its last commit."""
        offsets: dict[Partition, int] = {}
        for tp in sorted(self._pending):
            progress = self._partitions[tp]
            offset = progress.next_offset()
            if offset != progress.committed:
                offsets[Partition(*tp)] = offset
        return offsets

    def last_record_ms(self, tp: tuple[str, int]) -> int | None:
        """Return the time of the last record below the committable offset, epoch milliseconds."""
        progress = self._partitions.get(tp)
        return None if progress is None else progress.dated()

    def attempted(self) -> None:
        """Note that a commit is being sent: intervals and counts begin anew."""
        self._done_since_commit = 0
        self._at_once = False
        self._last_commit_at = self._clock.monotonic()

    def confirmed(self, offsets: Mapping[Partition, int]) -> None:
        """Note that Kafka has acknowledged a commit."""
        for tp, offset in offsets.items():
            progress = self._partitions.get(tp)
            if progress is not None:
                progress.committed = offset
                if progress.next_offset() == offset:
                    self._pending.pop(tp, None)

    def unknown(self, offsets: Mapping[Partition, int]) -> None:
        """Note that a commit's answer did not come: it may or may not have happened."""
        self.commits_unknown += 1
        for tp in offsets:
            if tp in self._partitions:
                self._pending[tp] = None

    @property
    def _pending_offsets(self) -> dict[Partition, int]:
        """What waits to be committed, under the reference's name."""
        return self.committable()


_Stamps = tuple[Sequence[int], Sequence[int | None]]


class _Progress:
    """One owned partition.

    `_order` has the tracked offsets from the lowest unfinished one on, ascending; those among them
    that are not in `_in_work` are done. `_stamps` has the times of tracked records, as they came:
    ascending offsets and their times.
    """

    __slots__ = (
        "_in_work",
        "_order",
        "_stamps",
        "committed",
        "generation",
        "last_record_ms",
        "position",
    )

    def __init__(self, generation: int, position: int, last_record_ms: int | None) -> None:
        self.generation = generation
        self.position = position
        self.committed: int | None = position
        self.last_record_ms = last_record_ms
        self._in_work: set[int] = set()
        self._order: deque[int] = deque()
        self._stamps: deque[_Stamps] = deque()

    def track(self, offset: int, timestamp_ms: int | None) -> None:
        if offset in self._in_work:
            return
        self._in_work.add(offset)
        if self._order and offset < self._order[-1]:
            self._insert(offset)
        else:
            self._order.append(offset)
        if offset >= self.position:
            self.position = offset + 1
        self._stamps.append(([offset], [timestamp_ms]))

    def track_all(self, offsets: Sequence[int], stamps_ms: Sequence[int | None]) -> bool:
        """Track offsets at once; False, with nothing done, unless they ascend and are all new."""
        if not offsets or not all(map(lt, offsets, offsets[1:])):
            return False
        first = offsets[0]
        if first < self.position or (self._order and first <= self._order[-1]):
            return False
        self._in_work.update(offsets)
        self._order.extend(offsets)
        self._stamps.append((offsets, stamps_ms))
        self.position = offsets[-1] + 1
        return True

    def done(self, offset: int) -> bool:
        if offset not in self._in_work:
            return False
        self._in_work.remove(offset)
        order = self._order
        while order and order[0] not in self._in_work:
            order.popleft()
        return True

    def done_all(self, offsets: Sequence[int]) -> int:
        in_work, order = self._in_work, self._order
        before = len(in_work)
        in_work.difference_update(offsets)
        while order and order[0] not in in_work:
            order.popleft()
        return before - len(in_work)

    def next_offset(self) -> int:
        return self._order[0] if self._order else self.position

    def dated(self) -> int | None:
        offset = self.next_offset()
        while self._stamps and self._stamps[0][0][0] < offset:
            offsets, stamps_ms = self._stamps[0]
            done = bisect_left(offsets, offset)
            for stamp_ms in reversed(stamps_ms[:done]):
                if stamp_ms is not None:
                    self.last_record_ms = stamp_ms
                    break
            if done < len(offsets):
                self._stamps[0] = (offsets[done:], stamps_ms[done:])
                break
            self._stamps.popleft()
        return self.last_record_ms

    def _insert(self, offset: int) -> None:
        """Put an offset between others: one that is read again, out of turn."""
        at = bisect_left(self._order, offset)
        if self._order[at] != offset:
            self._order.insert(at, offset)
