"""The naive window: a list of points, kept the slow and obvious way (semantics 6).

Not here: how a window must look in an input (`comparison.py`).
"""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

Row = tuple[object, ...]
"""The values of one point, in the order of the topic plan's fields."""


class Placement(NamedTuple):
    """Where a point went, so that it can be taken back; `position` is None if it was not stored."""

    position: int | None
    at_the_end: bool
    dropped: tuple[int, Row] | None = None


class NaiveWindow:
    """The newest points of one topic of one station, by record timestamp, ties by arrival."""

    def __init__(self, size_points: int) -> None:
        self.size_points = size_points
        self.stamps_ms: list[int] = []
        self.rows: list[Row] = []

    def __len__(self) -> int:
        return len(self.rows)

    def put(self, stamp_ms: int, row: Row) -> Placement:
        """Store a point, unless it is too late or already there; the oldest may fall out."""
        if self._is_too_late(stamp_ms) or self._is_duplicate(stamp_ms, row):
            return Placement(None, at_the_end=False)
        index = bisect_right(self.stamps_ms, stamp_ms)
        at_the_end = index == len(self.rows)
        self.stamps_ms.insert(index, stamp_ms)
        self.rows.insert(index, row)
        if len(self.rows) <= self.size_points:
            return Placement(index, at_the_end)
        return Placement(index - 1, at_the_end, (self.stamps_ms.pop(0), self.rows.pop(0)))

    def take_back(self, placement: Placement) -> None:
        """Undo the newest `put`."""
        index = placement.position
        if index is None:
            return
        if placement.dropped is not None:
            self.stamps_ms.insert(0, placement.dropped[0])
            self.rows.insert(0, placement.dropped[1])
            index += 1
        del self.stamps_ms[index], self.rows[index]

    def _is_too_late(self, stamp_ms: int) -> bool:
        return len(self.rows) >= self.size_points and stamp_ms < self.stamps_ms[0]

    def _is_duplicate(self, stamp_ms: int, row: Row) -> bool:
        if not self.stamps_ms or stamp_ms > self.stamps_ms[-1]:
            return False
        first = bisect_left(self.stamps_ms, stamp_ms)
        return row in self.rows[first : bisect_right(self.stamps_ms, stamp_ms)]
