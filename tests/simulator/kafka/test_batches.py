"""Record batches: what the broker reads, refuses and patches."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatch
from tests.simulator.kafka.record_batches import NOW_MS, make_batch

from station_sim.kafka.batches import parse_batch, records_of
from station_sim.kafka.error_codes import ErrorCode, RefusalError


def test_the_header_is_read() -> None:
    batch = parse_batch(make_batch(3, producer_id=7, epoch=2, sequence=10))

    assert (0, 2, 3) == (batch.base_offset, batch.last_offset, batch.count)
    assert (NOW_MS, NOW_MS + 2) == (batch.base_timestamp_ms, batch.max_timestamp_ms)
    assert (7, 2, 10, 12) == (
        batch.producer_id,
        batch.producer_epoch,
        batch.base_sequence,
        batch.last_sequence,
    )


def test_sequence_numbers_wrap() -> None:
    batch = parse_batch(make_batch(3, producer_id=7, epoch=0, sequence=2**31 - 2))

    assert 0 == batch.last_sequence


def test_placing_keeps_the_crc_right() -> None:
    batch = parse_batch(make_batch(2))

    batch.place(500)

    placed = DefaultRecordBatch(bytearray(batch.data))
    assert placed.validate_crc()
    assert (500, 501) == (batch.base_offset, batch.last_offset)
    assert [500, 501] == [record.offset for record in placed]


@pytest.mark.parametrize("compression", [0, 1])
def test_append_time_replaces_the_records_times(compression: int) -> None:
    batch = parse_batch(make_batch(2, compression=compression))

    batch.place(0, append_time_ms=NOW_MS + 5000)

    placed = DefaultRecordBatch(bytearray(batch.data))
    assert placed.validate_crc()
    assert [(NOW_MS + 5000, 1)] * 2 == [(r.timestamp, r.timestamp_type) for r in placed]


def test_a_producers_claim_of_append_time_is_taken_back() -> None:
    batch = parse_batch(make_batch(1))
    batch.place(0, append_time_ms=NOW_MS + 5000)
    again = parse_batch(batch.data)

    again.place(0)

    placed = DefaultRecordBatch(bytearray(again.data))
    assert placed.validate_crc()
    assert [0] == [record.timestamp_type for record in placed]


def test_records_are_read() -> None:
    (record,) = records_of(parse_batch(make_batch(1, key=b"k", value=b"v")))

    assert (0, NOW_MS, b"k", b"v") == (
        record.offset,
        record.timestamp_ms,
        record.key,
        record.value,
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", ErrorCode.INVALID_RECORD),
        (make_batch() + make_batch(), ErrorCode.INVALID_RECORD),
        (make_batch()[:16] + b"\x01" + make_batch()[17:], ErrorCode.INVALID_RECORD),
        (make_batch()[:-1] + b"?", ErrorCode.CORRUPT_MESSAGE),
        (make_batch()[:-1], ErrorCode.INVALID_RECORD),
        (make_batch()[:30], ErrorCode.INVALID_RECORD),
        (b"x" * 100, ErrorCode.CORRUPT_MESSAGE),
    ],
    ids=["empty", "two", "old format", "crc", "cut", "half a header", "garbage"],
)
def test_what_is_no_batch_is_refused(data: bytes, code: ErrorCode) -> None:
    with pytest.raises(RefusalError) as caught:
        parse_batch(data)

    assert code == caught.value.code
