"""A battery cabinet: power between decisions, and what follows from it exactly.

State of charge, energies and heat are closed forms of the constant power since the last decision.
When it charges and discharges is `storage_policy`'s. Positive power discharges; all power is AC.
"""

from bisect import bisect_left
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
import numpy.typing as npt

from station_sim.world.steps import SECONDS_PER_HOUR, Floats

ROUND_TRIP = 0.85  # AC to AC (NREL ATB 2020), half of the loss on each way
ONE_WAY = sqrt(ROUND_TRIP)
# Estimates: the band, in percent, and from where power falls linearly to nothing at its ends.
SOC_MIN, SOC_MAX = 10.0, 95.0
TAPER_BELOW, TAPER_ABOVE = 15.0, 90.0
HEAT_MEMORY_S = 2400.0


@dataclass(frozen=True, slots=True)
class Knot:
    """What holds from an instant on: power until the next knot, the rest at the instant.

    `discharged_kwh` and `charged_kwh` count AC energy since the start; `heat` is the share of full
    power that the cells have warmed to.
    """

    at_s: float
    kw: float
    soc: float
    discharged_kwh: float
    charged_kwh: float
    heat: float


class Cabinet:
    """A cabinet of `energy_kwh` and `power_kw`; state of charge in percent of the energy.

    Arrays of instants ascend; `ValueError` for those before what is known or was forgotten.
    """

    __slots__ = ("_knots", "energy_kwh", "power_kw")

    def __init__(self, energy_kwh: float, power_kw: float, soc: float, at_s: float = 0.0) -> None:
        self.energy_kwh = energy_kwh
        self.power_kw = power_kw
        self._knots = [Knot(at_s, 0.0, soc, 0.0, 0.0, 0.0)]

    @property
    def kw(self) -> float:
        """Power now."""
        return self._knots[-1].kw

    def soc_at(self, at_s: float) -> float:
        """State of charge at an instant from the last decision on."""
        return self._moved(self._knots[-1], at_s, 0.0).soc

    def set(self, kw: float, at_s: float) -> None:
        """Have another power from `at_s` on, which is not before the last decision."""
        last = self._knots[-1]
        if at_s < last.at_s:
            raise ValueError(f"decisions go forward: {at_s} comes before {last.at_s}")
        if kw == last.kw:
            return
        knot = self._moved(last, at_s, kw)
        if at_s == last.at_s:
            self._knots[-1] = knot
        else:
            self._knots.append(knot)

    def most_discharge_kw(self, at_s: float, until_s: float) -> float:
        """The most constant power from `at_s` until `until_s` within band and taper throughout."""
        room = self.soc_at(at_s) - SOC_MIN
        percent_per_kw = self._percent_per_kw(until_s - at_s) / ONE_WAY
        return self._within(room, TAPER_BELOW - SOC_MIN, percent_per_kw)

    def most_charge_kw(self, at_s: float, until_s: float) -> float:
        """Likewise for charging, as a positive figure."""
        room = SOC_MAX - self.soc_at(at_s)
        percent_per_kw = self._percent_per_kw(until_s - at_s) * ONE_WAY
        return self._within(room, SOC_MAX - TAPER_ABOVE, percent_per_kw)

    def kwh_above(self, soc: float, at_s: float) -> float:
        """AC energy that comes out on the way down to a state of charge; 0 when below it."""
        return max(0.0, self.soc_at(at_s) - soc) / 100 * self.energy_kwh * ONE_WAY

    def kw_at(self, times_s: Floats) -> Floats:
        """Power at instants."""
        return self._column("kw")[self._places(times_s)]

    def soc(self, times_s: Floats) -> Floats:
        """State of charge at instants."""
        places = self._places(times_s)
        kw = self._column("kw")
        rates = np.where(kw > 0, kw / ONE_WAY, kw * ONE_WAY) * self._percent_per_kw(1.0)
        found: Floats = self._column("soc")[places] - rates[places] * self._since_s(times_s, places)
        return found

    def discharged_kwh(self, times_s: Floats) -> Floats:
        """AC energy given since the start."""
        return self._energy("discharged_kwh", np.maximum(self._column("kw"), 0.0), times_s)

    def charged_kwh(self, times_s: Floats) -> Floats:
        """AC energy taken since the start."""
        return self._energy("charged_kwh", np.maximum(-self._column("kw"), 0.0), times_s)

    def heat(self, times_s: Floats) -> Floats:
        """The share of full power that the cells have warmed to, 0 to 1."""
        places = self._places(times_s)
        goal = np.abs(self._column("kw")[places]) / self.power_kw
        left = np.exp(-self._since_s(times_s, places) / HEAT_MEMORY_S)
        found: Floats = goal + (self._column("heat")[places] - goal) * left
        return found

    def forget(self, before_s: float) -> None:
        """Let go of decisions that nothing after an instant depends on."""
        kept = bisect_left(self._knots, before_s, key=lambda knot: knot.at_s) - 1
        del self._knots[: max(kept, 0)]

    def _moved(self, knot: Knot, at_s: float, kw: float) -> Knot:
        """The knot at a later instant, from which `kw` holds."""
        since_s = at_s - knot.at_s
        rate = knot.kw / ONE_WAY if knot.kw > 0 else knot.kw * ONE_WAY
        hours = since_s / SECONDS_PER_HOUR
        goal = abs(knot.kw) / self.power_kw
        return Knot(
            at_s,
            kw,
            knot.soc - rate * self._percent_per_kw(1.0) * since_s,
            knot.discharged_kwh + max(knot.kw, 0.0) * hours,
            knot.charged_kwh + max(-knot.kw, 0.0) * hours,
            goal + (knot.heat - goal) * exp(-since_s / HEAT_MEMORY_S),
        )

    def _within(self, room: float, taper: float, percent_per_kw: float) -> float:
        """Power whose taper holds at the interval's end too, where room is least."""
        if room <= 0:
            return 0.0
        tapered_kw = self.power_kw * room / (taper + self.power_kw * percent_per_kw)
        return min(self.power_kw, tapered_kw)

    def _percent_per_kw(self, seconds: float) -> float:
        return seconds / SECONDS_PER_HOUR / self.energy_kwh * 100

    def _energy(self, name: str, kw: Floats, times_s: Floats) -> Floats:
        places = self._places(times_s)
        since_h = self._since_s(times_s, places) / SECONDS_PER_HOUR
        found: Floats = self._column(name)[places] + kw[places] * since_h
        return found

    def _places(self, times_s: Floats) -> npt.NDArray[np.int64]:
        if len(times_s) and times_s[0] < self._knots[0].at_s:
            raise ValueError(f"nothing is known of {times_s[0]}, before {self._knots[0].at_s}")
        return np.searchsorted(self._column("at_s"), times_s, side="right").astype(np.int64) - 1

    def _since_s(self, times_s: Floats, places: npt.NDArray[np.int64]) -> Floats:
        found: Floats = times_s - self._column("at_s")[places]
        return found

    def _column(self, name: str) -> Floats:
        return np.array([getattr(knot, name) for knot in self._knots])
