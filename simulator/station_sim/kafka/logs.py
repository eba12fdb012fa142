"""One partition's log: append, read, look-ups by time, and deletion at its head.

The log is in memory and its own only replica, so the high watermark is the log end offset. What it
holds is kept in its `storage` as well, always there first. Lives here: what UnifiedLog decides in
Apache Kafka. Not here: which batches it takes (`acceptance.py`), how it comes back
(`log_recovery.py`), who waits for data (`waiters` is only kept here for the Fetch request), when
retention runs (`retention.py`), what compaction leaves (`compaction.py`), what a request looks
like.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from typing import NamedTuple, Protocol

from station_sim.kafka.acceptance import check_batch, check_size
from station_sim.kafka.batches import CODEC_MASK, Batch, records_of
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.leader_epochs import LeaderEpochs
from station_sim.kafka.markers import is_commit
from station_sim.kafka.producers import ProducerStates
from station_sim.kafka.replicas import Replicas
from station_sim.kafka.rewritten_batches import recompress
from station_sim.kafka.segments import Segment, segment_index
from station_sim.kafka.storage.log_storage import LogState, LogStorage, Unstored
from station_sim.kafka.topic_config import PRODUCERS_OWN, TopicConfig
from station_sim.kafka.transaction_index import TransactionIndex


class Waiter(Protocol):
    """Somebody who waits for this log to grow or to go away."""

    def wake(self) -> None:
        """The log changed."""


class Appended(NamedTuple):
    """Where a batch landed; `duplicate` means that it had been written before.

    `append_time_ms` is what Kafka answers: the clock's time where it stamps records, the batch's
    own for a duplicate, otherwise -1.
    """

    base_offset: int
    append_time_ms: int
    duplicate: bool


class PartitionLog:
    """The records of one partition, from `log_start_offset` to below `end_offset`.

    Below `clean_offset` it was compacted.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        config: TopicConfig,
        *,
        producer_expiration_ms: int,
        storage: LogStorage | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.storage: LogStorage = storage or Unstored()
        self.config = config
        self.log_start_offset = 0
        self.end_offset = 0
        self.clean_offset = 0
        self.segments: list[Segment] = []
        self.epochs = LeaderEpochs()
        self.producers = ProducerStates(expiration_ms=producer_expiration_ms)
        self.transactions = TransactionIndex()
        self.replicas = Replicas((0,))
        self.waiters: dict[Waiter, None] = {}

    @property
    def high_watermark(self) -> int:
        """First offset consumers may not read yet: the end, for there is one replica."""
        return self.end_offset

    @property
    def leader_epoch(self) -> int:
        """How often the partition's leader has changed; batches carry it."""
        return self.epochs.latest

    def new_leader_epoch(self, *, advance: int = 1) -> None:
        """Begin a new leader epoch at the log's end: the partition has another leader."""
        self.epochs.begin(self.epochs.latest + advance, self.end_offset)
        with suppress(RefusalError):  # elections never fail; the next batch tells of the epoch
            self.keep_state()

    def keep_state(self) -> None:
        """Keep epochs and replicas as they are now; raises `RefusalError` if that fails."""
        self.storage.keep_state(self._state_from(self.log_start_offset))

    def _state_from(self, start_offset: int) -> LogState:
        replicas = self.replicas
        epochs = tuple(self.epochs.starts())
        return LogState(start_offset, epochs, replicas.node_ids, replicas.leader_id)

    @property
    def last_stable_offset(self) -> int:
        """First offset that readers of committed records may not read yet."""
        undecided = self.transactions.first_open_offset
        if undecided is None:
            return self.high_watermark
        return max(undecided, self.log_start_offset)

    @property
    def size_bytes(self) -> int:
        """Bytes of all batches kept."""
        return sum(segment.size_bytes for segment in self.segments)

    def append(self, batch: Batch, now_ms: int) -> Appended:
        """Write one batch, as the producer made it, at the end; it then is the batch in the log.

        Raises `RefusalError` with what Kafka answers for a batch it does not take.
        """
        check_batch(batch, self.config, now_ms, (self.topic, self.partition))
        if batch.producer_id >= 0:
            written = self.producers.check(batch, now_ms)
            if written is not None:
                return Appended(written.base_offset, written.timestamp_ms, duplicate=True)
        if self.config.compression_type != PRODUCERS_OWN:
            self._recompress(batch)
        by_clock = self.config.log_append_time
        self._write(batch, now_ms)
        return Appended(batch.base_offset, now_ms if by_clock else -1, duplicate=False)

    def _recompress(self, batch: Batch) -> None:
        """Keep a batch in the topic's own codec; its size may be too much now."""
        wanted = self.config.codec
        if wanted is not None and wanted[0] != batch.attributes & CODEC_MASK:
            recompress(batch, *wanted)
            check_size(len(batch.data), self.config)

    def append_marker(self, marker: Batch, now_ms: int) -> None:
        """Write the end of a producer's transaction, whether it wrote here or not.

        Raises `RefusalError` (INVALID_PRODUCER_EPOCH).
        """
        self.producers.check_epoch(marker.producer_id, marker.producer_epoch, now_ms)
        self._write(marker, now_ms)

    def _write(self, batch: Batch, now_ms: int) -> None:
        batch.place(
            self.end_offset,
            leader_epoch=self.epochs.latest,
            append_time_ms=now_ms if self.config.log_append_time else None,
        )
        segment = self._segment_for(batch, now_ms)
        self.storage.append(segment.base_offset, batch.data)
        if not segment.batches:
            self.segments.append(segment)
        segment.append(batch, now_ms)
        self.end_offset = batch.last_offset + 1
        if batch.producer_id >= 0:
            self.note_producer(batch, now_ms)

    def note_producer(self, batch: Batch, now_ms: int) -> None:
        """Keep what a producer's batch, or the marker of its transaction, says of it."""
        if batch.is_control:
            self.producers.ended(batch, now_ms)
            self.transactions.ended(batch.producer_id, batch.base_offset, commit=is_commit(batch))
            return
        self.producers.wrote(batch, now_ms)
        if batch.is_transactional:
            self.transactions.opened(batch.producer_id, batch.base_offset)

    def _segment_for(self, batch: Batch, now_ms: int) -> Segment:
        """The last segment, or one that has yet to be the last."""
        config = self.config
        if not self.segments or self.segments[-1].is_full_for(
            batch, now_ms, segment_bytes=config.segment_bytes, segment_ms=config.segment_age_ms
        ):
            self.storage.keep_producers(self.end_offset, self.producers, self.transactions)
            return Segment(self.end_offset, now_ms)
        return self.segments[-1]

    def check_offset(self, offset: int) -> None:
        """Raise `RefusalError` (OFFSET_OUT_OF_RANGE) unless a reader may stand at `offset`."""
        if not self.log_start_offset <= offset <= self.end_offset:
            raise RefusalError(
                ErrorCode.OFFSET_OUT_OF_RANGE,
                f"offset {offset} of {self.topic}-{self.partition} is not within "
                f"[{self.log_start_offset}, {self.end_offset}]",
            )

    def read(
        self,
        offset: int,
        max_bytes: int,
        *,
        at_least_one: bool = True,
        before_offset: int | None = None,
    ) -> list[bytes]:
        """Whole batches from the one that holds `offset` on, as many as fit into `max_bytes`.

        They are of one segment: as in Kafka, the next read goes on with the next, and what
        compaction has emptied is skipped.
        With `at_least_one` the first comes even if it does not fit; with `before_offset` none that
        begins there or later. Raises `RefusalError` (OFFSET_OUT_OF_RANGE).
        """
        self.check_offset(offset)
        if offset == self.end_offset:
            return []
        found: list[bytes] = []
        left_bytes = max_bytes
        batches = self._rest_of_segment(offset)
        if before_offset is not None:
            batches = takewhile(lambda batch: batch.base_offset < before_offset, batches)
        at_once = 1
        while several := [batch.data for batch in islice(batches, at_once)]:
            found += several
            left_bytes -= sum(map(len, several))
            if left_bytes < 0:
                break
            at_once *= 4  # batches may be large and few, or small and very many
        while left_bytes < 0 and len(found) > at_least_one:
            left_bytes += len(found.pop())
        return found

    def _rest_of_segment(self, offset: int) -> Iterator[Batch]:
        """The batches from `offset` on, of the first segment that has any."""
        for segment in islice(self.segments, segment_index(self.segments, offset), None):
            batches, first = segment.batches, segment.index_of(offset)
            if first < len(batches):
                return map(batches.__getitem__, range(first, len(batches)))
        return iter(())

    def batches_from(self, offset: int) -> Iterator[Batch]:
        """The batches from the one that holds `offset` on."""
        segments = self.segments
        if not segments:
            return
        at = segment_index(segments, offset)
        batches = segments[at].batches
        yield from map(batches.__getitem__, range(segments[at].index_of(offset), len(batches)))
        for segment in segments[at + 1 :]:
            yield from segment.batches

    def offset_at(self, timestamp_ms: int) -> tuple[int, int] | None:
        """Offset and time of the first record at or after a time; None if there is none."""
        for segment in self.segments:
            if segment.max_timestamp_ms < timestamp_ms:
                continue
            for batch in segment.batches:
                if batch.max_timestamp_ms < timestamp_ms or self._is_cut(batch):
                    continue
                for record in records_of(batch):
                    if (
                        record.timestamp_ms >= timestamp_ms
                        and record.offset >= self.log_start_offset
                    ):
                        return record.offset, record.timestamp_ms
        return None

    def newest_record(self) -> tuple[int, int] | None:
        """Offset and time of the first record that has the log's largest time.

        As in Kafka, a record below the log's start counts as long as its segment is there. Where a
        header claims a time that no record has, it is the batch's last.
        """
        newest: Batch | None = None
        for segment in self.segments:
            for batch in segment.batches:
                if newest is None or batch.max_timestamp_ms > newest.max_timestamp_ms:
                    newest = batch
        if newest is None:
            return None
        latest_ms = newest.max_timestamp_ms
        has_it = (r.offset for r in records_of(newest) if r.timestamp_ms == latest_ms)
        return next(has_it, newest.last_offset), latest_ms

    def _is_cut(self, batch: Batch) -> bool:
        return batch.last_offset < self.log_start_offset

    def delete_records(self, before_offset: int) -> int:
        """Move the log's start to `before_offset` (-1: to the end); returns the start.

        Raises `RefusalError`: OFFSET_OUT_OF_RANGE beyond the end, POLICY_VIOLATION on a
        topic that is only compacted.
        """
        if not self.config.deletes:
            raise RefusalError(
                ErrorCode.POLICY_VIOLATION,
                f"Records of partition {self.topic}-{self.partition} can not be deleted due to the "
                "configured policy",
            )
        target = self.end_offset if before_offset == -1 else before_offset
        if not 0 <= target <= self.end_offset:
            raise RefusalError(
                ErrorCode.OFFSET_OUT_OF_RANGE,
                f"cannot delete before {target}; the log ends at {self.end_offset}",
            )
        if target > self.log_start_offset:
            self.storage.keep_state(self._state_from(target))
            self.move_start(target)
        return self.log_start_offset

    def expires_at_ms(self) -> int | None:
        """When the oldest segment may go by time; None if retention never takes it."""
        if self.config.retention_ms < 0 or not self.config.deletes or not self.segments:
            return None
        oldest = self.segments[0]
        if not oldest.batches:
            return None
        return oldest.largest_timestamp_ms + self.config.retention_ms + 1

    def delete_old_segments(self, now_ms: int) -> int:
        """Delete what retention no longer keeps; returns how many segments went.

        Kafka's order: by time, by size, then what lies wholly below the log's start.
        """
        before = len(self.segments)
        if self.config.deletes:
            self._delete_expired(now_ms)
            self._delete_oversized()
        while len(self.segments) > 1 and self.segments[1].base_offset <= self.log_start_offset:
            self._delete_first()
        return before - len(self.segments)

    def _delete_expired(self, now_ms: int) -> None:
        expires_at_ms = self.expires_at_ms()
        while expires_at_ms is not None and expires_at_ms <= now_ms:
            self._delete_first()
            expires_at_ms = self.expires_at_ms()

    def _delete_oversized(self) -> None:
        if self.config.retention_bytes < 0:
            return
        excess_bytes = self.size_bytes - self.config.retention_bytes
        while self.segments and excess_bytes >= self.segments[0].size_bytes > 0:
            excess_bytes -= self.segments[0].size_bytes
            self._delete_first()

    def replace_segments(self, old: Sequence[Segment], new: Segment | None) -> None:
        """Put a segment that begins where they do, or none, in the place of consecutive ones."""
        if new is not None:
            self.storage.replace(new.base_offset, new.batches)
        at = self.segments.index(old[0])
        self.segments[at : at + len(old)] = [] if new is None else [new]
        with suppress(RefusalError):  # what is left over is recognised when the log is found again
            for each in old if new is None else old[1:]:
                self.storage.delete(each.base_offset)

    def _delete_first(self) -> None:
        """Delete the oldest segment; the next one's name tells where the log begins then."""
        start_offset = self.segments[1].base_offset if len(self.segments) > 1 else self.end_offset
        if start_offset == self.end_offset:
            self.storage.keep_producers(self.end_offset, self.producers, self.transactions)
            self.storage.keep_state(self._state_from(start_offset))
        self.storage.delete(self.segments[0].base_offset)
        self.segments.pop(0)
        self.move_start(start_offset)

    def move_start(self, offset: int) -> None:
        """Let the log begin at `offset`; it never moves back."""
        if offset > self.log_start_offset:
            self.log_start_offset = offset
            self.epochs.cut_before(offset)
            self.transactions.forget_before(offset)
