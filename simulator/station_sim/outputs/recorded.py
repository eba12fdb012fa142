"""Recorded records, read again: JSON lines or Parquet, our own files or a user's.

A record needs a topic, and a value; what else is missing is taken from what is there: a time of
sending from the Kafka timestamp, a key from the value's `stationId`. A line that cannot be read is
counted and told with its place, and never stops the rest.
"""

import logging
from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path
from typing import Any

import orjson

from station_sim.errors import LabError
from station_sim.outputs.output import LINES_SUFFIXES
from station_sim.streams.topics.registry import CADENCES

log = logging.getLogger(__name__)

PLACES_KEPT = 10
ROWS_PER_BATCH = 5_000
TIME_NAMES = ("timestamp", "timestamp_ms")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record as it stood in a file; `at_ms` is its time of sending in epoch milliseconds."""

    at_ms: int
    topic: str
    key: str | None
    value: bytes
    timestamp_ms: int


@dataclass
class BadLines:
    """What could not be read: how many, and the first places with reasons."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str, reason: object) -> None:
        """One more."""
        self.count += 1
        log.warning("%s: %s", place, reason)
        if len(self.places) < PLACES_KEPT:
            self.places.append(f"{place}: {reason}")


def read(paths: Iterable[Path], bad: BadLines, topics: Collection[str] = ()) -> Iterator[Recorded]:
    """The records of files and folders, by time of sending; each file's own order is kept.

    `topics` chooses some. Raises `LabError` for a path that is not there or of no known kind.
    """
    files = [file for path in paths for file in files_of(path)]
    chosen = [_in_order(_of_topics(_rows(file, bad, topics), topics)) for file in files]
    return merge(*chosen, key=_at_ms)


def files_of(path: Path) -> list[Path]:
    """The files that a path means: itself, or those of a folder, its `records` first."""
    if path.is_dir():
        inside = path / "records" if (path / "records").is_dir() else path
        found = sorted(
            each for each in inside.iterdir() if each.suffix in (*LINES_SUFFIXES, ".parquet")
        )
        if not found:
            raise LabError(f"{path} holds no .jsonl and no .parquet files")
        return found
    if not path.exists():
        raise LabError(f"{path} is not there")
    if path.suffix not in (*LINES_SUFFIXES, ".parquet"):
        raise LabError(f"{path} is neither .jsonl nor .parquet")
    return [path]


def _rows(file: Path, bad: BadLines, topics: Collection[str]) -> Iterator[Recorded]:
    return _parquet(file, bad, topics) if file.suffix == ".parquet" else _lines(file, bad)


def _of_topics(rows: Iterator[Recorded], topics: Collection[str]) -> Iterator[Recorded]:
    return (row for row in rows if row.topic in topics) if topics else rows


def _lines(file: Path, bad: BadLines) -> Iterator[Recorded]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
                if not isinstance(row, dict):
                    raise ValueError(f"is a {type(row).__name__}, not an object")
                yield _recorded(row)
            except (ValueError, TypeError, KeyError) as error:
                bad.add(f"{file}:{number}", _reason(error))


def _parquet(file: Path, bad: BadLines, topics: Collection[str]) -> Iterator[Recorded]:
    """Rows of a file; one that bears the name of a topic that is not wanted is not read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if topics and file.stem in CADENCES and file.stem not in topics:
        return
    try:
        source = pq.ParquetFile(file)
    except (OSError, pa.ArrowException) as error:
        raise LabError(f"{file} is no Parquet file: {error}") from error
    with source:
        number = 0
        for batch in source.iter_batches(batch_size=ROWS_PER_BATCH):
            for row in batch.to_pylist():
                number += 1
                row.setdefault("topic", file.stem)
                try:
                    yield _recorded(row)
                except (ValueError, TypeError, KeyError) as error:
                    bad.add(f"{file} row {number}", _reason(error))


def _recorded(row: Mapping[str, Any]) -> Recorded:
    """A row of either kind; raises `ValueError` or `KeyError` for what is not there."""
    topic = row["topic"]
    if not isinstance(topic, str) or not topic:
        raise ValueError(f"topic must be a text, got {topic!r}")
    value = _value(row)
    timestamp_ms = _whole(row, TIME_NAMES)
    due_ms, sent_ms = _whole(row, ("due", "due_ms")), _whole(row, ("sent", "sent_ms"))
    if timestamp_ms is None:
        timestamp_ms = sent_ms if sent_ms is not None else due_ms if due_ms is not None else 0
    delay_ms = sent_ms - due_ms if sent_ms is not None and due_ms is not None else 0
    key = row.get("key")
    if key is None and "key" not in row:
        key = _station(value)
    if key is not None and not isinstance(key, str):
        raise ValueError(f"key must be a text, got {key!r}")
    return Recorded(timestamp_ms + delay_ms, topic, key, value, timestamp_ms)


def _value(row: Mapping[str, Any]) -> bytes:
    if row.get("bytes") is not None:
        return b64decode(row["bytes"], validate=True)
    value = row["value"]
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        # Rows of Parquet, and lines of other tools, have the JSON as text.
        return value.encode()
    return orjson.dumps(value)


def _whole(row: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        value = row.get(name)
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{name} must be a number, got {value!r}")
            return round(value)
    return None


def _station(value: bytes) -> str | None:
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    station = found.get("stationId") if isinstance(found, dict) else None
    return station if isinstance(station, str) else None


def _in_order(rows: Iterator[Recorded]) -> Iterator[Recorded]:
    """Times never go back within a file: what stands later was sent later."""
    newest = None
    for row in rows:
        if newest is None or row.at_ms >= newest:
            newest = row.at_ms
            yield row
        else:
            yield Recorded(newest, row.topic, row.key, row.value, row.timestamp_ms)


def _at_ms(row: Recorded) -> int:
    return row.at_ms


def _reason(error: Exception) -> str:
    return f"has no {error}" if isinstance(error, KeyError) else str(error)
