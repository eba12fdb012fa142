"""Compact books of parts and callbacks: whom a record was for, what was called, when it returned.

Arrays of numbers, for these are kept to the end of the run, when uploads, commits and records left
behind are judged (`left_behind.py`, `uploads.py`, `commits.py`).
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from station_scenarios.checker.queues import SentRecord

NEVER = inf


@dataclass(slots=True)
class Life:
    """One start to stop of the service under test."""

    number: int
    began_at: Mapping[tuple[str, int], int]
    """Committed offsets by (topic, partition) from which it went on."""
    committed: dict[tuple[str, int], int]
    """The newest committed offsets known."""
    crashed: bool = False
    stations: set[str] = field(default_factory=set)
    """Stations that were called in this life."""


class Parts:
    """Every station's share of every record, by running number."""

    def __init__(self) -> None:
        self.record: list[SentRecord] = []
        self.station: list[str] = []
        self.handed = bytearray()
        self.optional = bytearray()
        """1: nobody has to be called for it."""

    def __len__(self) -> int:
        return len(self.record)

    def added(self, record: SentRecord, station: str, *, optional: bool) -> int:
        """A part was sent; answers its number."""
        self.record.append(record)
        self.station.append(station)
        self.handed.append(0)
        self.optional.append(optional)
        return len(self.record) - 1


class Calls:
    """Callbacks by running number."""

    def __init__(self) -> None:
        self.part = array("q")
        """Number of the part it was for; -1: for nothing that was sent."""
        self.life = array("i")
        self.called_at_s = array("d")
        self.returned_at_s = array("d")
        self.station: list[str] = []

    def __len__(self) -> int:
        return len(self.part)

    def entered(self, part: int, life: int, station: str, at_s: float) -> int:
        """A callback begins; answers its number."""
        self.part.append(part)
        self.life.append(life)
        self.called_at_s.append(at_s)
        self.returned_at_s.append(NEVER)
        self.station.append(station)
        return len(self.part) - 1
