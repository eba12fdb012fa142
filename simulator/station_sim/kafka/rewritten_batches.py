"""Batches that a broker makes anew: without some of their records, or in another codec.

Offsets stay what they were: a batch keeps its first and last offset, its producer and its sequence
number whatever records it loses. Layout: KIP-98 and, for the time at which tombstones and markers
may go, KIP-534; the rules are those of MemoryRecords.filterTo in Apache Kafka. Which records go is
decided in `compaction.py`.
"""

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from crc32c import crc32c

from station_sim.kafka.batches import (
    CODEC_MASK,
    HEADER_BYTES,
    LENGTH_OFFSET_BYTES,
    MAGIC,
    Batch,
)
from station_sim.kafka.compression import compress, decompress
from station_sim.kafka.error_codes import ErrorCode, RefusalError

DELETE_HORIZON_BIT = 0x40
"""Says that the base timestamp is the time at which tombstones and markers may go."""

NO_TIMESTAMP = -1

_BEFORE_CRC = Struct(">qiib")
_CRC = Struct(">I")
_AFTER_CRC = Struct(">hiqqqhii")


class RawRecord(NamedTuple):
    """One record with what compaction looks at; `rest` is everything behind its offset, encoded."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    has_value: bool
    attributes: int
    rest: bytes


def raw_records(batch: Batch) -> Iterator[RawRecord]:
    """The records of a batch; raises `RefusalError` (CORRUPT_MESSAGE) if they are none."""
    try:
        data = decompress(bytes(batch.data[HEADER_BYTES:]), batch.attributes & CODEC_MASK)
        at = 0
        for _ in range(batch.count):
            size_bytes, at = _read_varint(data, at)
            yield _raw_record(batch, data, at, at + size_bytes)
            at += size_bytes
    except (IndexError, ValueError) as error:
        raise RefusalError(ErrorCode.CORRUPT_MESSAGE, f"records that are none: {error}") from error


def _raw_record(batch: Batch, data: bytes, at: int, end: int) -> RawRecord:
    attributes = data[at]
    timestamp_delta_ms, at = _read_varint(data, at + 1)
    offset_delta, key_at = _read_varint(data, at)
    key_bytes, at = _read_varint(data, key_at)
    key = None if key_bytes < 0 else data[at : at + key_bytes]
    value_bytes, _ = _read_varint(data, at + max(0, key_bytes))
    by_clock = batch.timestamp_is_append_time
    timestamp_ms = (
        batch.max_timestamp_ms if by_clock else batch.base_timestamp_ms + timestamp_delta_ms
    )
    offset = batch.base_offset + offset_delta
    return RawRecord(offset, timestamp_ms, key, value_bytes >= 0, attributes, data[key_at:end])


def delete_horizon_ms(batch: Batch) -> int | None:
    """When tombstones and markers in a batch may go; None while that is not decided."""
    return batch.base_timestamp_ms if batch.attributes & DELETE_HORIZON_BIT else None


def with_records(batch: Batch, kept: Sequence[RawRecord], horizon_ms: int | None) -> Batch:
    """The batch with these of its records alone, at least one, whose tombstones may go then."""
    base_timestamp_ms = kept[0].timestamp_ms if horizon_ms is None else horizon_ms
    attributes = batch.attributes | (0 if horizon_ms is None else DELETE_HORIZON_BIT)
    section = b"".join(_encoded(batch, record, base_timestamp_ms) for record in kept)
    return _assembled(
        batch,
        compress(section, attributes & CODEC_MASK),
        attributes=attributes,
        base_timestamp_ms=base_timestamp_ms,
        max_timestamp_ms=max(record.timestamp_ms for record in kept),
        count=len(kept),
    )


def emptied(batch: Batch) -> Batch:
    """The batch without any record: what remains is whose it was, and its offsets."""
    return _assembled(
        batch,
        b"",
        attributes=batch.attributes & ~(CODEC_MASK | DELETE_HORIZON_BIT),
        base_timestamp_ms=NO_TIMESTAMP,
        max_timestamp_ms=batch.max_timestamp_ms,
        count=0,
    )


def recompress(batch: Batch, codec: int, level: int | None = None) -> None:
    """Put a batch into another codec; raises `RefusalError` (CORRUPT_MESSAGE) if it is none."""
    try:
        section = decompress(bytes(batch.data[HEADER_BYTES:]), batch.attributes & CODEC_MASK)
    except ValueError as error:
        raise RefusalError(ErrorCode.CORRUPT_MESSAGE, f"records that are none: {error}") from error
    made = _assembled(
        batch,
        compress(section, codec, level),
        attributes=batch.attributes & ~CODEC_MASK | codec,
        base_timestamp_ms=batch.base_timestamp_ms,
        max_timestamp_ms=batch.max_timestamp_ms,
        count=batch.count,
    )
    batch.data, batch.attributes = made.data, made.attributes


def _assembled(
    batch: Batch,
    section: bytes,
    *,
    attributes: int,
    base_timestamp_ms: int,
    max_timestamp_ms: int,
    count: int,
) -> Batch:
    body = (
        _AFTER_CRC.pack(
            attributes,
            batch.last_offset - batch.base_offset,
            base_timestamp_ms,
            max_timestamp_ms,
            batch.producer_id,
            batch.producer_epoch,
            batch.base_sequence,
            count,
        )
        + section
    )
    size_bytes = _BEFORE_CRC.size + _CRC.size + len(body) - LENGTH_OFFSET_BYTES
    head = _BEFORE_CRC.pack(batch.base_offset, size_bytes, batch.leader_epoch, MAGIC)
    return Batch(
        head + _CRC.pack(crc32c(body)) + body,
        batch.base_offset,
        batch.last_offset,
        attributes,
        base_timestamp_ms,
        max_timestamp_ms,
        batch.producer_id,
        batch.producer_epoch,
        batch.base_sequence,
        count,
    )


def _encoded(batch: Batch, record: RawRecord, base_timestamp_ms: int) -> bytes:
    content = b"".join(
        (
            bytes((record.attributes,)),
            _varint(record.timestamp_ms - base_timestamp_ms),
            _varint(record.offset - batch.base_offset),
            record.rest,
        )
    )
    return _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """A number as in records: zigzag, seven bits a byte, the lowest first."""
    left = number << 1 if number >= 0 else (-number << 1) - 1
    found = bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where the next byte is; raises `IndexError` at the end of the data."""
    found = shift = 0
    while True:
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (found >> 1) ^ -(found & 1), at
        shift += 7
