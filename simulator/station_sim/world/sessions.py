"""A visit to a gun and the charge it was for: what is true of it, while it lasts and afterwards.

Data and closed forms. Who begins and ends it is `station`'s, how power follows the battery is
`charging`'s; what it costs is `tariffs`'.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

import numpy as np

from station_sim.world.cars import Car
from station_sim.world.charging import Staircase
from station_sim.world.steps import Floats


class End(StrEnum):
    """Why power stopped."""

    TARGET = "target"
    """The driver's target was reached."""

    USER = "user"
    """The driver stopped early."""

    ABNORMAL = "abnormal"
    """Something failed: communication, insulation, the gun."""


@dataclass(slots=True, eq=False)
class Session:
    """A charge at gun number `gun`. Instants are story seconds, infinite while still to come.

    Boundaries of its steps are `times_s`, ascending, the first one `power_on_s`; at each boundary
    stand `socs_percent` and `energies_kwh`, delivered at the gun since power came on; step i runs
    at `powers_kw[i]` with `limits_kw[i]` granted. The newest boundary may lie in the future of a
    story (what will happen unless something intervenes): read up to the story's time only.

    A visit whose every attempt to start fails has no `power_on_s` and no steps: it is no order.
    """

    transaction_no: str
    gun: int
    car: Car
    plugged_s: float
    power_on_s: float = inf
    power_off_s: float = inf
    unplugged_s: float = inf
    end: End | None = None
    times_s: list[float] = field(default_factory=list)
    socs_percent: list[float] = field(default_factory=list)
    energies_kwh: list[float] = field(default_factory=list)
    powers_kw: list[float] = field(default_factory=list)
    limits_kw: list[float] = field(default_factory=list)
    _arrays: tuple[Floats, Floats] | None = field(default=None, init=False, repr=False)

    def kw(self, times_s: Floats) -> Floats:
        """Power at the gun at instants; zero while none flows."""
        if not self.powers_kw:
            return np.zeros(len(times_s))
        bounds_s, powers_kw = self._steps()
        places = bounds_s.searchsorted(times_s, side="right") - 1
        flows = (places >= 0) & (times_s < min(self.power_off_s, self.times_s[-1]))
        return np.where(flows, powers_kw.take(places, mode="clip"), 0.0)

    def flowing_kw(self, times_s: Floats) -> Floats:
        """Power at instants at all of which it flows."""
        bounds_s, powers_kw = self._steps()
        return powers_kw.take(bounds_s.searchsorted(times_s, side="right") - 1)

    def soc(self, times_s: Floats) -> Floats:
        """State of charge at instants; that of arrival before power comes on."""
        if not self.times_s:
            return np.full(len(times_s), self.car.arrival_soc)
        at = np.minimum(times_s, self.power_off_s)
        return np.interp(at, self.times_s, self.socs_percent)

    def kwh(self, times_s: Floats) -> Floats:
        """Energy through the gun until instants."""
        if not self.times_s:
            return np.zeros(len(times_s))
        at = np.minimum(times_s, self.power_off_s)
        return np.interp(at, self.times_s, self.energies_kwh)

    def volts(self, times_s: Floats) -> Floats:
        """Voltage of the pack."""
        return self.car.battery.volts(self.soc(times_s))

    def accepted_kw(self, times_s: Floats) -> Floats:
        """What the car asks for at instants while it charges, whatever it is given."""
        steps = np.minimum(self.soc(times_s).astype(int), 99)
        accepted: Floats = self.car.battery.accepted_kw()[steps]
        return accepted

    def kw_at(self, at_s: float) -> float:
        """Power at one instant."""
        if not self.times_s[0] <= at_s < min(self.power_off_s, self.times_s[-1]):
            return 0.0
        return self.powers_kw[bisect_right(self.times_s, at_s) - 1]

    def soc_at(self, at_s: float) -> float:
        """State of charge at one instant since power came on."""
        step = bisect_right(self.times_s, at_s) - 1
        if step >= len(self.powers_kw):
            return self.socs_percent[-1]
        return _between(self.times_s, self.socs_percent, step, at_s)

    def _steps(self) -> tuple[Floats, Floats]:
        """Boundaries and powers as arrays: asked for very often, and seldom changed."""
        if self._arrays is None:
            self._arrays = np.array(self.times_s), np.array(self.powers_kw)
        return self._arrays

    def add(self, steps: Staircase, limits_kw: Floats) -> None:
        """Go on, from the newest boundary, with steps that begin there."""
        self._arrays = None
        before_kwh = self.energies_kwh[-1] if self.energies_kwh else 0.0
        skip = 1 if self.times_s else 0
        self.times_s += steps.times_s[skip:].tolist()
        self.socs_percent += steps.socs_percent[skip:].tolist()
        self.energies_kwh += (steps.energies_kwh[skip:] + before_kwh).tolist()
        self.powers_kw += steps.powers_kw.tolist()
        self.limits_kw += limits_kw.tolist()

    def cut(self, at_s: float) -> None:
        """Let an instant within the steps be the newest boundary."""
        self._arrays = None
        step = bisect_right(self.times_s, at_s) - 1
        if step >= len(self.powers_kw):
            return
        soc = _between(self.times_s, self.socs_percent, step, at_s)
        kwh = _between(self.times_s, self.energies_kwh, step, at_s)
        kept = step + (at_s > self.times_s[step])
        for boundaries, value in (
            (self.times_s, at_s),
            (self.socs_percent, soc),
            (self.energies_kwh, kwh),
        ):
            boundaries[step + 1 :] = [value] if kept > step else []
        del self.powers_kw[kept:], self.limits_kw[kept:]


def _between(times_s: list[float], values: list[float], step: int, at_s: float) -> float:
    begin_s, end_s = times_s[step], times_s[step + 1]
    share = (at_s - begin_s) / (end_s - begin_s) if end_s > begin_s else 0.0
    return values[step] + (values[step + 1] - values[step]) * share
