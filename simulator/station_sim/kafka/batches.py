"""Record batches (magic 2) as bytes: their headers read, checked, and patched by a broker.

A batch travels through the broker as the bytes the producer made. Lives here: what a broker reads
of a header and writes into it, and a look inside for questions about single records. What is in
order for a log to take is decided in `logs.py`. Layout: KIP-98,
org.apache.kafka.common.record.DefaultRecordBatch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct, pack_into

from crc32c import crc32c

from station_sim.errors import LabError
from station_sim.kafka.decompression import MissingCodecError, decompress
from station_sim.kafka.error_codes import ErrorCode, RefusalError

_HEADER = Struct(">qiibIhiqqqhii")
_FIRST = Struct(">qii")  # base offset, length, leader epoch
_TO_LAST_OFFSET = Struct(">qiibIhi")
HEADER_BYTES = _HEADER.size
LENGTH_OFFSET_BYTES = 12
"""What the length field does not count: base offset and the length itself."""
LEGACY_OVERHEAD_BYTES = 14
"""What a record of any format has at least, behind its length."""
_LEADER_EPOCH_AT, _MAGIC_AT, _CRC_AT, _ATTRIBUTES_AT, _MAX_TIMESTAMP_AT = 12, 16, 17, 21, 35

MAGIC = 2

LOG_APPEND_TIME_BIT, TRANSACTIONAL_BIT, CONTROL_BIT, CODEC_MASK = 0x08, 0x10, 0x20, 0x07
ZSTD = 4
LAST_CODEC = 4
RECORD_BYTES_MIN = 7
"""Length, attributes, two deltas, two sizes and a number of headers, of one byte each."""


@dataclass(slots=True)
class Batch:
    """One batch and what its header says; `data` holds the whole of it. Times are epoch ms."""

    data: bytes
    base_offset: int
    last_offset: int
    attributes: int
    base_timestamp_ms: int
    max_timestamp_ms: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    count: int

    @property
    def last_sequence(self) -> int:
        """Sequence number of the last record; it wraps after 2**31 - 1."""
        last = self.base_sequence + self.last_offset - self.base_offset
        return last if last < 2**31 else last - 2**31

    @property
    def is_transactional(self) -> bool:
        """Whether it belongs to a transaction."""
        return bool(self.attributes & TRANSACTIONAL_BIT)

    @property
    def is_control(self) -> bool:
        """Whether it is a broker's own, such as a transaction's end."""
        return bool(self.attributes & CONTROL_BIT)

    @property
    def timestamp_is_append_time(self) -> bool:
        """Whether the broker's clock stamped the records."""
        return bool(self.attributes & LOG_APPEND_TIME_BIT)

    @property
    def leader_epoch(self) -> int:
        """The leader epoch it was written in, once it lies in a log."""
        return int.from_bytes(self.data[_LEADER_EPOCH_AT:_MAGIC_AT], signed=True)

    def place(
        self, base_offset: int, *, leader_epoch: int = 0, append_time_ms: int | None = None
    ) -> None:
        """Make it the batch that lies in the log: at its offset, in its leader epoch.

        With `append_time_ms` its records take that time, else they keep the producer's. Where that
        changes attributes the CRC is computed anew; it covers neither base offset nor leader epoch.
        """
        data = bytearray(self.data)
        _FIRST.pack_into(data, 0, base_offset, len(data) - LENGTH_OFFSET_BYTES, leader_epoch)
        if append_time_ms is not None:
            self.attributes |= LOG_APPEND_TIME_BIT
            self.max_timestamp_ms = append_time_ms
            self._seal(data)
        elif self.attributes & LOG_APPEND_TIME_BIT:
            self.attributes &= ~LOG_APPEND_TIME_BIT
            self._seal(data)
        self.data = bytes(data)
        self.last_offset += base_offset - self.base_offset
        self.base_offset = base_offset

    def _seal(self, data: bytearray) -> None:
        pack_into(">h", data, _ATTRIBUTES_AT, self.attributes)
        pack_into(">q", data, _MAX_TIMESTAMP_AT, self.max_timestamp_ms)
        pack_into(">I", data, _CRC_AT, crc32c(memoryview(data)[_ATTRIBUTES_AT:]))


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies in a log; `timestamp_ms` is epoch ms."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def end_offset_of(data: bytes) -> int:
    """The offset behind a batch that lies in a log."""
    base_offset, *_, last_delta = _TO_LAST_OFFSET.unpack_from(data)
    return int(base_offset) + int(last_delta) + 1


