"""Cars and what their drivers intend: drawn once at arrival, from the station's own stream.

Energy is not drawn: it follows from capacity, state of charge and the power curve (`charging`).
When cars come is `arrivals`' business.
"""

from dataclasses import dataclass
from random import Random

from station_sim.world.charging import Battery


@dataclass(frozen=True, slots=True)
class VehicleClass:
    """A class of vehicles: its share of sessions, capacities and catalogue DC peaks (low, high).

    Shares are estimates; capacities and peaks span the Chinese models of KilowattApp/open-ev-data,
    April 2025.
    """

    name: str
    share: float
    capacity_kwh: tuple[float, float]
    peak_kw: tuple[float, float]


VEHICLE_CLASSES = (
    VehicleClass("ride-hailing sedan", 0.33, (47, 61), (55, 85)),
    VehicleClass("compact private", 0.29, (42, 62), (55, 100)),
    VehicleClass("large private", 0.20, (68, 90), (90, 170)),
    VehicleClass("800 V", 0.05, (80, 102), (220, 400)),
    VehicleClass("plug-in hybrid", 0.07, (17, 40), (28, 60)),
    VehicleClass("light van", 0.05, (38, 45), (45, 60)),
    VehicleClass("bus or truck", 0.01, (140, 280), (100, 160)),
)
CLASS_SHARES = tuple(each.share for each in VEHICLE_CLASSES)

ACCEPTANCE_MEAN, ACCEPTANCE_SD = 0.70, 0.08  # temperature, age, 400 V current limits
FULL_CHARGE_SHARE = 0.33
EARLY_STOP_SHARE = 0.05
SOC_GAIN_MIN = 8.0
HANDSHAKE_S = (20.0, 60.0)
OVERSTAY_MEAN_MIN = 6.0
LONG_OVERSTAY_SHARE, LONG_OVERSTAY_FROM_MIN, LONG_OVERSTAY_MEAN_MIN = 0.03, 30.0, 15.0
PATIENCE_MEAN_MIN = 10.0


@dataclass(frozen=True, slots=True)
class Car:
    """One visit: the battery, where its charge begins and ends, and the driver's habits.

    `stop_soc` is where charging ends: the driver's target, or below it in the 5 % of sessions that
    stop early. `choice` in [0, 1) picks among equally good free guns.
    """

    vehicle_class: str
    battery: Battery
    arrival_soc: float
    stop_soc: float
    handshake_s: float
    overstay_s: float
    patience_s: float
    choice: float


def draw_car(rng: Random) -> Car:
    """A car at an urban station, by the calibrated inputs of the realism note, section 3.

    They reproduce 25.6 kWh and 48.7 min per DC session (EVCIPA white paper 2022). Every car takes
    its draws in the same order, whatever happens to it later.
    """
    kind = rng.choices(VEHICLE_CLASSES, CLASS_SHARES)[0]
    battery = _draw_battery(rng, kind)
    arrival_soc = 5 + 80 * rng.betavariate(2.2, 2.6)
    return Car(
        vehicle_class=kind.name,
        battery=battery,
        arrival_soc=arrival_soc,
        stop_soc=_draw_stop_soc(rng, arrival_soc),
        handshake_s=rng.uniform(*HANDSHAKE_S),
        overstay_s=60 * _draw_overstay_min(rng),
        patience_s=60 * rng.expovariate(1 / PATIENCE_MEAN_MIN),
        choice=rng.random(),
    )


def _draw_battery(rng: Random, kind: VehicleClass) -> Battery:
    capacity_kwh = rng.uniform(*kind.capacity_kwh)
    catalogue_peak_kw = rng.uniform(*kind.peak_kw)
    acceptance = min(max(rng.gauss(ACCEPTANCE_MEAN, ACCEPTANCE_SD), 0.4), 1.0)
    return Battery(capacity_kwh, catalogue_peak_kw * acceptance)


def _draw_stop_soc(rng: Random, arrival_soc: float) -> float:
    full = rng.uniform(97, 100)
    partial = 40 + 57 * rng.betavariate(4.2, 1.7)
    wanted = full if rng.random() < FULL_CHARGE_SHARE else partial
    target = min(max(wanted, arrival_soc + SOC_GAIN_MIN), 100.0)
    stops_early, reached = rng.random() < EARLY_STOP_SHARE, rng.random()
    return arrival_soc + (target - arrival_soc) * reached if stops_early else target


def _draw_overstay_min(rng: Random) -> float:
    is_long, usual = rng.random() < LONG_OVERSTAY_SHARE, rng.expovariate(1 / OVERSTAY_MEAN_MIN)
    extra = rng.expovariate(1 / LONG_OVERSTAY_MEAN_MIN)
    return LONG_OVERSTAY_FROM_MIN + extra if is_long else usual
