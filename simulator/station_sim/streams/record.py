"""A record as it goes out: the last form of what the world says. Data only.

Where it goes is `station_sim.outputs`' business, what was done to it on its way stands in `fate`.
"""

from enum import StrEnum
from typing import NamedTuple


class Fate(StrEnum):
    """What the imperfections did to a record; empty where they left it alone."""

    WHOLE = ""
    LOST = "lost"
    LATE = "late"
    VERY_LATE = "very-late"
    SWAPPED = "swapped"
    DUPLICATED = "duplicate"
    MALFORMED = "malformed"
    OUTAGE_LOST = "outage-lost"
    REPLAYED = "replayed"


FATES = tuple(Fate)
"""Fates by the number that arrays of them hold."""


class Record(NamedTuple):
    """A record to send. `due_ms` and `sent_ms` are story milliseconds.

    `key` is the station's id where the record is one station's, else None; `stations` are the ids
    that it speaks of, empty where it is everybody's. `timestamp_ms` is the Kafka record timestamp,
    in epoch milliseconds, by the sender's clock.
    """

    due_ms: int
    sent_ms: int
    topic: str
    key: str | None
    value: bytes
    timestamp_ms: int
    stations: tuple[str, ...]
    fate: str = Fate.WHOLE
