"""A small window of one topic of one station: all values in one list, point after point.

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
from data_analysis.listings import Texts
from data_analysis.stores import BEFORE_ALL, Outcome, outcomes_of, same, unknown
from data_analysis.windows import Window

LARGEST_SIZE = 32
"""Largest window that is kept so."""

SLACK = 4
"""A quarter more points than are kept are held until these are let go. A list that loses more than
half of what it holds gives room back, to ask for it again at once."""

_shared = Texts().shared

Row = Sequence[Any]

is_flat = frozenset(CONTAINERS).isdisjoint
"""Whether these types are all of values that hold no others."""


class Layout:
    """Where the values of windows of so many columns and points are in their list.

    A point has `width` values, and so many points fit. `places` has the place of each. `shown` has,
    for every end of a full window, the function from the list to what `FlatView.shown` returns: one
    call for all.
    """

    __slots__ = ("places", "points", "shown", "size", "width")

    def __init__(self, columns: int, size: int) -> None:
        self.width = columns
        self.size = size
        self.points = size + max(1, size // SLACK)
        self.places = [slice(at * columns, (at + 1) * columns) for at in range(self.points)]
        self.shown = [self._shown(end) for end in range(self.points + 1)]

    def _shown(self, end: int) -> Callable[[list[Any]], Sequence[Any]]:
        if end < self.size or not self.width:
            return lambda flat: ()
        width, columns = self.width, range(self.width)
        newest = [(end - 1) * width + column for column in columns]
        first, behind = (end - self.size) * width, end * width
        series = [slice(first + column, behind, width) for column in columns]
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
        return self._flat[self._layout.places[self._end - 1]] if self.count else ()

    def shown(self) -> Sequence[Any]:
        """Return the newest point's values, then every column as `values` does."""
        if self.count == self._layout.size and not self._nested:
            return self._layout.shown[self._end](self._flat)
        return [*map(fresh, self.newest), *map(self.values, range(self._layout.width))]

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
        columns = [*map(self.values, range(self._layout.width))]
        return [*zip(*columns, strict=True)] if columns else [()] * self.count

    def _held(self, column: int) -> list[Any]:
        width, end = self._layout.width, self._end
        return self._flat[(end - self.count) * width + column : end * width : width]


class FlatWindow(FlatView):
    """The newest `size` points of one topic of one station, ordered by time, ties by arrival.

    For whoever looks before the next point comes, it is its own view.

    Args:
        columns: how many values a point has.
        size: how many points are kept.
        times_at: number of the column with local times, of which many windows have the same.
    """

    __slots__ = ("_places", "_times", "_times_at", "_viewed", "arrived_at", "newest_at", "size")

    def __init__(self, columns: int, size: int, times_at: int | None = None) -> None:
        super().__init__(layout_of(columns, size), [], 0, 0, nested=False)
        self.size = size
        self.arrived_at = BEFORE_ALL
        self._places = self._layout.places
        self._times_at = None if times_at is None else times_at - columns
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
        if end == len(self._places):
            end = self._renew()
        # Behind the end of every view: theirs never changes.
        self._flat.extend(values)
        at = self._times_at
        if at is not None:
            text = values[at]
            if type(text) is str:
                # One object for all of them: each that is not touched leaves the caches to others.
                self._flat[at] = _shared(text)
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
    def of(cls, window: Window, times_at: int | None = None) -> "FlatWindow":
        """Return a window with the points of one that keeps columns."""
        flat = cls(window.width, window.size, times_at)
        rows = window.view().rows()
        flat._hold(rows, window.times())
        flat._nested = not all(is_flat(map(type, row)) for row in rows)
        flat.arrived_at = window.arrived_at
        return flat

    def in_columns(self) -> Window:
        """Return a window with the same points that keeps columns."""
        window = Window(self._layout.width, self.size)
        window.take(self._rows(0), self.times(), self.arrived_at)
        return window

    def _hold(self, rows: Sequence[Row], times: Sequence[float]) -> None:
        """Have the newest of these points, in new lists: views keep the old ones."""
        kept = rows[-self.size :]
        self._flat: list[Any] = [*chain.from_iterable(kept)]
        self._viewed = False
        self._times: list[float] = [*times[-self.size :]]
        self.newest_at = self._times[-1] if self._times else BEFORE_ALL
        self._end = self.count = len(kept)

    def _renew(self) -> int:
        """Let the oldest points go, from a new list if there are views of the old one.

        A new one would have all that is in it looked at by the garbage collector, twice.
        """
        behind = (self._end - self.count) * self._layout.width
        if self._viewed:
            self._flat = self._flat[behind:]
            self._viewed = False
        else:
            del self._flat[:behind]
        del self._times[: self._end - self.count]
        self._end = self.count
        return self.count

    def _rows(self, first: int, last: int | None = None) -> list[tuple[Any, ...]]:
        """Return the points [first, last), counted from the oldest one, as they are kept."""
        last = self.count if last is None else last
        oldest = self._end - self.count
        return [tuple(self._flat[at]) for at in self._places[oldest + first : oldest + last]]

    def _holds(self, values: Row, timestamp: float) -> bool:
        times = self.times()
        first, last = bisect_left(times, timestamp), bisect_right(times, timestamp)
        return any(same(row, values) for row in self._rows(first, last))
