"""What makes columns cheap to read as lists and cheap to keep: lists of them, and shared texts.

A list of a column of numbers makes an object per value. Who reads the same window at every record
gets slices of one list that grows with it instead. Both keep a bounded number of things. Threads
may read side by side.
"""

from collections.abc import Callable
from threading import RLock
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")

MOST_VALUES = 8_000_000
"""Numbers that are held as objects; they take about 32 bytes each."""

MOST_TEXTS = 10_000

PATIENCE = 4
"""Reads, per list held, after which one that was not read gives way to another."""


class _Listing:
    __slots__ = ("first", "read", "values")

    def __init__(self, first: int, values: list[Any], read: int) -> None:
        self.first = first
        self.values = values
        self.read = read


class Listings(Generic[Key]):
    """Lists of columns, by column, those that were read last behind the others.

    Args:
        most_values: values held at a time, in all lists.
    """

    def __init__(self, most_values: int = MOST_VALUES) -> None:
        self._most_values = most_values
        self._held: dict[Key, _Listing] = {}
        self._count = 0
        self._reads = 0
        # A column may end, and be dropped, while its thread reads another.
        self._lock = RLock()

    def __len__(self) -> int:
        return self._count

    def read(
        self, key: Key, start: int, end: int, make: Callable[[int, int], list[Any]]
    ) -> list[Any]:
        """Return the values of the places [start, end) as a new list.

        Args:
            key: the column.
            start: first place.
            end: place behind the last.
            make: returns a new list of the values between two places, which never change.
        """
        with self._lock:
            return self._read(key, start, end, make)

    def move(self, old: Key, new: Key, start: int, end: int) -> None:
        """Go on with another column, whose first places are [start, end) of the old one."""
        with self._lock:
            held = self._held.pop(old, None)
            if held is None:
                return
            self._count -= len(held.values)
            low = max(start, held.first)
            values = held.values[low - held.first : max(end - held.first, 0)]
            if values:
                self._held[new] = _Listing(low - start, values, held.read)
                self._count += len(values)

    def drop(self, key: Key) -> None:
        """Forget the list of a column."""
        with self._lock:
            held = self._held.pop(key, None)
            if held is not None:
                self._count -= len(held.values)

    def _read(
        self, key: Key, start: int, end: int, make: Callable[[int, int], list[Any]]
    ) -> list[Any]:
        self._reads += 1
        held = self._held.pop(key, None)
        if held is None:
            values = make(start, end)
            if not self._room_for(len(values)):
                return values
            held = _Listing(start, values, self._reads)
            self._count += len(values)
        self._held[key] = held
        held.read = self._reads
        first = held.first
        if start < first:
            return make(start, end)
        known = first + len(held.values)
        if known < end:
            held.values += make(known, end)
            self._count += end - known
        return held.values[start - first : end - first]

    def _room_for(self, values: int) -> bool:
        """Let lists go that nobody has read for long; return whether that was enough."""
        while self._count + values > self._most_values and self._held:
            oldest = next(iter(self._held))
            if self._reads - self._held[oldest].read <= PATIENCE * len(self._held):
                return False
            self._count -= len(self._held.pop(oldest).values)
        return self._count + values <= self._most_values


class Texts:
    """One object for equal texts that come again and again: words of all stations.

    Args:
        most: texts known at a time; those are forgotten that have not come for longest, half of
            them at once.
    """

    def __init__(self, most: int = MOST_TEXTS) -> None:
        self._half = most // 2
        self._known: dict[str, str] = {}
        self._before: dict[str, str] = {}

    def shared(self, text: str) -> str:
        """Return an equal text, the same object for equal ones."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= self._half:
                self._before, self._known = self._known, {}
            known = self._known[text] = self._before.get(text, text)
        return known
