"""A station's storage at work: decides every five minutes and whenever load changes.

It never takes more than the grid limit leaves beside the guns, nor gives more than the station
needs then and will need until the next decision, so that nothing of it is exported.
"""

from collections.abc import Callable, Generator, Sequence
from datetime import date
from math import floor, inf

import simpy

from station_sim.world.grid import charging_headroom_kw
from station_sim.world.local_days import MOMENT_S, LocalDays
from station_sim.world.random_streams import random_stream
from station_sim.world.site import StorageSite
from station_sim.world.storage import ONE_WAY, SOC_MIN, Cabinet
from station_sim.world.storage_policy import Plan, Wish, plans

TICK_S = 300.0
HALF_HOUR_S = 1800.0
QUANTUM_KW = 0.1  # set points are whole tenths, rounded towards nothing
FIRST_SOC = (30.0, 60.0)
CHARGING_SHARE = (0.6, 1.0)  # of full power, set by the operator (an estimate)

LoadRange = Callable[[float, float], tuple[float, float]]
"""From now until an instant: the least that the station needs beyond its panels, and the most that
it takes without them; kW AC, storage left out."""


class StorageControl:
    """The cabinets of one station, all under one plan. Powers in kW, positive for discharge."""

    def __init__(
        self,
        env: simpy.Environment,
        seed: int,
        entity: str,
        sites: Sequence[StorageSite],
        limit_kw: float,
        days: LocalDays,
        codes_on: Callable[[date], tuple[str, ...]],
        load_range: LoadRange,
    ) -> None:
        rng = random_stream(seed, entity, "storage")
        self._env, self._days = env, days
        self._limit_kw, self._codes_on, self._load_range = limit_kw, codes_on, load_range
        self._charging_share = rng.uniform(*CHARGING_SHARE)
        first_soc = rng.uniform(*FIRST_SOC)
        self.cabinets = tuple(
            Cabinet(site.energy_kwh, site.power_kw, first_soc, env.now) for site in sites
        )
        self._stopped: set[int] = set()
        if self.cabinets:
            env.process(self._tick())

    def decide(self) -> None:
        """Set every cabinet's power until the next decision."""
        if not self.cabinets:
            return
        now_s = self._env.now
        until_s = self._days.next_tick_s(now_s, TICK_S)
        powers_kw = self._powers_kw(self._plan(now_s), now_s, until_s)
        for cabinet, kw in zip(self.cabinets, powers_kw, strict=True):
            cabinet.set(kw, now_s)

    def stop(self, unit: int) -> None:
        """A cabinet is out of order: no power until `restart`."""
        self._stopped.add(unit)
        self.decide()

    def restart(self, unit: int) -> None:
        """A cabinet is in order again."""
        self._stopped.discard(unit)
        self.decide()

    def _tick(self) -> Generator[simpy.Event, None, None]:
        while True:
            self.decide()
            yield self._env.timeout(self._days.next_tick_s(self._env.now, TICK_S) - self._env.now)

    def _plan(self, now_s: float) -> Plan:
        at_s = now_s + MOMENT_S
        codes = self._codes_on(self._days.date(self._days.number(at_s)))
        return plans(codes)[int(self._days.second(at_s) // HALF_HOUR_S)]

    def _powers_kw(self, plan: Plan, now_s: float, until_s: float) -> list[float]:
        if plan.wish is Wish.DISCHARGE:
            return self._discharges_kw(plan, now_s, until_s)
        return [-kw for kw in self._charges_kw(plan, now_s, until_s)]

    def _discharges_kw(self, plan: Plan, now_s: float, until_s: float) -> list[float]:
        hours = (until_s - now_s) / 3600
        wanted_kw = []
        for unit, cabinet in enumerate(self.cabinets):
            kw = cabinet.most_discharge_kw(now_s, until_s)
            if plan.sharp_h:
                spare_kwh = cabinet.kwh_above(SOC_MIN, now_s) - plan.sharp_h * cabinet.power_kw
                kw = min(kw, max(0.0, spare_kwh) / hours)
            wanted_kw.append(0.0 if unit in self._stopped else kw)
        if not any(wanted_kw):
            return wanted_kw
        return _dealt(wanted_kw, self._load_range(now_s, until_s)[0])

    def _charges_kw(self, plan: Plan, now_s: float, until_s: float) -> list[float]:
        wanted_kw = []
        for unit, cabinet in enumerate(self.cabinets):
            kw = min(
                cabinet.most_charge_kw(now_s, until_s), self._charging_share * cabinet.power_kw
            )
            if plan.dear_h < inf:
                missing_kwh = plan.dear_h * cabinet.power_kw - cabinet.kwh_above(SOC_MIN, now_s)
                kw = min(kw, max(0.0, missing_kwh) / ONE_WAY**2 / (until_s - now_s) * 3600)
            wanted_kw.append(0.0 if unit in self._stopped else kw)
        if not any(wanted_kw):
            return wanted_kw
        most_kw = self._load_range(now_s, until_s)[1]
        return _dealt(wanted_kw, charging_headroom_kw(self._limit_kw, most_kw))


def _dealt(wanted_kw: list[float], allowed_kw: float) -> list[float]:
    """What each cabinet gets of `allowed_kw`, in proportion to its wish, in whole quanta."""
    total_kw = sum(wanted_kw)
    share = min(1.0, max(0.0, allowed_kw) / total_kw)
    return [floor(kw * share / QUANTUM_KW) * QUANTUM_KW for kw in wanted_kw]
