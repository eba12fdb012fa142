"""What changes linearly between knots: values and integrals in closed form.

What holds still between changes is in `steps`.
"""

import numpy as np

from station_sim.world.steps import SECONDS_PER_HOUR, Floats


class Polyline:
    """Straight lines between knots at ascending instants; level before and behind them."""

    __slots__ = ("_sums", "times_s", "values")

    def __init__(self, times_s: Floats, values: Floats) -> None:
        self.times_s = times_s
        self.values = values
        areas = np.diff(times_s) * (values[1:] + values[:-1]) / 2
        self._sums = np.concatenate(([0.0], np.cumsum(areas)))

    def at(self, times_s: Floats) -> Floats:
        """The values at instants."""
        return np.interp(times_s, self.times_s, self.values)

    def integral(self, times_s: Floats) -> Floats:
        """Value times hours from the first knot to instants between the knots: kW become kWh."""
        places = np.searchsorted(self.times_s, times_s, side="right") - 1
        places = np.clip(places, 0, len(self.times_s) - 2)
        since_s = times_s - self.times_s[places]
        mean = (self.values[places] + self.at(times_s)) / 2
        found: Floats = (self._sums[places] + since_s * mean) / SECONDS_PER_HOUR
        return found

    @property
    def whole(self) -> float:
        """The integral over all knots."""
        return float(self._sums[-1]) / SECONDS_PER_HOUR

    def most(self, begin_s: float, end_s: float) -> float:
        """The highest value in [begin, end]."""
        first = int(np.searchsorted(self.times_s, begin_s))
        behind = int(np.searchsorted(self.times_s, end_s, side="right"))
        ends = self.at(np.array([begin_s, end_s]))
        return float(max(ends.max(), self.values[first:behind].max(initial=-np.inf)))
