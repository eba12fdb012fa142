"""One topic of one station: append, put in order, expire, look at.

Points are columns in arrays with room at the end. A view is a start and an end into arrays whose
filled part never changes again: points come in behind it, and a late point, or a lack of room,
makes new arrays. What the values mean is known in `data_analysis.topics`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from data_analysis.columns import Array, Column, fitting, like
from data_analysis.moments import Moments
from data_analysis.stores import BEFORE_ALL, Outcome, outcomes_of, unknown

SMALLEST_CAPACITY = 16
"""Points that a new window has room for, and the least slack behind a full one."""


class WindowView:
    """The points of a window at one instant, oldest first; nothing changes them any more."""

    __slots__ = ("_columns", "_end", "_start", "count", "newest")

    def __init__(
        self, columns: tuple[Column, ...], start: int, end: int, newest: Sequence[Any]
    ) -> None:
        self._columns = columns
        self._start = start
        self._end = end
        self.count = end - start
        self.newest = newest
        """The values of the newest point, one per column; empty without points."""

    def array(self, column: int) -> Array:
        """Return one column as a read-only array; None is NaN in a column of numbers."""
        shown = self._columns[column].shown
        if shown is None:
            shown = self._columns[column].show()
        return shown[self._start : self._end]

    def values(self, column: int) -> list[Any]:
        """Return one column as a new list of the values that went in."""
        return self._columns[column].values(self._start, self._end)

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the points as tuples in column order, oldest first."""
        if not self._columns:
            return [()] * self.count
        return list(zip(*(self.values(index) for index in range(len(self._columns))), strict=True))


