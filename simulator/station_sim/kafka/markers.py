"""Markers: the control batches that end a transaction in a partition's log.

Here a marker is made as bytes and read again. Layout: KIP-98, ControlRecordType and
EndTransactionMarker in Apache Kafka. When one is written is decided in `transactions.py`.
"""

from struct import Struct

from crc32c import crc32c

from station_sim.kafka.batches import (
    CONTROL_BIT,
    HEADER_BYTES,
    LENGTH_OFFSET_BYTES,
    MAGIC,
    TRANSACTIONAL_BIT,
    Batch,
    parse_batch,
)

COORDINATOR_EPOCH = 0
"""The only epoch of the coordinator there is: its state never moves."""

_ABORT, _COMMIT = 0, 1
_NO_SEQUENCE = -1

_BEFORE_CRC = Struct(">qiib")
_CRC = Struct(">I")
_AFTER_CRC = Struct(">hiqqqhii")
_RECORD = Struct(">bbbbbhhbhib")
_TYPE_AT = HEADER_BYTES + 7
"""Behind the header, five one-byte fields of the record and the version of its key."""


def make_marker(producer_id: int, epoch: int, *, commit: bool, now_ms: int) -> Batch:
    """A marker that ends the producer's transaction, to be appended to a log."""
    size_bytes = _RECORD.size - 1  # of the record, without its length; lengths are zigzag varints
    record = _RECORD.pack(
        size_bytes * 2,
        0,
        0,
        0,
        4 * 2,  # the key: version and type
        0,
        _COMMIT if commit else _ABORT,
        6 * 2,  # the value: version and coordinator epoch
        0,
        COORDINATOR_EPOCH,
        0,
    )
    body = (
        _AFTER_CRC.pack(
            TRANSACTIONAL_BIT | CONTROL_BIT, 0, now_ms, now_ms, producer_id, epoch, _NO_SEQUENCE, 1
        )
        + record
    )
    size_bytes = _BEFORE_CRC.size + _CRC.size + len(body)
    head = _BEFORE_CRC.pack(0, size_bytes - LENGTH_OFFSET_BYTES, 0, MAGIC)
    return parse_batch(head + _CRC.pack(crc32c(body)) + body)


def is_commit(marker: Batch) -> bool:
    """Whether a control batch commits; otherwise it aborts."""
    return int.from_bytes(marker.data[_TYPE_AT : _TYPE_AT + 2]) == _COMMIT
