"""What breaks at a station, how often, and how long a repair takes.

Figures of section 9 of the realism note: estimates, with availability (97 %) and interrupted
sessions (3 %) from field studies. What a fault does to guns and cars is `station`'s business.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from station_sim.world.profile import Profile
from station_sim.world.random_streams import random_stream
from station_sim.world.site import MODULES, StationSite
from station_sim.world.story import Fault
from station_sim.world.weather import Weather

HOUR_S, DAY_S = 3600.0, 86_400.0
HOT_C, HOT_FACTOR = 38.0, 2.0
OLD_YEARS, OLD_FACTOR = 5.0, 1.5
OLD_SHARE = 3 / 8
"""Of stations: their age is even in 0 to 8 years."""

LEVELS, LEVEL_SHARES = (1, 2, 3), (70, 22, 8)
REPAIR_MIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Weakness:
    """A way in which a part fails: mean hours between faults, repair (lognormal mean, sd)."""

    part: str
    hours_between: float
    repair_h: tuple[float, float]
    codes: tuple[str, ...]
    soft: bool = False


GUN_WEAKNESSES = (
    Weakness("gun", 20 * 24 / 0.75, (1.0, 1.0), ("1001", "1002", "1003"), soft=True),
    Weakness("terminal", 20 * 24 / 0.25, (1.0, 1.0), ("6001", "6002"), soft=True),
    Weakness("gun", 75 * 24, (48.0, 36.0), ("1101", "1102", "1103")),
)
"""Soft faults each 20 days (communication, safety; a quarter of them at the terminal: payment),
hard ones each 75 days (cable, connector)."""

HOST_WEAKNESSES = (
    Weakness("dc", 120_000 / MODULES, (24.0, 12.0), ("2001", "2002")),
    Weakness("ac", 150_000 / MODULES, (24.0, 12.0), ("3001",)),
    Weakness("host", 9000, (6.0, 4.0), ("4001", "4002")),
)
"""A host has 20 modules of either kind; their repair within a day is an estimate."""

STORAGE_WEAKNESS = Weakness("storage", 90 * 24, (12.0, 8.0), ("5001", "5002"))
METER_WEAKNESS = Weakness("meter", 60 * 24, (2.0, 1.5), ("7001",))


class FaultSource:
    """The faults of one part of a station in one way, one after the other."""

    def __init__(
        self, weakness: Weakness, place: int, site: StationSite, profile: Profile, weather: Weather
    ) -> None:
        self._weakness = weakness
        self._place = place
        self._weather = weather
        self._hazard_per_s = hazard(site) / weakness.hours_between / HOUR_S
        kind = "soft" if weakness.soft else "hard"
        self._rng = random_stream(profile.seed, site.entity, "faults", weakness.part, kind, place)

    def faults(self) -> Iterator[Fault]:
        """Without end; each begins after the repair of the one before."""
        at_s = 0.0
        while True:
            at_s = self._next_s(at_s)
            repair_s = draw_repair_s(self._rng, self._weakness.repair_h)
            yield Fault(
                part=self._weakness.part,
                place=self._place,
                begin_s=at_s,
                end_s=at_s + repair_s,
                level=self._rng.choices(LEVELS, LEVEL_SHARES)[0],
                code=self._rng.choice(self._weakness.codes),
                soft=self._weakness.soft,
            )
            at_s += repair_s

    def _next_s(self, at_s: float) -> float:
        """Thinned from the rate of the hottest weather."""
        while True:
            at_s += self._rng.expovariate(self._hazard_per_s * HOT_FACTOR)
            lot = self._rng.random() * HOT_FACTOR
            if lot < 1.0 or self._is_hot(at_s):
                return at_s

    def _is_hot(self, at_s: float) -> bool:
        return self._weather.hottest_c(at_s) >= HOT_C and self._weather.outdoor_c_at(at_s) > HOT_C


def hazard(site: StationSite) -> float:
    """How much more often than usual parts of a site fail: frailty and age, 1 on average."""
    mean = 1 + (OLD_FACTOR - 1) * OLD_SHARE
    return site.frailty * (OLD_FACTOR if site.years > OLD_YEARS else 1.0) / mean


def draw_repair_s(rng: Random, repair_h: tuple[float, float]) -> float:
    """Seconds until something works again."""
    mean, sd = repair_h
    variance = math.log(1 + (sd / mean) ** 2)
    hours = math.exp(rng.gauss(math.log(mean) - variance / 2, math.sqrt(variance)))
    return max(hours * HOUR_S, REPAIR_MIN_S)


def all_sources(site: StationSite, profile: Profile, weather: Weather) -> list[FaultSource]:
    """A source for every part of a site and every way in which it fails."""

    def sources(weaknesses: tuple[Weakness, ...], places: range) -> list[FaultSource]:
        return [
            FaultSource(weakness, place, site, profile, weather)
            for place in places
            for weakness in weaknesses
        ]

    return [
        *sources(GUN_WEAKNESSES, range(1, len(site.guns) + 1)),
        *sources(HOST_WEAKNESSES, range(len(site.hosts))),
        *sources((STORAGE_WEAKNESS,), range(len(site.storage))),
        *sources((METER_WEAKNESS,), range(1)),
    ]
