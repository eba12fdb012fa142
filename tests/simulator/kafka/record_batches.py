"""Record batches as bytes, made by kafka-python's builder, for tests of logs and requests."""

import struct

from crc32c import crc32c
from kafka.record.default_records import DefaultRecordBatchBuilder

NOW_MS = 1_772_294_400_000
"""A fixed now for tests without a loop."""


def make_batch(
    count: int = 1,
    *,
    timestamp_ms: int = NOW_MS,
    step_ms: int = 1,
    key: bytes | None = None,
    value: bytes = b"value",
    compression: int = 0,
    producer_id: int = -1,
    epoch: int = -1,
    sequence: int = -1,
) -> bytes:
    """A batch of `count` records, `step_ms` apart."""
    builder = DefaultRecordBatchBuilder(
        2, compression, False, producer_id, epoch, sequence, 1 << 30
    )
    for index in range(count):
        builder.append(index, timestamp_ms + index * step_ms, key, value, [])
    return bytes(builder.build())


def patched(batch: bytes, form: str, at: int, value: int) -> bytes:
    """The batch with one header field changed and its CRC made right again."""
    data = bytearray(batch)
    struct.pack_into(form, data, at, value)
    struct.pack_into(">I", data, 17, crc32c(bytes(data[21:])))
    return bytes(data)
