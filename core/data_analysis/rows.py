"""A small window of one topic of one station: its points are kept as the rows that came.

Below a few dozen points that is quicker than columns, and as small; larger windows, and those that
are looked at as arrays, are in `data_analysis.windows`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from data_analysis.columns import CONTAINERS, Array, fitting, fresh
from data_analysis.stores import BEFORE_ALL, Outcome, outcomes_of, same, unknown
from data_analysis.windows import Window

MOST_ROWS = 32
"""Largest window that is kept as rows."""

SLACK_ROWS = 16
"""Rows behind a full window until the old ones are let go."""

Row = Sequence[Any]

_FLAT = frozenset(CONTAINERS).isdisjoint


class RowsView:
    """The points of a window at one instant, oldest first; nothing changes them any more."""

    __slots__ = ("_end", "_nested", "_start", "_stored", "count")

    def __init__(self, stored: list[Row], count: int, nested: bool) -> None:
        end = len(stored)
        self._stored = stored
        self._start = end - count
        self._end = end
        self._nested = nested
        self.count = count

    @property
    def newest(self) -> Row:
        """The values of the newest point, one per column; empty without points."""
        return self._stored[self._end - 1] if self.count else ()

    def shown(self) -> list[Any]:
        """Return the newest point's values, then every column as `values` does."""
        rows = self._stored[self._start : self._end]
        if self._nested:
            rows = [[fresh(value) for value in row] for row in rows]
            newest = [fresh(value) for value in rows[-1]]
            return [*newest, *map(list, zip(*rows))]  # noqa: B905 - rows are of one length
        return [*rows[-1], *map(list, zip(*rows))]  # noqa: B905 - rows are of one length

    @property
    def _rows(self) -> list[Row]:
        return self._stored[self._start : self._end]

    def array(self, column: int) -> Array:
        """Return one column as a read-only array; None is NaN in a column of numbers."""
        *earlier, newest = [row[column] for row in self._rows]
        return fitting(newest, earlier, self.count).show()

    def values(self, column: int) -> list[Any]:
        """Return one column as a new list of the values that went in."""
        values = [row[column] for row in self._rows]
        return [fresh(value) for value in values] if self._nested else values

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the points as tuples in column order, oldest first."""
        return [tuple(fresh(value) for value in row) for row in self._rows]


class RowWindow:
    """The newest `size` points of one topic of one station, ordered by time, ties by arrival.

    Args:
        size: how many points are kept.
    """

    __slots__ = ("_most", "_nested", "_newest_at", "_rows", "_times", "arrived_at", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.arrived_at = BEFORE_ALL
        self._most = size + SLACK_ROWS
        self.clear()

    def clear(self) -> None:
        """Forget all points; views keep theirs."""
        self._rows: list[Row] = []
        self._times: list[float] = []
        self._newest_at = BEFORE_ALL
        self._nested = False

    def __len__(self) -> int:
        return min(len(self._rows), self.size)

    def view(self) -> RowsView:
        """Return the points as they are now."""
        rows, size = self._rows, self.size
        return RowsView(rows, size if len(rows) > size else len(rows), self._nested)

    def times(self) -> list[float]:
        """Return the time of each point, oldest first."""
        return self._times[-self.size :]

    def moments(self) -> Iterable[tuple[float, Row]]:
        """Return the time and the values of every point, oldest first."""
        return zip(self.times(), self.view().rows(), strict=True)

    def add(self, values: Row, timestamp: float | None, now: float) -> Outcome:
        """Put a point where its time says.

        Args:
            values: one value per column; the window keeps this very object.
            timestamp: epoch seconds; None appends, whatever the time of the newest point.
            now: the time of arrival, for expiry.
        """
        if timestamp is None:
            timestamp = self._newest_at
        elif timestamp <= self._newest_at:
            if timestamp < self._newest_at:
                return next(iter(self.add_all((values,), timestamp, now)))
            if self._holds(values, timestamp):
                return Outcome.DUPLICATE
        if len(self._rows) >= self._most:
            self._renew()
        self._rows.append(values)
        self._times.append(timestamp)
        self._newest_at = timestamp
        self.arrived_at = now
        if not _FLAT(map(type, values)):
            self._nested = True
        return Outcome.APPENDED

    def add_all(
        self, rows: Sequence[Row], timestamp: float | None, now: float
    ) -> Mapping[Outcome, int]:
        """Put points of one time where it says; see `Store.add_all`."""
        held, times = self._rows[-self.size :], self.times()
        place, new = len(times), rows
        if timestamp is None:
            timestamp = self._newest_at
        else:
            place = bisect_right(times, timestamp)
            room = self.size - (len(times) - place)
            if not room:
                return {Outcome.TOO_LATE: len(rows)}
            new = unknown(rows, held[bisect_left(times, timestamp) : place], room)
        if new:
            # New lists: views keep the old ones.
            self._rows = [*held[:place], *new, *held[place:]][-self.size :]
            self._times = [*times[:place], *[timestamp] * len(new), *times[place:]][-self.size :]
            self._newest_at = self._times[-1]
            self._nested = self._nested or not _FLAT(map(type, chain.from_iterable(new)))
            self.arrived_at = now
        return outcomes_of(len(rows), len(new), place < len(times))

    @classmethod
    def of(cls, window: Window) -> "RowWindow":
        """Return a window with the points of one that keeps columns."""
        rows = cls(window.size)
        rows._rows, rows._times = list(window.view().rows()), window.times()
        if rows._times:
            rows._newest_at = rows._times[-1]
        rows._nested = not all(_FLAT(map(type, row)) for row in rows._rows)
        rows.arrived_at = window.arrived_at
        return rows

    def in_columns(self, columns: int) -> Window:
        """Return a window with the same points that keeps so many columns."""
        window = Window(columns, self.size)
        window.take(self._rows[-self.size :], self.times(), self.arrived_at)
        return window

    def _renew(self) -> None:
        """Go on with new lists, of the points that count: views keep the old ones."""
        self._rows = self._rows[-self.size :]
        self._times = self._times[-self.size :]

    def _holds(self, values: Row, timestamp: float) -> bool:
        times, rows = self.times(), self._rows[-self.size :]
        first, last = bisect_left(times, timestamp), bisect_right(times, timestamp)
        return any(same(row, values) for row in rows[first:last])
