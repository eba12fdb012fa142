"""What a station needs beside its chargers: light, cooling, and its guns' standby.

Every day has the same course, linear between its knots, so that values and energies are closed
forms of the instant.
"""

import numpy as np

from station_sim.world.local_days import DAY_S, LocalDays
from station_sim.world.polyline import Polyline
from station_sim.world.random_streams import random_stream
from station_sim.world.steps import Floats

# Estimates: light, cooling and control of a station, and a gun's own.
DAY_KW, NIGHT_KW = (1.0, 3.0), (2.0, 4.0)
GUN_STANDBY_KW = (0.030, 0.060)
COURSE_HOURS = (0.0, 6.0, 7.0, 18.0, 19.0, 24.0)  # night to 6, day from 7 to 18, night from 19


class Auxiliaries:
    """One station's auxiliary load, in kW AC."""

    def __init__(self, seed: int, entity: str, guns: int, days: LocalDays) -> None:
        rng = random_stream(seed, entity, "auxiliaries")
        day_kw, night_kw = rng.uniform(*DAY_KW), rng.uniform(*NIGHT_KW)
        standby_kw = guns * rng.uniform(*GUN_STANDBY_KW)
        course = np.array([night_kw, night_kw, day_kw, day_kw, night_kw, night_kw]) + standby_kw
        self._course = Polyline(np.array(COURSE_HOURS) * 3600, course)
        self._days = days
        self.least_kw = float(course.min())
        self.most_kw = float(course.max())

    def kw(self, times_s: Floats) -> Floats:
        """Load at instants."""
        return self._course.at(self._days.seconds(times_s))

    def kwh(self, times_s: Floats) -> Floats:
        """Energy from the story's start to instants."""
        start = self._since_midnight(np.array([0.0]))
        return self._since_midnight(times_s) - start

    def _since_midnight(self, times_s: Floats) -> Floats:
        """Energy since the local midnight before the story's start."""
        seconds = times_s + self._days.offset_s
        whole, rest = np.divmod(seconds, DAY_S)
        found: Floats = whole * self._course.whole + self._course.integral(rest)
        return found
