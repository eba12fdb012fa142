"""Compaction of one log: of each key the newest record stays, in closed segments.

Lives here: what LogCleanerManager and Cleaner decide in Apache Kafka: which segments are dirty and
may be cleaned, which records, tombstones and transaction markers go, and which segments become one.
Not here: when the broker looks (`cleaner.py`), batches as bytes (`rewritten_batches.py`).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from station_sim.kafka.batches import Batch
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.markers import is_commit
from station_sim.kafka.rewritten_batches import (
    RawRecord,
    delete_horizon_ms,
    emptied,
    raw_records,
    with_records,
)
from station_sim.kafka.segments import Segment
from station_sim.kafka.settings import LONG_MAX
from station_sim.kafka.transaction_index import AbortedTransaction


class Dirty(NamedTuple):
    """What a log has to clean: closed segments and where each ends, `clean_bytes` before them."""

    clean_bytes: int
    segments: list[tuple[Segment, int]]


def compaction_due_ms(log: PartitionLog) -> int | None:
    """When a log is dirty enough to be compacted, in epoch ms; None as long as nothing changes."""
    return min((due_ms for due_ms, _ in _prefixes(log)), default=None)


def compact_if_due(log: PartitionLog, now_ms: int) -> bool:
    """Compact a log that is dirty enough; tells whether it was."""
    ends = [end_offset for due_ms, end_offset in _prefixes(log) if due_ms <= now_ms]
    if not ends:
        return False
    compact(log, ends[-1], now_ms)
    return True


def _prefixes(log: PartitionLog) -> Iterator[tuple[int, int]]:
    """For each way to begin with the dirty segments: when it may be cleaned, and where it ends."""
    config = log.config
    dirty = _dirty(log)
    overdue_ms = _overdue_ms(dirty, config.max_compaction_lag_ms)
    ready_ms = 0
    dirty_bytes = 0
    for segment, end_offset in dirty.segments:
        if config.min_compaction_lag_ms > 0:
            ready_ms = max(ready_ms, segment.largest_timestamp_ms + config.min_compaction_lag_ms)
        dirty_bytes += segment.size_bytes
        if dirty_bytes > config.min_cleanable_dirty_ratio * (dirty.clean_bytes + dirty_bytes):
            yield ready_ms, end_offset
        elif overdue_ms is not None:
            yield max(ready_ms, overdue_ms), end_offset


def _overdue_ms(dirty: Dirty, lag_ms: int) -> int | None:
    """From when on the oldest dirty record may not wait any longer."""
    times_ms = [
        each.first_timestamp_ms for each, _ in dirty.segments if each.first_timestamp_ms > 0
    ]
    return min(times_ms) + lag_ms + 1 if times_ms and lag_ms < LONG_MAX else None


def _dirty(log: PartitionLog) -> Dirty:
    """The active segment is never dirty, nor what an open transaction may still change."""
    first_offset = max(log.clean_offset, log.log_start_offset)
    clean_bytes = 0
    segments = []
    for segment, following in pairwise(log.segments):
        if following.base_offset > log.last_stable_offset:
            break
        if following.base_offset <= first_offset:
            clean_bytes += segment.size_bytes
        else:
            segments.append((segment, following.base_offset))
    return Dirty(clean_bytes, segments)


def compact(log: PartitionLog, end_offset: int, now_ms: int) -> None:
    """Keep of each key the newest record, in the segments below `end_offset`."""
    sources = [segment for segment in log.segments[:-1] if segment.base_offset < end_offset]
    first_dirty_offset = max(log.clean_offset, log.log_start_offset)
    aborted = log.transactions.aborted(0, end_offset)
    newest = _newest_offsets(sources, first_dirty_offset, aborted)
    transactions = Transactions(aborted)
    cleaning = Cleaning(log, newest, transactions, now_ms)
    replaced: list[Segment] = []
    for group in _groups(sources, log.config.segment_bytes):
        made = cleaning.joined(group, base_offset=(replaced or group)[0].base_offset)
        replaced += group
        if made.batches:  # else the next one begins here, so that the log does
            log.replace_segments(replaced, made)
            replaced = []
    if replaced:
        log.replace_segments(replaced, None)
    log.transactions.forget(transactions.without_records)
    log.clean_offset = end_offset


def _newest_offsets(
    sources: Sequence[Segment], first_offset: int, aborted: Sequence[AbortedTransaction]
) -> dict[bytes, int]:
    """For each key in the dirty part, the offset of its newest record that counts."""
    newest: dict[bytes, int] = {}
    transactions = Transactions(aborted)
    for segment in sources:
        for batch in segment.batches:
            if transactions.is_void(batch) or batch.last_offset < first_offset:
                continue
            for record in () if batch.is_control else raw_records(batch):
                if record.key is not None and record.offset >= first_offset:
                    newest[record.key] = record.offset
    return newest


def _groups(sources: Sequence[Segment], segment_bytes: int) -> Iterator[list[Segment]]:
    """Segments in turn, as many together as one may hold."""
    group: list[Segment] = []
    size_bytes = 0
    for segment in sources:
        if group and size_bytes + segment.size_bytes > segment_bytes:
            yield group
            group, size_bytes = [], 0
        group.append(segment)
        size_bytes += segment.size_bytes
    if group:
        yield group


class Transactions:
    """Which transactions are aborted or have records left, as batches are passed in order.

    `without_records` are the aborted ones that had none left.
    """

    def __init__(self, aborted: Sequence[AbortedTransaction]) -> None:
        self.without_records: list[AbortedTransaction] = []
        self._to_come = sorted(aborted, key=lambda each: each.first_offset)
        self._aborted: dict[int, AbortedTransaction] = {}
        self._committed: set[int] = set()
        self._seen: set[AbortedTransaction] = set()

    def is_void(self, batch: Batch) -> bool:
        """Whether a batch counts for nothing: of an aborted transaction, or a marker of nothing."""
        while self._to_come and self._to_come[0].first_offset <= batch.last_offset:
            begun = self._to_come.pop(0)
            self._aborted[begun.producer_id] = begun
        if batch.is_control:
            return self._ended(batch)
        if not batch.is_transactional:
            return False
        aborted = self._aborted.get(batch.producer_id)
        if aborted is not None:
            self._seen.add(aborted)
            return True
        self._committed.add(batch.producer_id)
        return False

    def _ended(self, marker: Batch) -> bool:
        """Whether a marker ends a transaction of which no batch is left."""
        if not marker.count:
            return True
        if is_commit(marker):
            had_records = marker.producer_id in self._committed
            self._committed.discard(marker.producer_id)
            return not had_records
        aborted = self._aborted.pop(marker.producer_id, None)
        if aborted is None or aborted in self._seen:
            return aborted is None
        self.without_records.append(aborted)
        return True


class Cleaning:
    """One pass over a log's segments; `newest` is the offset of each key's newest record."""

    def __init__(
        self, log: PartitionLog, newest: dict[bytes, int], transactions: Transactions, now_ms: int
    ) -> None:
        self._newest = newest
        self._transactions = transactions
        self._now_ms = now_ms
        self._horizon_ms = now_ms + log.config.delete_retention_ms
        self._last_of_producers = {
            producer_id: (known.last_offset, known.epoch)
            for producer_id, known in log.producers.known(now_ms)
        }

    def joined(self, group: Sequence[Segment], *, base_offset: int) -> Segment:
        """One segment in the place of several, with what stays of them."""
        made = Segment(base_offset, group[0].created_at_ms)
        for segment in group:
            for batch in segment.batches:
                kept = self._cleaned(batch)
                if kept is not None:
                    made.append(kept, segment.modified_at_ms)
        made.modified_at_ms = group[-1].modified_at_ms
        return made

    def _cleaned(self, batch: Batch) -> Batch | None:
        """What stays of a batch; itself if nothing goes."""
        is_void = self._transactions.is_void(batch)
        horizon_ms = delete_horizon_ms(batch)
        is_over = horizon_ms is not None and horizon_ms <= self._now_ms
        if batch.is_control:
            goes = is_void and is_over
            kept = [] if goes else list(raw_records(batch))
            sets_horizon = is_void and bool(kept)
        else:
            kept = [] if is_void else [r for r in raw_records(batch) if self._stays(r, is_over)]
            sets_horizon = any(not record.has_value for record in kept)
        if not kept:
            return emptied(batch) if self._is_last_of_producer(batch) else None
        if horizon_ms is None and sets_horizon:
            return with_records(batch, kept, self._horizon_ms)
        return batch if len(kept) == batch.count else with_records(batch, kept, horizon_ms)

    def _stays(self, record: RawRecord, tombstones_are_over: bool) -> bool:
        if record.key is None or (tombstones_are_over and not record.has_value):
            return False
        return record.offset >= self._newest.get(record.key, -1)

    def _is_last_of_producer(self, batch: Batch) -> bool:
        """Whether a producer's sequence would be forgotten without this batch."""
        last_offset, epoch = self._last_of_producers.get(batch.producer_id, (None, None))
        if last_offset is None:
            return batch.is_control and epoch == batch.producer_epoch
        return last_offset == batch.last_offset
