"""A visit to a gun and the charge it was for: what is true of it, while it lasts and afterwards.

Data and closed forms. Who begins and ends it is `station`'s, how power follows the battery is
`charging`'s; what it costs is `tariffs`'.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

import numpy as np

from station_sim.world.cars import Car
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

    def kw(self, times_s: Floats) -> Floats:
        """Power at the gun at instants; zero while none flows."""
        if not self.powers_kw:
            return np.zeros(len(times_s))
        places = np.searchsorted(self.times_s, times_s, side="right") - 1
        flows = (places >= 0) & (times_s < min(self.power_off_s, self.times_s[-1]))
        found: Floats = np.asarray(self.powers_kw)[np.clip(places, 0, len(self.powers_kw) - 1)]
        return np.where(flows, found, 0.0)

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
