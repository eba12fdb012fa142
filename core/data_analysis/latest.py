"""One topic of one station of which only the newest point counts.

As a window of one point, without room for more. Larger windows are in `data_analysis.windows`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from data_analysis.columns import Array, fitting, fresh, read_only
from data_analysis.stores import BEFORE_ALL, OneByOne, Outcome, same


class LatestView:
    """The newest point."""

    __slots__ = ("_arrays", "count", "newest")

    def __init__(self, newest: Sequence[Any], count: int) -> None:
        self.newest = newest
        self.count = count
        self._arrays: dict[int, Array] = {}

    def array(self, column: int) -> Array:
        """Return one column as a read-only array."""
        if column not in self._arrays:
            self._arrays[column] = self._array(self.newest[column])
        return self._arrays[column]

    def values(self, column: int) -> list[Any]:
        """Return one column as a new list."""
        return [fresh(self.newest[column])]

    def rows(self) -> Sequence[Sequence[Any]]:
        """Return the point as the only one."""
        return [fresh(list(self.newest))] if self.count else []

    def _array(self, value: Any) -> Array:
        return fitting(value, (), 1).show()


class SeriesView(LatestView):
    """A point whose values are whole series."""

    __slots__ = ()

    def values(self, column: int) -> list[Any]:
        """Return one series as a new list."""
        series: list[Any] = fresh(self.newest[column])
        return series

    def _array(self, value: Any) -> Array:
        return read_only(value)


_EMPTY = LatestView((), 0)


class Latest(OneByOne):
    """The newest point by record time, ties by arrival.

    Args:
        shows: the kind of view.
    """

    __slots__ = ("_shows", "_time", "_view", "arrived_at")

    def __init__(self, shows: type[LatestView] = LatestView) -> None:
        self._shows = shows
        self.arrived_at = BEFORE_ALL
        self.clear()

    def clear(self) -> None:
        """Forget the point; views keep theirs."""
        self._time = BEFORE_ALL
        self._view = _EMPTY

    def __len__(self) -> int:
        return self._view.count

    @property
    def time(self) -> float:
        """The time of the point, in epoch seconds."""
        return self._time

    def view(self) -> LatestView:
        """Return the point as it is now."""
        return self._view

    def add(self, values: Sequence[Any], timestamp: float | None, now: float) -> Outcome:
        """Take a point unless a newer one is held; see `Store.add`."""
        held = self._view
        if timestamp is not None and held.count:
            if timestamp < self._time:
                return Outcome.TOO_LATE
            if timestamp == self._time and same(held.newest, values):
                return Outcome.DUPLICATE
        if timestamp is not None:
            self._time = timestamp
        self._view = self._shows(values, 1)
        self.arrived_at = now
        return Outcome.APPENDED

    def moments(self) -> Iterable[tuple[float, Sequence[Any]]]:
        """Return the time and the values of the point, if there is one."""
        return [(self._time, self._view.newest)] if self._view.count else []

    def changed(self, values: Sequence[Any]) -> "Latest":
        """Return a store with other values for the same point."""
        other = Latest(self._shows)
        other._time, other.arrived_at = self._time, self.arrived_at
        other._view = self._shows(values, self._view.count)
        return other
