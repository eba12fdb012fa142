"""What holds still between two events: a value from an instant on, until the next one.

Closed forms for samples and integrals, so that no event is spent on either. What the values mean is
known to whoever keeps them.
"""

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SECONDS_PER_HOUR = 3600.0


class Steps:
    """A piecewise constant series, appended to in the order of time.

    Before its first instant it has its first value. `value(s)` holds for s in [t, next t).
    """

    __slots__ = ("_times_s", "_values")

    def __init__(self, value: float, at_s: float = 0.0) -> None:
        self._times_s = [at_s]
        self._values = [value]

    @property
    def last(self) -> float:
        """The newest value, which holds on."""
        return self._values[-1]

    def set(self, value: float, at_s: float) -> None:
        """Have another value from `at_s` on, which is not before the newest instant.

        Raises `ValueError` for an instant before it.
        """
        if at_s < self._times_s[-1]:
            raise ValueError(f"steps go forward: {at_s} comes before {self._times_s[-1]}")
        if value == self._values[-1]:
            return
        if at_s == self._times_s[-1]:
            self._values[-1] = value
            return
        self._times_s.append(at_s)
        self._values.append(value)

    def at(self, times_s: Floats) -> Floats:
        """The values at instants."""
        places = np.searchsorted(self._times_s, times_s, side="right") - 1
        return np.asarray(self._values)[np.maximum(places, 0)]

    def integral(self, times_s: Floats) -> Floats:
        """Value times hours from the first instant that is kept to each instant: kW become kWh."""
        begins = np.asarray(self._times_s)
        values = np.asarray(self._values)
        sums = np.concatenate(([0.0], np.cumsum(values[:-1] * np.diff(begins))))
        places = np.maximum(np.searchsorted(begins, times_s, side="right") - 1, 0)
        sum_until: Floats = sums[places] + values[places] * (times_s - begins[places])
        return sum_until / SECONDS_PER_HOUR

    def changes(self, begin_s: float, end_s: float) -> list[tuple[float, float]]:
        """Instants in [begin, end) from which another value holds, with that value."""
        first, behind = bisect_left(self._times_s, begin_s), bisect_left(self._times_s, end_s)
        return list(zip(self._times_s[first:behind], self._values[first:behind], strict=True))

    def forget(self, before_s: float) -> None:
        """Let go of steps that ended before an instant."""
        kept = max(bisect_left(self._times_s, before_s) - 1, 0)
        del self._times_s[:kept], self._values[:kept]
