"""A partition's log: append, read, look-ups by time, deletion."""

import pytest
from tests.simulator.kafka.record_batches import NOW_MS, make_batch, patched

from station_sim.kafka.batches import parse_batch
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.logs import Appended, PartitionLog
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.topic_config import TopicConfig

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def make_log(broker_settings: BrokerSettings | None = None, **config: str) -> PartitionLog:
    settings = broker_settings or BrokerSettings()
    names = {name.replace("_", "."): text for name, text in config.items()}
    return PartitionLog(
        "T",
        0,
        TopicConfig.of(names, settings),
        producer_expiration_ms=settings.producer_id_expiration_ms,
    )


def append(log: PartitionLog, data: bytes, now_ms: int = NOW_MS) -> Appended:
    return log.append(parse_batch(data), now_ms)


def refused(log: PartitionLog, data: bytes, now_ms: int = NOW_MS) -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        append(log, data, now_ms)
    return caught.value


def offsets(log: PartitionLog, offset: int, max_bytes: int = 1 << 20) -> list[int]:
    return [int.from_bytes(data[:8], "big") for data in log.read(offset, max_bytes)]


def test_batches_are_counted_by_their_records() -> None:
    log = make_log()

    assert [0, 3, 4] == [append(log, make_batch(n)).base_offset for n in (3, 1, 2)]
    assert 6 == log.end_offset == log.high_watermark


def test_reading_starts_with_the_batch_that_holds_the_offset() -> None:
    log = make_log()
    for _ in range(3):
        append(log, make_batch(10))

    assert [10, 20] == offsets(log, 15)
    assert [20] == offsets(log, 29)
    assert [] == offsets(log, 30)


def test_at_least_one_batch_comes_and_no_more_than_fits() -> None:
    log = make_log()
    size_bytes = len(make_batch(10))
    for _ in range(3):
        append(log, make_batch(10))

    assert [0] == offsets(log, 0, 1)
    assert [0, 10] == offsets(log, 0, 2 * size_bytes + 1)
    assert [] == log.read(0, 1, at_least_one=False)


@pytest.mark.parametrize("offset", [-1, 4, 31])
def test_outside_the_log_is_out_of_range(offset: int) -> None:
    log = make_log()
    append(log, make_batch(30))
    log.delete_records(5)

    with pytest.raises(RefusalError) as caught:
        log.read(offset, 100)

    assert ErrorCode.OFFSET_OUT_OF_RANGE == caught.value.code


def test_segments_roll_by_size() -> None:
    size_bytes = len(make_batch())
    log = make_log(BrokerSettings(log_segment_bytes=2 * size_bytes))

    for _ in range(5):
        append(log, make_batch())

    assert [0, 2, 4] == [segment.base_offset for segment in log.segments]
    assert [[1], [2, 3], [4]] == [offsets(log, at) for at in (1, 2, 4)]


def test_segments_roll_by_the_records_time() -> None:
    log = make_log(segment_ms="1000")

    for after_ms in (0, 1000, 1001, 1500, 2002):
        append(log, make_batch(timestamp_ms=NOW_MS + after_ms), NOW_MS)

    assert [0, 2, 4] == [segment.base_offset for segment in log.segments]


def test_look_up_by_time_looks_into_batches() -> None:
    log = make_log()
    append(log, make_batch(10, step_ms=10))
    append(log, make_batch(10, timestamp_ms=NOW_MS + 100, step_ms=10, compression=1))

    assert (0, NOW_MS) == log.offset_at(0)
    assert (6, NOW_MS + 60) == log.offset_at(NOW_MS + 51)
    assert (15, NOW_MS + 150) == log.offset_at(NOW_MS + 150)
    assert log.offset_at(NOW_MS + 191) is None


def test_late_records_do_not_hide_earlier_offsets() -> None:
    log = make_log()
    for after_ms in (100, 300, 200, 400):
        append(log, make_batch(timestamp_ms=NOW_MS + after_ms))

    assert (1, NOW_MS + 300) == log.offset_at(NOW_MS + 150)
    assert (3, NOW_MS + 400) == log.newest_record()


