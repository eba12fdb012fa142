"""Cars and what their drivers intend: drawn once at arrival, from the station's own stream.

Energy is not drawn: it follows from capacity, state of charge and the power curve (`charging`).
When cars come is `arrivals`' business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from station_sim.world.charging import Battery, temperature_factor
from station_sim.world.site import SiteType


@dataclass(frozen=True, slots=True)
class VehicleClass:
    """A class of vehicles: capacities, catalogue DC peaks and voltages at 10 % (low, high).

    Capacities and peaks span the Chinese models of KilowattApp/open-ev-data, April 2025; voltages
    are estimates.
    """

    name: str
    capacity_kwh: tuple[float, float]
    peak_kw: tuple[float, float]
    volts: tuple[float, float] = (330.0, 366.0)


SEDAN = VehicleClass("ride-hailing sedan", (47, 61), (55, 85))
COMPACT = VehicleClass("compact private", (42, 62), (55, 100))
LARGE = VehicleClass("large private", (68, 90), (90, 170))
HIGH_VOLTAGE = VehicleClass("800 V", (80, 102), (220, 400), (620.0, 714.0))
HYBRID = VehicleClass("plug-in hybrid", (17, 40), (28, 60))
VAN = VehicleClass("light van", (38, 45), (45, 60))
HEAVY = VehicleClass("bus or truck", (140, 280), (100, 160), (540.0, 640.0))
VEHICLE_CLASSES = (SEDAN, COMPACT, LARGE, HIGH_VOLTAGE, HYBRID, VAN, HEAVY)


@dataclass(frozen=True, slots=True)
class Habits:
    """Who comes to a type of site: all figures are estimates.

    `shares` are those of `VEHICLE_CLASSES`. The state of charge at arrival is 5 + 80 * Beta of
    `arrival`; `full_share` of the drivers want 97 to 100 %, the others `target`'s first value plus
    its second times Beta(4.2, 1.7).
    The plug stays for `overstay_min` on average.
    """

    shares: tuple[float, ...]
    arrival: tuple[float, float] = (2.2, 2.6)
    full_share: float = 0.30
    target: tuple[float, float] = (40.0, 57.0)
    overstay_min: float = 6.0


HABITS: Mapping[SiteType, Habits] = {
    SiteType.URBAN: Habits((0.33, 0.29, 0.20, 0.05, 0.07, 0.05, 0.01)),
    SiteType.CORRIDOR: Habits(
        (0.31, 0.32, 0.20, 0.05, 0.08, 0.035, 0.005),
        arrival=(2.0, 3.1),
        full_share=0.16,
        target=(38.0, 53.0),
        overstay_min=3.0,
    ),
    SiteType.HUB: Habits((0.85, 0.09, 0.02, 0.01, 0.0, 0.03, 0.0), overstay_min=2.0),
    SiteType.DEPOT: Habits((0.40, 0.0, 0.0, 0.0, 0.0, 0.55, 0.05), overstay_min=30.0),
}
HURRIED_FULL_SHARE, HURRIED_TARGET_MAX = 0.05, 80.0
"""On the motorways of a holiday few wait for the slow last fifth (an estimate)."""

HURRIED_PATIENCE = 4.0
"""But all of them wait longer for a gun, for the next one is crowded too (an estimate)."""

ACCEPTANCE_MEAN, ACCEPTANCE_SD = 0.76, 0.08
"""Share of the catalogue's peak that is accepted at best: age, pack (an estimate, fitted;
temperature and the cable's current are reckoned by themselves)."""

SHAPE_MEAN, SHAPE_SD = -0.2, 0.3
"""Of `charging.curve`: slightly below the mean of cars in Europe (an estimate, fitted)."""

ABNORMAL_SHARE, USER_STOP_SHARE = 0.03, 0.02
SOC_GAIN_MIN = 8.0
HANDSHAKE_S = (20.0, 60.0)
RAMP_KW_PER_S = (5.0, 20.0)
START_FAILURE_SHARE, RETRY_SUCCESS_SHARE = 0.04, 0.60
LONG_OVERSTAY_SHARE, LONG_OVERSTAY_FROM_MIN, LONG_OVERSTAY_MEAN_MIN = 0.03, 30.0, 15.0
PATIENCE_MEAN_MIN, TOLERATED_WAIT_MIN = 10.0, 15.0
"""A driver waits for so long on average, and not at all for a wait that looks longer."""

PRODUCERS = 24


@dataclass(frozen=True, slots=True)
class Car:
    """One visit: the battery, where its charge begins and ends, and the driver's habits.

    `stop_soc` is where charging ends: the driver's target, or below it where `stops_early` says
    "user" or "abnormal". `starts` is false where every attempt to start fails; `handshake_s` holds
    all attempts. A driver leaves a line that looks longer than `tolerated_wait_s` at once, and any
    line after `patience_s`. `choice` in [0, 1) picks among equally good free guns.
    """

    vehicle_class: str
    producer_code: str
    battery: Battery
    arrival_soc: float
    stop_soc: float
    stops_early: str | None
    starts: bool
    handshake_s: float
    ramp_kw_per_s: float
    overstay_s: float
    patience_s: float
    tolerated_wait_s: float
    choice: float


