"""Whatever was written, a compacted log tells the same last word about each key."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.record.memory_records import MemoryRecordsBuilder
from tests.simulator.kafka.record_batches import NOW_MS

from station_sim.kafka.batches import Batch, parse_batch, records_of
from station_sim.kafka.compaction import compact, compaction_due_ms
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.topic_config import TopicConfig

HOUR_MS = 3_600_000
COMPACTED = {"cleanup.policy": "compact", "segment.ms": str(HOUR_MS), "delete.retention.ms": "1000"}

Written = tuple[bytes, bytes | None]
Seen = tuple[int, int, bytes | None, bytes | None]

pairs = st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([None, b"", b"1", b"22"]))
histories = st.lists(
    st.tuples(st.lists(pairs, min_size=1, max_size=4), st.booleans(), st.sampled_from([0, 1, 4])),
    min_size=1,
    max_size=12,
)


def made(**config: str) -> PartitionLog:
    checked = TopicConfig.of({**COMPACTED, **config}, BrokerSettings())
    return PartitionLog("T", 0, checked, producer_expiration_ms=HOUR_MS)


def write(log: PartitionLog, written: list[Written], at_ms: int, codec: int = 0) -> None:
    builder = MemoryRecordsBuilder(magic=2, compression_type=codec, batch_size=1 << 20)
    for key, value in written:
        builder.append(at_ms, key, value)
    builder.close()
    log.append(parse_batch(bytes(builder.buffer())), at_ms)


def seen(log: PartitionLog) -> list[Seen]:
    return [
        found for batch in log.batches_from(log.log_start_offset) for found in records_in(batch)
    ]


def records_in(batch: Batch) -> list[Seen]:
    return [
        (record.offset, record.timestamp_ms, record.key, record.value)
        for record in records_of(batch)
    ]


def last_words(records: list[Seen]) -> dict[bytes | None, bytes | None]:
    said = {key: value for _, _, key, value in records}
    return {key: value for key, value in said.items() if value is not None}


@given(histories, st.integers(1, 3))
def test_the_last_word_about_each_key_stays(
    history: list[tuple[list[Written], bool, int]], rounds: int
) -> None:
    log = made()
    at_ms = NOW_MS
    for written, rolls, codec in history:
        at_ms += 2 * HOUR_MS if rolls else 1
        write(log, written, at_ms, codec)
    before = seen(log)
    active = [each for each in before if each[0] >= log.segments[-1].base_offset]
    for number in range(rounds):
        compact(log, log.segments[-1].base_offset, at_ms + number * HOUR_MS)
        after = seen(log)
        assert last_words(before) == last_words(after)
        assert set(after) <= set(before)
        assert after == sorted(after)
        assert active == after[len(after) - len(active) :]
        closed = [key for _, _, key, _ in after[: len(after) - len(active)]]
        assert len(closed) == len(set(closed))
    assert (0, before[-1][0] + 1) == (log.log_start_offset, log.end_offset)
    for batch in log.batches_from(0):
        assert batch == parse_batch(batch.data)  # lengths and checksums hold


@given(histories, st.sampled_from([1, 100, 1 << 20]))
def test_a_reader_gets_everything_from_any_offset(
    history: list[tuple[list[Written], bool, int]], max_bytes: int
) -> None:
    log = made()
    at_ms = NOW_MS
    for written, rolls, codec in history:
        at_ms += 2 * HOUR_MS if rolls else 1
        write(log, written, at_ms, codec)
    compact(log, log.segments[-1].base_offset, at_ms)
    compact(log, log.segments[-1].base_offset, at_ms + HOUR_MS)
    for offset in range(log.end_offset + 1):
        assert [each for each in seen(log) if each[0] >= offset] == polled(log, offset, max_bytes)


def polled(log: PartitionLog, offset: int, max_bytes: int) -> list[Seen]:
    """What a consumer gets from an offset on, until a read gives nothing."""
    found: list[Seen] = []
    while data := log.read(offset, max_bytes):
        batches = [parse_batch(each) for each in data]
        for batch in batches:
            found += [each for each in records_in(batch) if each[0] >= offset]
        assert offset <= batches[-1].last_offset
        offset = batches[-1].last_offset + 1
    return found


def test_a_reader_of_what_is_gone_goes_on_with_the_next_segment() -> None:
    log = made()
    write(log, [(b"a", b"1")], NOW_MS)
    write(log, [(b"b", None)], NOW_MS)
    write(log, [(b"c", b"1")], NOW_MS + 2 * HOUR_MS)
    for at_ms in (NOW_MS, NOW_MS + HOUR_MS):
        compact(log, 2, at_ms)
    assert [[0], [2]] == [[b.last_offset for b in each.batches] for each in log.segments]
    assert [b"c"] == [key for _, _, key, _ in polled(log, 1, max_bytes=1)]


def test_a_clean_log_is_never_due() -> None:
    log = made()
    for number in range(4):
        write(log, [(b"a", b"1")], NOW_MS + number * 2 * HOUR_MS)
    assert compaction_due_ms(log) is not None
    compact(log, log.segments[-1].base_offset, NOW_MS)
    assert compaction_due_ms(log) is None


def test_a_lag_tells_when_a_log_is_due() -> None:
    log = made(**{"min.compaction.lag.ms": str(10 * HOUR_MS), "min.cleanable.dirty.ratio": "0"})
    write(log, [(b"a", b"1")], NOW_MS)
    write(log, [(b"a", b"2")], NOW_MS + 2 * HOUR_MS)
    assert NOW_MS + 10 * HOUR_MS == compaction_due_ms(log)