def test_look_up_by_time_skips_what_was_cut() -> None:
    log = make_log()
    append(log, make_batch(10, step_ms=10))
    log.delete_records(4)

    assert (4, NOW_MS + 40) == log.offset_at(0)


def test_cutting_is_exact_and_never_goes_back() -> None:
    log = make_log()
    append(log, make_batch(10))

    assert 7 == log.delete_records(7)
    assert 7 == log.delete_records(3)
    assert 10 == log.delete_records(-1)


@pytest.mark.parametrize("before", [11, -2])
def test_cutting_beyond_the_log_is_refused(before: int) -> None:
    log = make_log()
    append(log, make_batch(10))

    with pytest.raises(RefusalError) as caught:
        log.delete_records(before)

    assert ErrorCode.OFFSET_OUT_OF_RANGE == caught.value.code


def test_compacted_logs_are_not_cut_and_want_keys() -> None:
    log = make_log(cleanup_policy="compact")

    with pytest.raises(RefusalError) as caught:
        log.delete_records(0)

    assert ErrorCode.POLICY_VIOLATION == caught.value.code
    refusal = refused(log, make_batch(2))
    assert ErrorCode.INVALID_RECORD == refusal.code
    assert [0, 1] == [index for index, _ in refusal.record_errors]
    assert 0 == append(log, make_batch(1, key=b"k")).base_offset


def test_retention_takes_whole_segments() -> None:
    log = make_log(segment_ms=str(HOUR_MS), retention_ms=str(DAY_MS))
    for hour in range(5):
        at_ms = NOW_MS + hour * (HOUR_MS + 10)
        append(log, make_batch(4, timestamp_ms=at_ms), at_ms)
    second = log.segments[1].max_timestamp_ms

    assert 0 == log.delete_old_segments(NOW_MS + DAY_MS)
    assert 2 == log.delete_old_segments(second + DAY_MS + 1)
    assert (8, 20) == (log.log_start_offset, log.end_offset)


def test_retention_takes_the_active_segment_too() -> None:
    log = make_log(retention_ms="1000")
    append(log, make_batch(4))

    assert 0 == log.delete_old_segments(NOW_MS + 1003)
    assert 1 == log.delete_old_segments(NOW_MS + 1004)
    assert (4, 4) == (log.log_start_offset, log.end_offset)
    assert 4 == append(log, make_batch(), NOW_MS + 2000).base_offset


def test_a_late_record_does_not_shorten_its_segments_life() -> None:
    log = make_log(retention_ms="1000")
    append(log, make_batch(timestamp_ms=NOW_MS))
    append(log, make_batch(timestamp_ms=NOW_MS - DAY_MS))

    assert 0 == log.delete_old_segments(NOW_MS + 1000)


def test_retention_by_size_keeps_at_least_what_it_promises() -> None:
    size_bytes = len(make_batch())
    log = make_log(
        BrokerSettings(log_segment_bytes=size_bytes), retention_bytes=str(2 * size_bytes + 1)
    )
    for _ in range(5):
        append(log, make_batch())

    assert 2 == log.delete_old_segments(NOW_MS)
    assert 2 == log.log_start_offset


def test_without_retention_nothing_expires() -> None:
    log = make_log(retention_ms="-1")
    append(log, make_batch())

    assert log.expires_at_ms() is None
    assert 0 == log.delete_old_segments(NOW_MS + 10_000 * DAY_MS)


def test_append_time_is_answered_and_written() -> None:
    log = make_log(message_timestamp_type="LogAppendTime")

    assert NOW_MS + 9 == append(log, make_batch(timestamp_ms=1), NOW_MS + 9).append_time_ms
    assert (0, NOW_MS + 9) == log.offset_at(NOW_MS)


def test_times_outside_the_limits_are_refused() -> None:
    log = make_log(message_timestamp_before_max_ms=str(DAY_MS))

    future = refused(log, make_batch(2, timestamp_ms=NOW_MS + HOUR_MS, step_ms=1))
    past = refused(log, make_batch(1, timestamp_ms=NOW_MS - DAY_MS - 1))

    assert ErrorCode.INVALID_TIMESTAMP == future.code == past.code
    assert [1] == [index for index, _ in future.record_errors]
    assert 0 == append(log, make_batch(1, timestamp_ms=NOW_MS + HOUR_MS)).base_offset


