"""Story seconds and the local days they lie in: dates, midnights, the second of the day.

China has had one time without summer time since 1992, so a local day has 86,400 seconds.
"""

from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from station_sim.world.steps import Floats

DAY_S = 86_400.0
MOMENT_S = 0.001  # an instant this close before a boundary is taken as on it


class LocalDays:
    """The days of a story that begins at `start`, numbered from 0, the day of the start."""

    __slots__ = ("_first", "offset_s")

    def __init__(self, start: datetime) -> None:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        self._first = start.date()
        self.offset_s = (start - midnight).total_seconds()
        """Seconds from local midnight to the start."""

    def number(self, at_s: float) -> int:
        """The number of the day that an instant lies in."""
        return int((at_s + self.offset_s) // DAY_S)

    def numbers(self, times_s: Floats) -> npt.NDArray[np.int64]:
        """The numbers of the days that instants lie in."""
        return np.floor_divide(times_s + self.offset_s, DAY_S).astype(np.int64)

    def number_of(self, day: date) -> int:
        """The number of a date."""
        return (day - self._first).days

    def date(self, number: int) -> date:
        """The date of a day."""
        return self._first + timedelta(days=number)

    def begin_s(self, number: int) -> float:
        """The story second of a day's first instant."""
        return number * DAY_S - self.offset_s

    def second(self, at_s: float) -> float:
        """Seconds since local midnight."""
        return (at_s + self.offset_s) % DAY_S

    def seconds(self, times_s: Floats) -> Floats:
        """Seconds since local midnight at instants."""
        return np.mod(times_s + self.offset_s, DAY_S)

    def next_tick_s(self, at_s: float, period_s: float) -> float:
        """The first instant after `at_s` at a whole multiple of `period_s` after midnight.

        It is more than a millisecond away, so that rounding brings nobody to the same one twice.
        """
        return ((at_s + self.offset_s + MOMENT_S) // period_s + 1) * period_s - self.offset_s
