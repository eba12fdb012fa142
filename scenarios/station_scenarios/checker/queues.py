"""What was sent to one station, per topic, in the order it was sent; and who was called for what.

A `Queue` knows the next record that a service life should hand over. Not here: whether an input
fits a record (`explaining.py`), and what it means if records stay behind (`left_behind.py`).
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from station_scenarios.checker.naive import Row

KEPT_BEHIND = 64
"""Handed and committed parts that stay in memory, to recognise one that comes again."""

PRUNE_BEYOND = 512


class SentRecord(Protocol):
    """A record as the ledger tells it; its offset is None until it is acknowledged."""

    @property
    def topic(self) -> str: ...

    @property
    def wire(self) -> bytes: ...

    @property
    def timestamp_ms(self) -> int: ...

    @property
    def partition(self) -> int | None: ...

    @property
    def offset(self) -> int | None: ...


class Part:
    """One station's share of one record."""

    __slots__ = ("index", "number", "record", "row")

    def __init__(self, number: int, record: SentRecord, row: Row) -> None:
        self.number = number
        self.record = record
        self.row = row
        self.index = -1

    @property
    def topic(self) -> str:
        """The record's topic."""
        return self.record.topic

    @property
    def stamp_ms(self) -> int:
        """The record's timestamp."""
        return self.record.timestamp_ms

    def is_below(self, committed: Mapping[tuple[str, int], int]) -> bool:
        """Whether the record lies below the committed offset of its partition."""
        partition, offset = self.record.partition, self.record.offset
        if partition is None or offset is None:
            return False
        return offset < committed.get((self.topic, partition), 0)


class Queue:
    """The parts of one station and topic in send order, and where the current life stands."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._parts: list[Part] = []
        self._first = 0
        self._next = 0
        self._start = 0
        self.skipped: list[Part] = []
        """Jumped over in this life, not handed over since."""

    def append(self, part: Part) -> None:
        """A record was sent."""
        part.index = self._first + len(self._parts)
        self._parts.append(part)

    def upcoming(self) -> Part | None:
        """The next part to hand over, if it was sent."""
        position = self._next - self._first
        return self._parts[position] if position < len(self._parts) else None

    def outstanding(self) -> Iterator[Part]:
        """The upcoming part and everything sent after it."""
        return iter(self._parts[self._next - self._first :])

    def before_this_life(self) -> Iterator[Part]:
        """Parts that were committed before this life began, newest first."""
        return reversed(self._parts[: max(0, self._start - self._first)])

    def hand(self, part: Part) -> None:
        """`part` was handed over; what it jumped over is skipped, until it comes after all."""
        if part.index >= self._next:
            position = self._next - self._first
            self.skipped += self._parts[position : part.index - self._first]
            self._next = part.index + 1
        elif part in self.skipped:
            self.skipped.remove(part)
        else:
            self._next = self._start = part.index + 1

    def take_silently(self, part: Part) -> None:
        """The upcoming part went into the windows without a callback, and rightly so."""
        self._next = part.index + 1

    def rewind(self, committed: Mapping[tuple[str, int], int]) -> None:
        """A new life begins: it goes on from the committed offsets."""
        self.skipped.clear()
        position = 0
        while position < len(self._parts) and self._parts[position].is_below(committed):
            position += 1
        self._next = self._start = self._first + position

    def prune(self, committed: Mapping[tuple[str, int], int]) -> None:
        """Forget what no life can hand over again, but for the newest `KEPT_BEHIND`."""
        if len(self._parts) < PRUNE_BEYOND:
            return
        position = 0
        last = self._next - self._first - KEPT_BEHIND
        while position < last and self._parts[position].is_below(committed):
            position += 1
        del self._parts[:position]
        self._first += position

    def __iter__(self) -> Iterator[Part]:
        return iter(self._parts)
