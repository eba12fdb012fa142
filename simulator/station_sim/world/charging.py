"""How a battery takes energy: power against state of charge, in closed form.

A charge is a staircase of one-percent steps of state of charge, each at constant power. So the
state of charge, the power and the energy at any instant are exact, and the world needs no event
between the start of a charge and its end. Who limits the power is `pile`'s business.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

# Mean of 113 measured DC curves, share of the vehicle's own peak against SoC in percent, computed
# from chargeprice/open-ev-data of April 2022.
MEASURED_CURVE = (
    (0.0, 0.95),
    (10.0, 0.95),
    (20.0, 0.94),
    (30.0, 0.93),
    (40.0, 0.91),
    (50.0, 0.82),
    (60.0, 0.72),
    (70.0, 0.61),
    (80.0, 0.48),
    (85.0, 0.38),
    (90.0, 0.31),
    (95.0, 0.23),
    (100.0, 0.15),
)
CHARGE_EFFICIENCY = 0.97  # battery side: 3 % of what the gun delivers becomes heat (an estimate)
SECONDS_PER_HOUR = 3600.0


def share_of_peak(soc_percent: float) -> float:
    """Accepted power as a share of the vehicle's peak, between the measured points linearly."""
    for (low, share_low), (high, share_high) in pairwise(MEASURED_CURVE):
        if soc_percent <= high:
            return share_low + (share_high - share_low) * (soc_percent - low) / (high - low)
    return MEASURED_CURVE[-1][1]


SHARE_OF_PEAK = tuple(share_of_peak(percent + 0.5) for percent in range(100))


@dataclass(frozen=True, slots=True)
class Battery:
    """What a charge depends on: usable capacity and the power accepted at the curve's peak."""

    capacity_kwh: float
    peak_kw: float

    def accepted_kw(self, soc_percent: float) -> float:
        """Power accepted within the one-percent step that `soc_percent` lies in."""
        return self.peak_kw * SHARE_OF_PEAK[min(int(soc_percent), 99)]


class ChargePlan:
    """One battery from one state of charge to another at a given power limit, in closed form.

    Steps begin at `times_s` with `socs_percent` and, since the plan's start, `energies_kwh` at the
    gun; step i runs at `powers_kw[i]`. Instants are story seconds.
    """

    __slots__ = ("energies_kwh", "powers_kw", "socs_percent", "times_s")

    def __init__(
        self, battery: Battery, soc_from: float, soc_to: float, limit_kw: float, start_s: float
    ) -> None:
        if limit_kw <= 0:
            raise ValueError(f"limit_kw must be > 0, got {limit_kw}")
        self.times_s = [start_s]
        self.socs_percent = [soc_from]
        self.energies_kwh = [0.0]
        self.powers_kw: list[float] = []
        soc = soc_from
        while soc < soc_to:
            step_end = min(float(int(soc) + 1), soc_to)
            self._append(battery, step_end, min(limit_kw, battery.accepted_kw(soc)))
            soc = step_end

    def _append(self, battery: Battery, step_end: float, power_kw: float) -> None:
        stored_kwh = battery.capacity_kwh * (step_end - self.socs_percent[-1]) / 100
        energy_kwh = stored_kwh / CHARGE_EFFICIENCY
        self.times_s.append(self.times_s[-1] + energy_kwh / power_kw * SECONDS_PER_HOUR)
        self.socs_percent.append(step_end)
        self.energies_kwh.append(self.energies_kwh[-1] + energy_kwh)
        self.powers_kw.append(power_kw)

    @property
    def start_s(self) -> float:
        """When power begins to flow."""
        return self.times_s[0]

    @property
    def end_s(self) -> float:
        """When the target is reached."""
        return self.times_s[-1]

    def power_kw(self, at_s: float) -> float:
        """Power at the gun at an instant; zero outside the plan."""
        if not self.start_s <= at_s < self.end_s:
            return 0.0
        return self.powers_kw[bisect_right(self.times_s, at_s) - 1]

    def energy_kwh(self, at_s: float) -> float:
        """Energy through the gun from the plan's start until an instant."""
        return self._at(self.energies_kwh, at_s)

    def soc_percent(self, at_s: float) -> float:
        """State of charge at an instant."""
        return self._at(self.socs_percent, at_s)

    def _at(self, values: list[float], at_s: float) -> float:
        if at_s <= self.start_s:
            return values[0]
        if at_s >= self.end_s:
            return values[-1]
        step = bisect_right(self.times_s, at_s) - 1
        begin_s, end_s = self.times_s[step], self.times_s[step + 1]
        return values[step] + (values[step + 1] - values[step]) * (at_s - begin_s) / (
            end_s - begin_s
        )