def test_large_batches_are_refused() -> None:
    size_bytes = len(make_batch())

    by_message = refused(make_log(max_message_bytes=str(size_bytes - 1)), make_batch())
    by_segment = refused(make_log(BrokerSettings(log_segment_bytes=size_bytes - 1)), make_batch())

    assert ErrorCode.MESSAGE_TOO_LARGE == by_message.code
    assert ErrorCode.RECORD_LIST_TOO_LARGE == by_segment.code


@pytest.mark.parametrize(
    "data",
    [
        patched(make_batch(2), ">i", 57, 3),
        patched(make_batch(2), ">h", 21, 0x20),
        patched(make_batch(2), ">q", 0, 5),
    ],
    ids=["count", "control batch", "base offset"],
)
def test_strange_batches_are_refused(data: bytes) -> None:
    assert ErrorCode.INVALID_RECORD == refused(make_log(), data).code


def test_duplicates_answer_the_old_offset_and_write_nothing() -> None:
    log = make_log()
    batches = [make_batch(2, producer_id=7, epoch=0, sequence=2 * n) for n in range(5)]
    for data in batches:
        append(log, data)

    again = [append(log, data) for data in batches]

    assert [0, 2, 4, 6, 8] == [found.base_offset for found in again]
    assert all(found.duplicate for found in again)
    assert 10 == log.end_offset


def test_only_the_last_five_batches_are_remembered() -> None:
    log = make_log()
    for n in range(6):
        append(log, make_batch(producer_id=7, epoch=0, sequence=n))

    refusal = refused(log, make_batch(producer_id=7, epoch=0, sequence=0))

    assert ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER == refusal.code


def test_a_gap_in_the_sequence_is_refused() -> None:
    log = make_log()
    append(log, make_batch(2, producer_id=7, epoch=0, sequence=0))

    refusal = refused(log, make_batch(producer_id=7, epoch=0, sequence=3))

    assert ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER == refusal.code


def test_an_unknown_producer_may_start_anywhere() -> None:
    log = make_log()

    assert 0 == append(log, make_batch(producer_id=7, epoch=3, sequence=41)).base_offset


def test_a_new_epoch_starts_at_zero_and_fences_the_old() -> None:
    log = make_log()
    append(log, make_batch(producer_id=7, epoch=0, sequence=0))

    early = refused(log, make_batch(producer_id=7, epoch=1, sequence=1))
    append(log, make_batch(producer_id=7, epoch=1, sequence=0))
    old = refused(log, make_batch(producer_id=7, epoch=0, sequence=1))

    assert ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER == early.code
    assert ErrorCode.INVALID_PRODUCER_EPOCH == old.code


def test_sequences_wrap_around() -> None:
    log = make_log()
    append(log, make_batch(2, producer_id=7, epoch=0, sequence=2**31 - 2))

    assert 2 == append(log, make_batch(producer_id=7, epoch=0, sequence=0)).base_offset


def test_a_producer_is_forgotten_after_a_day() -> None:
    log = make_log()
    append(log, make_batch(producer_id=7, epoch=0, sequence=0))

    later = append(log, make_batch(producer_id=7, epoch=0, sequence=9), NOW_MS + DAY_MS)

    assert 1 == later.base_offset


def test_records_that_are_none_are_found_out_when_somebody_looks() -> None:
    log = make_log()
    data = bytearray(make_batch(2))
    data[61] = 0x7F  # the first record's length, beyond the batch's end
    append(log, patched(bytes(data), ">i", 57, 2))

    with pytest.raises(RefusalError) as caught:
        log.offset_at(NOW_MS)
    assert ErrorCode.CORRUPT_MESSAGE == caught.value.code


def test_a_header_that_claims_a_time_of_no_record_does_not_confuse() -> None:
    log = make_log()
    append(log, patched(make_batch(3), ">q", 35, NOW_MS + 500))

    assert (2, NOW_MS + 500) == log.newest_record()
    assert log.offset_at(NOW_MS + 400) is None
