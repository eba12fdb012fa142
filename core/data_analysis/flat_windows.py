"""A small window of one topic of one station: all values in one list, column after column.

Below a few dozen points that is quicker than arrays, and as small; larger windows, and those that
are looked at as arrays, are in `data_analysis.windows`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from data_analysis.columns import CONTAINERS, Array, fitting, fresh
from data_analysis.stores import BEFORE_ALL, Outcome, outcomes_of, same, unknown
from data_analysis.windows import Window

LARGEST_SIZE = 32
"""Largest window that is kept so."""

SLACK_POINTS = 16
"""Places behind a full window until the newest points are moved to the front of a new list."""

Row = Sequence[Any]

is_flat = frozenset(CONTAINERS).isdisjoint
"""Whether these types are all of values that hold no others."""


class Layout:
    """Where the values of windows of so many columns and points are in their list.

    A column has `stride` places, and begins at one of `starts`. `shown` has, for every end of a
    full window, the function from the list to what `FlatView.shown` returns: one call for all.
    """

    __slots__ = ("shown", "size", "starts", "stride")

    def __init__(self, columns: int, size: int) -> None:
        self.size = size
        self.stride = size + SLACK_POINTS
        self.starts = range(0, columns * self.stride, self.stride)
        self.shown = [self._shown(end) for end in range(self.stride + 1)]

    def _shown(self, end: int) -> Callable[[list[Any]], Sequence[Any]]:
        if end < self.size or not self.starts:
            return lambda flat: ()
        newest = [start + end - 1 for start in self.starts]
        series = [slice(start + end - self.size, start + end) for start in self.starts]
        return itemgetter(*newest, *series)


@lru_cache(maxsize=256)
def layout_of(columns: int, size: int) -> Layout:
    """Return the layout that all such windows share."""
    return Layout(columns, size)


class FlatView:
    """The points of a window at one instant, oldest first; nothing changes them any more."""

    __slots__ = ("_end", "_flat", "_layout", "_nested", "count")

    def __init__(self, layout: Layout, flat: list[Any], end: int, count: int, nested: bool) -> None:
        self._layout = layout
        self._flat = flat
        self._end = end
        self._nested = nested
        self.count = count

    @property
    def newest(self) -> Row:
        """The values of the newest point, one per column; empty without points."""
        return self._flat[self._end - 1 :: self._layout.stride] if self.count else ()

    def shown(self) -> Sequence[Any]:
        """Return the newest point's values, then every column as `values` does."""
        if self.count == self._layout.size and not self._nested:
            return self._layout.shown[self._end](self._flat)
        return [*map(fresh, self.newest), *map(self.values, range(len(self._layout.starts)))]

    def array(self, column: int) -> Array:
        """Return one column as a read-only array; None is NaN in a column of numbers."""
        *earlier, newest = self._held(column)
        return fitting(newest, earlier, self.count).show()

    def values(self, column: int) -> list[Any]:
        """Return one column as a new list of the values that went in."""
        values = self._held(column)
        return [*map(fresh, values)] if self._nested else values

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the points as tuples in column order, oldest first."""
        columns = [*map(self.values, range(len(self._layout.starts)))]
        return [*zip(*columns, strict=True)] if columns else [()] * self.count

    def _held(self, column: int) -> list[Any]:
        end = self._layout.starts[column] + self._end
        return self._flat[end - self.count : end]


class FlatWindow(FlatView):
    """The newest `size` points of one topic of one station, ordered by time, ties by arrival.

    For whoever looks before the next point comes, it is its own view.

    Args:
        columns: how many values a point has.
        size: how many points are kept.
    """

    __slots__ = ("_stride", "_times", "_viewed", "arrived_at", "newest_at", "size")

    def __init__(self, columns: int, size: int) -> None:
        super().__init__(layout_of(columns, size), [], 0, 0, nested=False)
        self.size = size
        self.arrived_at = BEFORE_ALL
        self._stride = self._layout.stride
        self.clear()

    def clear(self) -> None:
        """Forget all points; views keep theirs."""
        self._hold((), ())
        self._nested = False

    def __len__(self) -> int:
        return self.count

    def view(self) -> FlatView:
        """Return the points as they are now."""
        self._viewed = True
        return FlatView(self._layout, self._flat, self._end, self.count, self._nested)

    def times(self) -> list[float]:
        """Return the time of each point, oldest first."""
        return self._times[self._end - self.count :]

    def moments(self) -> Iterable[tuple[float, Row]]:
        """Return the time and the values of every point, oldest first."""
        return zip(self.times(), self.view().rows(), strict=True)

    def add(self, values: Row, timestamp: float | None, now: float) -> Outcome:
        """Put a point where its time says.

        Args:
            values: one value per column.
            timestamp: epoch seconds; None appends, whatever the time of the newest point.
            now: the time of arrival, for expiry.
        """
        if timestamp is None:
            timestamp = self.newest_at
        elif timestamp <= self.newest_at:
            if timestamp < self.newest_at:
                return next(iter(self.add_all((values,), timestamp, now)))
            if self._holds(values, timestamp):
                return Outcome.DUPLICATE
        self.append(values, timestamp, now)
        if not is_flat(map(type, values)):
            self._nested = True
        return Outcome.APPENDED

    def append(self, values: Row, timestamp: float, now: float) -> None:
        """Put a flat point behind all others; its time is not before the newest one's."""
        end = self._end
        if end == self._stride:
            end = self._renew()
        # Behind the end of every view: theirs never changes.
        self._flat[end :: self._stride] = values
        self._times.append(timestamp)
        self.newest_at = timestamp
        self._end = end + 1
        if self.count < self.size:
            self.count += 1
        self.arrived_at = now

    def add_all(
        self, rows: Sequence[Row], timestamp: float | None, now: float
    ) -> Mapping[Outcome, int]:
        """Put points of one time where it says; see `Store.add_all`."""
        times = self.times()
        place, new = len(times), rows
        if timestamp is None:
            timestamp = self.newest_at
        else:
            place = bisect_right(times, timestamp)
            room = self.size - (len(times) - place)
            if not room:
                return {Outcome.TOO_LATE: len(rows)}
            new = unknown(rows, self._rows(bisect_left(times, timestamp), place), room)
        if new:
            held = self._rows(0)
            self._hold(
                [*held[:place], *new, *held[place:]],
                [*times[:place], *[timestamp] * len(new), *times[place:]],
            )
            self._nested = self._nested or not is_flat(map(type, chain.from_iterable(new)))
            self.arrived_at = now
        return outcomes_of(len(rows), len(new), place < len(times))

    @classmethod
    def of(cls, window: Window) -> "FlatWindow":
        """Return a window with the points of one that keeps columns."""
        flat = cls(window.width, window.size)
        rows = window.view().rows()
        flat._hold(rows, window.times())
        flat._nested = not all(is_flat(map(type, row)) for row in rows)
        flat.arrived_at = window.arrived_at
        return flat

    def in_columns(self) -> Window:
        """Return a window with the same points that keeps columns."""
        window = Window(len(self._layout.starts), self.size)
        window.take(self._rows(0), self.times(), self.arrived_at)
        return window

    def _hold(self, rows: Sequence[Row], times: Sequence[float]) -> None:
        """Have the newest of these points, in new lists: views keep the old ones."""
        kept, stride = rows[-self.size :], self._stride
        self._flat: list[Any] = [None] * (len(self._layout.starts) * stride)
        for start, values in zip(self._layout.starts, zip(*kept, strict=True), strict=False):
            self._flat[start : start + len(kept)] = values
        self._viewed = False
        self._times: list[float] = [*times[-self.size :]]
        self.newest_at = self._times[-1] if self._times else BEFORE_ALL
        self._end = self.count = len(kept)

    def _renew(self) -> int:
        """Move the points that count to the front, of new lists if there are views of the old ones.

        New ones would have all that is in them looked at by the garbage collector, twice.
        """
        flat, end, count = self._flat, self._end, self.count
        if self._viewed:
            self._flat = [None] * len(flat)
            self._viewed = False
        for start in self._layout.starts:
            self._flat[start : start + count] = flat[start + end - count : start + end]
        self._times = self.times()
        self._end = count
        return count

    def _rows(self, first: int, last: int | None = None) -> list[tuple[Any, ...]]:
        """Return the points [first, last), counted from the oldest one, as they are kept."""
        last = self.count if last is None else last
        if not self._layout.starts:
            return [()] * (last - first)
        oldest = self._end - self.count
        flat, starts = self._flat, self._layout.starts
        columns = [flat[start + oldest + first : start + oldest + last] for start in starts]
        return [*zip(*columns, strict=True)]

    def _holds(self, values: Row, timestamp: float) -> bool:
        times = self.times()
        first, last = bisect_left(times, timestamp), bisect_right(times, timestamp)
        return any(same(row, values) for row in self._rows(first, last))