def draw_car(
    rng: Random,
    site_type: SiteType = SiteType.URBAN,
    outdoor_c: float = 25.0,
    hurried: bool = False,
) -> Car:
    """A car at a type of site in a temperature, by the calibrated inputs of the realism note.

    They reproduce 25.6 kWh and 48.7 min per DC session (EVCIPA white paper 2022). Every car takes
    its draws in the same order, whatever the weather and whatever happens to it later.
    """
    habits = HABITS[site_type]
    patience = HURRIED_PATIENCE if hurried else 1.0
    kind = rng.choices(VEHICLE_CLASSES, habits.shares)[0]
    battery = _draw_battery(rng, kind, outdoor_c)
    arrival_soc = 5 + 80 * rng.betavariate(*habits.arrival)
    target_soc = _draw_target(rng, arrival_soc, habits, hurried)
    stops_early, stop_soc = _draw_stop(rng, arrival_soc, target_soc)
    starts, handshake_s = _draw_start(rng)
    return Car(
        vehicle_class=kind.name,
        producer_code=_producer_code(kind, rng.random()),
        battery=battery,
        arrival_soc=arrival_soc,
        stop_soc=stop_soc,
        stops_early=stops_early,
        starts=starts,
        handshake_s=handshake_s,
        ramp_kw_per_s=rng.uniform(*RAMP_KW_PER_S),
        overstay_s=60 * _draw_overstay_min(rng, habits.overstay_min),
        patience_s=60 * rng.expovariate(1 / PATIENCE_MEAN_MIN) * patience,
        tolerated_wait_s=60 * TOLERATED_WAIT_MIN * patience,
        choice=rng.random(),
    )


def _draw_battery(rng: Random, kind: VehicleClass, outdoor_c: float) -> Battery:
    capacity_kwh = rng.uniform(*kind.capacity_kwh)
    catalogue_peak_kw = rng.uniform(*kind.peak_kw)
    acceptance = min(max(rng.gauss(ACCEPTANCE_MEAN, ACCEPTANCE_SD), 0.4), 1.0)
    shape = min(max(rng.gauss(SHAPE_MEAN, SHAPE_SD), -1.0), 1.0)
    peak_kw = catalogue_peak_kw * acceptance * temperature_factor(outdoor_c)
    return Battery(capacity_kwh, peak_kw, shape, rng.uniform(*kind.volts))


def _draw_target(rng: Random, arrival_soc: float, habits: Habits, hurried: bool) -> float:
    full = rng.uniform(97, 100)
    least, span = habits.target
    partial = least + span * rng.betavariate(4.2, 1.7)
    wants_full = rng.random() < (HURRIED_FULL_SHARE if hurried else habits.full_share)
    if hurried:
        partial = min(partial, HURRIED_TARGET_MAX)
    return min(max(full if wants_full else partial, arrival_soc + SOC_GAIN_MIN), 100.0)


def _draw_stop(rng: Random, arrival_soc: float, target_soc: float) -> tuple[str | None, float]:
    """Why a charge ends before its target, if it does, and where it ends."""
    lot, reached = rng.random(), rng.random()
    if lot >= ABNORMAL_SHARE + USER_STOP_SHARE:
        return None, target_soc
    least = arrival_soc + 0.1
    return (
        "abnormal" if lot < ABNORMAL_SHARE else "user",
        max(arrival_soc + (target_soc - arrival_soc) * reached, least),
    )


def _draw_start(rng: Random) -> tuple[bool, float]:
    """Whether the charge starts, at the first or second attempt, and how long the attempts take."""
    first_s, second_s = rng.uniform(*HANDSHAKE_S), rng.uniform(*HANDSHAKE_S)
    first, second = rng.random(), rng.random()
    if first >= START_FAILURE_SHARE:
        return True, first_s
    return second < RETRY_SUCCESS_SHARE, first_s + second_s


def _draw_overstay_min(rng: Random, mean_min: float) -> float:
    is_long, usual = rng.random() < LONG_OVERSTAY_SHARE, rng.expovariate(1 / mean_min)
    extra = rng.expovariate(1 / LONG_OVERSTAY_MEAN_MIN)
    return LONG_OVERSTAY_FROM_MIN + extra if is_long else usual


def _producer_code(kind: VehicleClass, lot: float) -> str:
    """Sixteen characters for one of the makers of a class; invented, lower numbers sell more."""
    return f"{VEHICLE_CLASSES.index(kind):04d}{int(PRODUCERS * lot * lot):012d}"