def parse_batch(data: bytes) -> Batch:
    """Read and check exactly one batch; raises `RefusalError` as `read_batch` and `check_crc`."""
    batch = read_batch(data)
    check_crc(batch)
    return batch


def check_crc(batch: Batch) -> None:
    """Raise `RefusalError` (CORRUPT_MESSAGE) unless the CRC holds."""
    data = batch.data
    crc = int.from_bytes(data[_CRC_AT:_ATTRIBUTES_AT])
    if crc32c(memoryview(data)[_ATTRIBUTES_AT:]) != crc:
        raise RefusalError(ErrorCode.CORRUPT_MESSAGE, f"a batch whose CRC is not {crc}")


def read_batch(data: bytes, *, may_be_zstd: bool = True) -> Batch:
    """Read exactly one batch, whose CRC is not looked at; what is left of another behind it is
    dropped, as by Kafka.

    Raises `RefusalError`: INVALID_RECORD for an older format or another number of batches,
    CORRUPT_MESSAGE for an unknown format or a length that does not hold; before another batch is
    looked for UNSUPPORTED_COMPRESSION_TYPE for zstd where that may not be.
    """
    if len(data) < HEADER_BYTES:
        data = _only_batch(data)
    (base, length, _epoch, magic, _crc, attributes, delta, first, last, pid, epoch, seq, count) = (
        _HEADER.unpack_from(data)
    )
    is_whole = magic == MAGIC and length + LENGTH_OFFSET_BYTES <= len(data)
    if is_whole and not may_be_zstd and attributes & CODEC_MASK == ZSTD:
        raise RefusalError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
    if not is_whole or length + LENGTH_OFFSET_BYTES < len(data):
        data = _only_batch(data)
    return Batch(data, base, base + delta, attributes, first, last, pid, epoch, seq, count)


def _only_batch(data: bytes) -> bytes:
    """The one batch in data that are not exactly one; raises `RefusalError` as `parse_batch`."""
    size = _size_of_first(data)
    if not size:
        raise RefusalError(ErrorCode.INVALID_RECORD, "no record batch")
    if data[_MAGIC_AT] < MAGIC:
        raise RefusalError(
            ErrorCode.INVALID_RECORD, f"record format {data[_MAGIC_AT]}, which Kafka 4 took out"
        )
    if _size_of_first(data[size:]):
        raise RefusalError(ErrorCode.INVALID_RECORD, "more than one record batch")
    if size < HEADER_BYTES:
        raise RefusalError(ErrorCode.CORRUPT_MESSAGE, f"a batch of {size} bytes")
    return data[:size]


def _size_of_first(data: bytes) -> int:
    """The size of the batch that data begin with, 0 if not all of it is there.

    Raises `RefusalError` (CORRUPT_MESSAGE) for what begins like no batch.
    """
    if len(data) <= _MAGIC_AT:
        return 0
    _base, length, _epoch = _FIRST.unpack_from(data)
    if length < LEGACY_OVERHEAD_BYTES:
        raise RefusalError(ErrorCode.CORRUPT_MESSAGE, f"a record batch of length {length}")
    if data[_MAGIC_AT] > MAGIC:
        raise RefusalError(ErrorCode.CORRUPT_MESSAGE, f"record format {data[_MAGIC_AT]}")
    size = int(length) + LENGTH_OFFSET_BYTES
    return size if size <= len(data) else 0


def records_of(batch: Batch) -> Iterator[Record]:
    """The records inside a batch, decompressed.

    Raises `RefusalError` (CORRUPT_MESSAGE) if what the header promises is not there or is more than
    anybody looks into, and `LabError` where the codec is missing.
    """
    # Few brokers ever look inside a batch, and a client's library takes long to import.
    from aiokafka.record.default_records import DefaultRecordBatch

    try:
        for record in DefaultRecordBatch(_uncompressed(batch)):
            yield Record(
                record.offset,
                record.timestamp,
                record.key,
                record.value,
                tuple(record.headers),
            )
    except MissingCodecError as error:
        raise LabError(f"cannot look into a compressed batch: {error}") from error
    except Exception as error:  # each codec and the reader have errors of their own
        raise RefusalError(ErrorCode.CORRUPT_MESSAGE, f"records that are none: {error}") from error


def _uncompressed(batch: Batch) -> bytearray:
    """The batch as it would be without compression, but for its CRC and its length."""
    data = bytearray(batch.data)
    codec = batch.attributes & CODEC_MASK
    if codec:
        data[HEADER_BYTES:] = decompress(codec, batch.data[HEADER_BYTES:])
        pack_into(">h", data, _ATTRIBUTES_AT, batch.attributes & ~CODEC_MASK)
    return data
