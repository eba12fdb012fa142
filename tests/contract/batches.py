"""Record batches made and read by hand, so that a case may send what no client would."""

import struct
from collections.abc import Sequence

from crc32c import crc32c
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder

CRC_AT = 17  # byte position of the checksum in a batch of format 2
LENGTH_AT = 8
BYTES_BEFORE_LENGTH_COUNTS = 12

TimedValue = tuple[int, bytes]


def batch(
    *values: bytes | TimedValue,
    producer_id: int = -1,
    epoch: int = -1,
    sequence: int = -1,
    transactional: bool = False,
    at_ms: int = 1_700_000_000_000,
) -> bytes:
    """One uncompressed batch; a value is bytes, or `(timestamp_ms, bytes)`; without, it is stamped
    `at_ms`.
    """
    builder = MemoryRecordsBuilder(
        magic=2,
        compression_type=0,
        batch_size=1 << 24,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
        transactional=transactional,
    )
    for value in values:
        stamp, content = value if isinstance(value, tuple) else (at_ms, value)
        builder.append(stamp, None, content)
    builder.close()
    return bytes(builder.buffer())


def with_wrong_checksum(made: bytes) -> bytes:
    """The same batch with one bit of its checksum flipped."""
    return made[:CRC_AT] + bytes([made[CRC_AT] ^ 1]) + made[CRC_AT + 1 :]


def put(made: bytes, at: int, content: bytes) -> bytes:
    """The same batch with other bytes at a position."""
    return made[:at] + content + made[at + len(content) :]


def with_checksum(made: bytes) -> bytes:
    """The same batch with the checksum that its bytes have."""
    return put(made, CRC_AT, struct.pack(">I", crc32c(made[CRC_AT + 4 :])))


def base_offsets(fetched: bytes | None) -> list[int]:
    """The base offset of every whole batch in what a fetch returned."""
    return [base for base, _ in _whole_batches(fetched or b"")]


def values(fetched: bytes | None) -> list[bytes]:
    """The values of every record of every whole batch in what a fetch returned."""
    return [record.value for record in records(fetched)]


def records(fetched: bytes | None) -> Sequence:  # type: ignore[type-arg]  # untyped in the codec
    """Every record of every whole batch, as the codec's own record objects."""
    return [record for made in MemoryRecords(fetched or b"") for record in made]


def _whole_batches(fetched: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at + BYTES_BEFORE_LENGTH_COUNTS <= len(fetched):
        base, length = struct.unpack_from(">qi", fetched, at)
        end = at + BYTES_BEFORE_LENGTH_COUNTS + length
        if end > len(fetched):
            break
        found.append((base, fetched[at:end]))
        at = end
    return found
