"""How a log comes back from where it was kept: what LogLoader does in Apache Kafka.

Batches are read into memory, and producers and transactions follow from the newest that was kept of
them and the batches behind it. What a log keeps, and when, is in `logs.py`.
"""

from station_sim.kafka.batches import Batch
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.replicas import NO_LEADER
from station_sim.kafka.segments import Segment
from station_sim.kafka.storage.log_storage import LogState, StoredSegment


def recover(log: PartitionLog) -> None:
    """Let an empty log be as it was kept; raises `LabError` if what was kept is damaged."""
    state = log.storage.state()
    if state is not None:
        log.epochs.restore(state.epochs)
    known = log.storage.producers()
    known_before = 0
    if known is not None:
        known_before = known.end_offset
        log.producers.restore(known.producers)
        log.transactions.restore(known.transactions)
    for stored in log.storage.segments():
        for batch in _recover_segment(log, stored):
            _note(log, batch, known_before, stored.modified_at_ms)
    _recover_start(log, 0 if state is None else state.start_offset)
    if state is not None:
        _recover_leader(log, state)


def _recover_segment(log: PartitionLog, stored: StoredSegment) -> list[Batch]:
    """The segment's batches that are new: others were merged into the segment before it."""
    batches = [batch for batch in stored.batches if batch.base_offset >= log.end_offset]
    if not batches:
        log.storage.delete(stored.base_offset)
        return batches
    if len(batches) < len(stored.batches):
        log.storage.replace(stored.base_offset, batches)
    segment = Segment(stored.base_offset, stored.modified_at_ms)
    for batch in batches:
        segment.append(batch, stored.modified_at_ms)
    log.segments.append(segment)
    log.end_offset = batches[-1].last_offset + 1
    return batches


def _note(log: PartitionLog, batch: Batch, known_before: int, seen_at_ms: int) -> None:
    if batch.leader_epoch > log.leader_epoch:
        log.epochs.begin(batch.leader_epoch, batch.base_offset)
    if batch.producer_id >= 0 and batch.base_offset >= known_before:
        log.note_producer(batch, seen_at_ms)


def _recover_start(log: PartitionLog, kept_offset: int) -> None:
    """A log begins where its first segment does, if no later start was kept."""
    first_offset = log.segments[0].base_offset if log.segments else 0
    log.move_start(max(kept_offset, first_offset))
    log.end_offset = max(log.end_offset, log.log_start_offset)


def _recover_leader(log: PartitionLog, state: LogState) -> None:
    """Who led leads again; where nobody did, the preferred replica begins an epoch."""
    log.replicas.assign(state.node_ids, lambda _: True)
    log.replicas.leader_id = log.replicas.preferred_id
    if state.leader_id in log.replicas.in_sync_ids:
        log.replicas.leader_id = state.leader_id
    elif state.leader_id == NO_LEADER:
        log.new_leader_epoch()
