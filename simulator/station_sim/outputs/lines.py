"""Records as JSON lines: one object a record, its value as it is on the wire.

A value that is JSON stands under `value`, any other as base64 under `bytes`. Times are story
milliseconds, `timestamp` is the Kafka record timestamp in epoch milliseconds.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import BinaryIO

import orjson

from station_sim.streams.record import Fate, Record


def line(record: Record) -> bytes:
    """The line of a record, with its end."""
    due_ms, sent_ms, topic, key, value, timestamp_ms, _, fate = record
    if fate is Fate.WHOLE or fate == "":
        return b'{%b,"timestamp":%d,"due":%d,"sent":%d,"value":%b}\n' % (
            _head(topic, key),
            timestamp_ms,
            due_ms,
            sent_ms,
            value,
        )
    return b'{%b,"timestamp":%d,"due":%d,"sent":%d,"fate":"%b",%b}\n' % (
        _head(topic, key),
        timestamp_ms,
        due_ms,
        sent_ms,
        fate.encode(),
        _value(value, fate),
    )


def lines(records: Iterable[Record]) -> Iterator[bytes]:
    """The lines of records."""
    return map(line, records)


class LinesFile:
    """Writes records to an open binary file; `close` leaves the file open where it is stdout."""

    def __init__(self, file: BinaryIO, *, owned: bool = True) -> None:
        self._file = file
        self._owned = owned
        self.bytes_written = 0

    def write(self, records: list[Record]) -> None:
        """Write some records."""
        text = b"".join(map(line, records))
        self._file.write(text)
        self.bytes_written += len(text)

    def close(self) -> None:
        """Everything is on its way to the disk."""
        self._file.flush()
        if self._owned:
            self._file.close()


@lru_cache(maxsize=100_000)
def _head(topic: str, key: str | None) -> bytes:
    return orjson.dumps({"topic": topic, "key": key})[1:-1]


def _value(value: bytes, fate: str) -> bytes:
    if fate == Fate.MALFORMED:
        try:
            orjson.loads(value)
        except orjson.JSONDecodeError:
            return b'"bytes":"' + b64encode(value) + b'"'
    return b'"value":' + value