class Window:
    """The newest `size` points of one topic of one station, ordered by time, ties by arrival.

    Args:
        columns: how many values a point has.
        size: how many points are kept.
    """

    __slots__ = (
        "_capacity",
        "_columns",
        "_end",
        "_newest_at",
        "_row",
        "_start",
        "_times",
        "_view",
        "arrived_at",
        "size",
        "width",
    )

    def __init__(self, columns: int, size: int) -> None:
        self.size = size
        self.arrived_at = BEFORE_ALL
        self.width = columns
        self.clear()

    def clear(self) -> None:
        """Forget all points; views keep theirs."""
        self._capacity = 0
        self._columns: tuple[Column, ...] = ()
        self._times = Moments(0)
        self._start = self._end = 0
        self._newest_at = BEFORE_ALL
        self._row: Sequence[Any] = ()
        self._view: WindowView | None = None

    def __len__(self) -> int:
        return self._end - self._start

    def view(self) -> WindowView:
        """Return the points as they are now."""
        if self._view is None:
            self._view = WindowView(self._columns, self._start, self._end, self._row)
        return self._view

    def times(self) -> list[float]:
        """Return the time of each point, oldest first."""
        times: list[float] = self._times.floats(self._start, self._end).tolist()
        return times

    def moments(self) -> Iterable[tuple[float, Sequence[Any]]]:
        """Return the time and the values of every point, oldest first."""
        return zip(self.times(), self.view().rows(), strict=True)

    def add(self, values: Sequence[Any], timestamp: float | None, now: float) -> Outcome:
        """Put a point where its time says.

        Args:
            values: one value per column.
            timestamp: epoch seconds; None appends, whatever the time of the newest point.
            now: the time of arrival, for expiry.
        """
        if timestamp is None:
            timestamp = self._newest_at
        elif timestamp < self._newest_at:
            return next(iter(self.add_all((values,), timestamp, now)))
        elif timestamp == self._newest_at and self._holds(values, timestamp):
            return Outcome.DUPLICATE
        self._append(values, timestamp)
        self.arrived_at = now
        return Outcome.APPENDED

    def add_all(
        self, rows: Sequence[Sequence[Any]], timestamp: float | None, now: float
    ) -> Mapping[Outcome, int]:
        """Put points of one time where it says; see `Store.add_all`."""
        place, new, late = self._end, rows, False
        if timestamp is None:
            timestamp = self._newest_at
        else:
            first, place = self._run(timestamp)
            late = place < self._end
            room = self.size - (self._end - place)
            if not room:
                return {Outcome.TOO_LATE: len(rows)}
            new = unknown(rows, self._rows(first, place), room)
        if new:
            self._merge(new, timestamp, place)
            self.arrived_at = now
        return outcomes_of(len(rows), len(new), late)

    def resized(self, size: int) -> "Window":
        """Return a window of another size with the newest points of this one."""
        other = Window(self.width, size)
        skipped = max(0, len(self) - size)
        other.take(self.view().rows()[skipped:], self.times()[skipped:], self.arrived_at)
        return other

    def changed(self, columns: int, change: Callable[[Sequence[Any]], Sequence[Any]]) -> "Window":
        """Return a window of other columns, with every point as `change` makes it."""
        other = Window(columns, self.size)
        other.take([*map(change, self.view().rows())], self.times(), self.arrived_at)
        return other

    def take(
        self, rows: Sequence[Sequence[Any]], times: Sequence[float], arrived_at: float
    ) -> None:
        """Append points that are not earlier than those here, in their order."""
        done = 0
        while done < len(rows):
            if self._end == self._capacity:
                self._make_room(rows[done])
            taken = done + self._capacity - self._end
            self._times.put_all(self._end, times[done:taken])
            self._append_all(rows[done:taken])
            self._newest_at = times[:taken][-1]
            done = taken
        self.arrived_at = arrived_at

    def _append(self, values: Sequence[Any], timestamp: float) -> None:
        end = self._end
        if end == self._capacity:
            self._make_room(values)
            end = self._end
        for column, value in zip(self._columns, values):  # noqa: B905 - as many, for every record
            if column.takes is float and type(value) is float:
                column.data[end] = value
            elif not column.put(end, value):
                self._refit(self._columns.index(column), end, value)
        self._times.put(end, timestamp)
        self._newest_at = timestamp
        self._row = values
        self._end = end = end + 1
        if end - self._start > self.size:
            self._start = end - self.size
        self._view = None

    def _append_all(self, rows: Sequence[Sequence[Any]]) -> None:
        """Append points whose times are written, for which there is room."""
        for index, values in enumerate(zip(*rows, strict=True)):
            self._write(index, self._end, values)
        self._row = rows[-1]
        self._end += len(rows)
        self._start = max(self._start, self._end - self.size)
        self._view = None

    def _write(self, index: int, place: int, values: Sequence[Any]) -> None:
        """Write values of one column from a place on, whatever kind of column that takes."""
        if not self._columns[index].put_all(place, values):
            for at, value in enumerate(values, place):
                if not self._columns[index].put(at, value):
                    self._refit(index, at, value)

    def _room_for(self, points: int) -> int:
        full = self.size + max(self.size // 8, SMALLEST_CAPACITY)
        return min(full, max(2 * points, SMALLEST_CAPACITY))

    def _make_room(self, values: Sequence[Any]) -> None:
        kept = min(len(self), self.size)
        capacity = self._room_for(kept)
        if not self._capacity:
            self._columns = tuple(fitting(value, (), capacity) for value in values)
        self._rebuild(capacity, self._end - kept, self._end)

    def _rebuild(self, capacity: int, start: int, end: int) -> None:
        """Move the places [start, end) to the front of new arrays."""
        columns = tuple(like(column, capacity) for column in self._columns)
        for new, old in zip(columns, self._columns, strict=True):
            new.copy_from(old, start, end, 0)
        self._times = self._times.moved(start, end, capacity)
        self._columns, self._capacity = columns, capacity
        self._start, self._end = 0, end - start

    def _refit(self, index: int, place: int, value: Any) -> None:
        """Give one column a kind that also takes `value`, which goes to `place`."""
        held = self._columns[index].values(self._start, place)
        # Places before the start may hold anything: no view of the new arrays reaches them.
        columns = list(self._columns)
        columns[index] = fitting(value, [value] * self._start + held, self._capacity)
        self._columns = tuple(columns)

    def _run(self, timestamp: float) -> tuple[int, int]:
        """Return the place of the first point of this time or later, and behind the last of it."""
        return self._times.run(self._start, self._end, timestamp)

    def _holds(self, values: Sequence[Any], timestamp: float) -> bool:
        return any(self._same(values, place) for place in range(*self._run(timestamp)))

    def _rows(self, start: int, end: int) -> list[tuple[Any, ...]]:
        """Return the points in the places [start, end)."""
        return WindowView(self._columns, start, end, ()).rows() if start < end else []

    def _same(self, values: Sequence[Any], place: int) -> bool:
        for column, value in zip(self._columns, values, strict=True):
            held = column.values(place, place + 1)[0]
            if type(held) is not type(value) or held != value:
                return False
        return True

    def _merge(self, rows: Sequence[Sequence[Any]], timestamp: float, place: int) -> None:
        """Put points of one time to `place`, before later ones; the oldest leave."""
        columns, times, end = self._columns, self._times, self._end
        newest, row = self._newest_at, self._row
        room = self.size - (end - place)
        rows = rows[-room:]
        kept = min(place - self._start, room - len(rows))
        if place < end or end + len(rows) > self._capacity:
            if not self._capacity:
                self._columns = tuple(fitting(value, (), 1) for value in rows[0])
            capacity = max(self._capacity, self._room_for(kept + len(rows) + end - place))
            self._rebuild(capacity, place - kept, place)
        self._times.fill(self._end, self._end + len(rows), timestamp)
        self._append_all(rows)
        self._newest_at = timestamp
        if place < end:
            for index, column in enumerate(columns):
                self._extend(index, column, place, end)
            self._times.put_all(self._end, times.floats(place, end))
            self._end += end - place
            self._newest_at, self._row = newest, row

    def _extend(self, index: int, old: Column, start: int, end: int) -> None:
        if self._columns[index].takes is old.takes:
            self._columns[index].copy_from(old, start, end, self._end)
            return
        self._write(index, self._end, old.values(start, end))
