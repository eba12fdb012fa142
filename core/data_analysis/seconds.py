"""One topic of one station that is gathered by the second of its record time.

Several records make one point: those of one second. The newest second is complete once a later one
has begun, or when nothing has come for it for `QUIET_SECONDS`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from math import floor
from typing import Any

from data_analysis.columns import Array, fresh, objects
from data_analysis.stores import BEFORE_ALL, OneByOne, Outcome, same

QUIET_SECONDS = 2.0
"""Silence after which the newest second is taken as complete."""

LARGEST_SECOND_RECORDS = 1_000
"""Records kept of one second, the newest; a bound for senders whose time stands still."""

_Moment = tuple[float, Any]


class SecondsView:
    """The seconds at one instant, oldest first; the newest complete one stands for the newest."""

    __slots__ = ("_seconds", "count", "newest")

    def __init__(self, seconds: Sequence[list[_Moment]], complete: int | None) -> None:
        self._seconds = seconds
        self.count = len(seconds)
        self.newest: Sequence[Any] = (
            () if complete is None else ([value for _, value in seconds[complete]],)
        )

    def array(self, column: int) -> Array:
        """Return the records of each second as an array of lists."""
        return objects(self.values(column))

    def values(self, column: int) -> list[Any]:
        """Return the records of each second as a list of lists."""
        return [[fresh(value) for _, value in second] for second in self._seconds]

    def rows(self) -> Sequence[Sequence[Any]]:
        """Return one row per second: the list of its records."""
        return [(second,) for second in self.values(0)]


class Seconds(OneByOne):
    """The newest `size` seconds that have records, each in the order of time, ties by arrival."""

    __slots__ = ("_numbers", "_quiet", "_seconds", "_view", "arrived_at", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.arrived_at = BEFORE_ALL
        self.clear()

    def clear(self) -> None:
        """Forget everything; views keep theirs."""
        self._numbers: list[int] = []
        self._seconds: list[list[_Moment]] = []
        self._quiet = False
        self._view: SecondsView | None = None

    def __len__(self) -> int:
        return len(self._seconds)

    def settle(self, now: float, limit_s: float) -> None:
        """Let time pass: the newest second may be complete. Expiry is by the newest arrival."""
        quiet = now - self.arrived_at >= QUIET_SECONDS
        if quiet is not self._quiet:
            self._quiet = quiet
            self._view = None

    def view(self) -> SecondsView:
        """Return the seconds as they are now."""
        if self._view is None:
            count = len(self._seconds)
            complete = count - 1 if self._quiet or count == 1 else count - 2
            self._view = SecondsView(tuple(self._seconds), complete if count else None)
        return self._view

    def add(self, values: Sequence[Any], timestamp: float | None, now: float) -> Outcome:
        """Take a record, a row of one value; without a time, it comes at the end."""
        if timestamp is None:
            timestamp = max(now, self._seconds[-1][-1][0]) if self._seconds else now
        number = floor(timestamp)
        place = bisect_right(self._numbers, number)
        if place and self._numbers[place - 1] == number:
            outcome = self._join(place - 1, timestamp, values[0])
        elif place == 0 and len(self._numbers) == self.size:
            return Outcome.TOO_LATE
        else:
            outcome = Outcome.INSERTED if place < len(self._numbers) else Outcome.APPENDED
            self._numbers.insert(place, number)
            self._seconds.insert(place, [(timestamp, values[0])])
            if len(self._numbers) > self.size:
                del self._numbers[0], self._seconds[0]
        if outcome is not Outcome.DUPLICATE:
            self.arrived_at = now
            self._quiet = False
            self._view = None
        return outcome

    def times(self) -> list[int]:
        """Return the seconds that there are, oldest first."""
        return self._numbers

    def moments(self) -> Iterable[tuple[float, Sequence[Any]]]:
        """Return the time and the values of every record, oldest first."""
        return [(time, (value,)) for second in self._seconds for time, value in second]

    def changed(self, size: int, change: Callable[[Any], Any]) -> "Seconds":
        """Return a store of another size, with every record as `change` makes it."""
        other = Seconds(size)
        other.arrived_at = self.arrived_at
        other._numbers = self._numbers[-size:]
        other._seconds = [
            [(time, change(value)) for time, value in second] for second in self._seconds[-size:]
        ]
        return other

    def _join(self, place: int, timestamp: float, value: Any) -> Outcome:
        second = self._seconds[place]
        first = bisect_left(second, timestamp, key=_time)
        last = bisect_right(second, timestamp, key=_time)
        if any(same((held,), (value,)) for _, held in second[first:last]):
            return Outcome.DUPLICATE
        newest = place == len(self._seconds) - 1 and last == len(second)
        # A new list, for views hold the old one.
        second = [*second[:last], (timestamp, value), *second[last:]]
        self._seconds[place] = second[-LARGEST_SECOND_RECORDS:]
        return Outcome.APPENDED if newest else Outcome.INSERTED


def _time(moment: _Moment) -> float:
    return moment[0]
