"""The world before every station had a story of its own: `streams` still tells this one.

It goes as a whole when `streams` reads stories (`station`).
"""

import math
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any, cast

import simpy

from station_sim.world.profile import Profile
from station_sim.world.public_holidays import day_kind, is_spring_festival
from station_sim.world.random_streams import random_stream

OLD_GUNS, OLD_SESSIONS_PER_GUN_DAY = 10, 4.3


def old_guns(profile: Profile) -> int:
    """Guns of every station."""
    return OLD_GUNS if profile.guns_per_station is None else profile.guns_per_station


def sessions_per_gun_day(profile: Profile) -> float:
    """Arrivals per gun and day."""
    stated = profile.sessions_per_gun_day
    return OLD_SESSIONS_PER_GUN_DAY if stated is None else stated


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


class Gun:
    """One DC connector: the car on it, and its charge while power flows."""

    __slots__ = ("_before_kwh", "car", "number", "plan")

    def __init__(self, number: int) -> None:
        self.number = number
        self.car: Car | None = None
        self.plan: ChargePlan | None = None
        self._before_kwh = 0.0

    @property
    def gun_no(self) -> str:
        """The number on the wire: two digits from 01."""
        return f"{self.number:02d}"

    def plug(self, car: Car) -> None:
        """Take a car; raises `RuntimeError` when there is one already."""
        if self.car is not None:
            raise RuntimeError(f"gun {self.gun_no} already has a {self.car.vehicle_class}")
        self.car = car

    def begin(self, at_s: float, limit_kw: float) -> None:
        """Let power flow from the car's arrival state of charge."""
        assert self.car is not None
        assert self.plan is None
        self._before_kwh = 0.0
        self.plan = self._plan_from(self.car.arrival_soc, at_s, limit_kw)

    def limit(self, at_s: float, limit_kw: float) -> None:
        """Go on from the present state of charge under another limit."""
        assert self.plan is not None
        self._before_kwh += self.plan.energy_kwh(at_s)
        self.plan = self._plan_from(self.plan.soc_percent(at_s), at_s, limit_kw)

    def finish(self) -> float:
        """End the charge at its target; returns the energy delivered, in kWh."""
        assert self.plan is not None
        energy_kwh = self._before_kwh + self.plan.energies_kwh[-1]
        self.plan = None
        return energy_kwh

    def unplug(self) -> None:
        """The car leaves."""
        assert self.car is not None
        assert self.plan is None
        self.car = None

    def power_kw(self, at_s: float) -> float:
        """Power at an instant since the present plan began; zero when nothing charges."""
        return 0.0 if self.plan is None else self.plan.power_kw(at_s)

    def energy_kwh(self, at_s: float) -> float:
        """Energy of the charge under way until an instant; zero when there is none."""
        return 0.0 if self.plan is None else self._before_kwh + self.plan.energy_kwh(at_s)

    def _plan_from(self, soc_percent: float, at_s: float, limit_kw: float) -> ChargePlan:
        assert self.car is not None
        return ChargePlan(self.car.battery, soc_percent, self.car.stop_soc, limit_kw, at_s)


# (rating in kW, guns, share of guns): an estimate, split so that 72 % of guns have >= 120 kW and
# 20 % have >= 180 kW (EVCIPA white paper 2022).
PILE_MIX = ((60.0, 1, 0.28), (120.0, 2, 0.52), (180.0, 2, 0.12), (240.0, 2, 0.05), (480.0, 2, 0.03))
PILE_WEIGHTS = tuple(share / guns for _, guns, share in PILE_MIX)


class Pile:
    """A cabinet with one or two guns that share its rated power."""

    __slots__ = ("guns", "rated_kw")

    def __init__(self, rated_kw: float) -> None:
        self.rated_kw = rated_kw
        self.guns: list[Gun] = []

    def limit_kw(self, gun: Gun) -> float:
        """What `gun` may give while it charges, with the others as they are."""
        return self.rated_kw / (1 + len(self.others_charging(gun)))

    def others_charging(self, gun: Gun) -> list[Gun]:
        """The other guns of the pile through which power flows."""
        return [other for other in self.guns if other is not gun and other.plan is not None]

    @property
    def is_idle(self) -> bool:
        """True when no gun has a car."""
        return all(gun.car is None for gun in self.guns)


def draw_piles(rng: Random, guns: int) -> list[Pile]:
    """Piles of the urban mix with `guns` guns in all, numbered from 1 across the station.

    Every pile takes one draw, so that a larger station begins like a smaller one.
    """
    piles: list[Pile] = []
    number = 0
    while number < guns:
        rated_kw, pile_guns, _ = rng.choices(PILE_MIX, PILE_WEIGHTS)[0]
        pile = Pile(rated_kw)
        for _ in range(min(pile_guns, guns - number)):
            number += 1
            pile.guns.append(Gun(number))
        piles.append(pile)
    return piles


# Percent of a day's sessions that start in each local hour; urban, an estimate shaped to the
# charging peaks 05-07, 12-16 and 23-01 of the EVCIPA white paper 2022.
# fmt: off
HOUR_SHARES = (
    4.9, 3.0, 2.1, 1.9, 2.7, 5.0, 5.2, 3.8, 3.0, 2.9, 3.3, 4.4,
    6.2, 6.4, 6.0, 5.3, 4.4, 3.7, 3.4, 3.3, 3.6, 4.1, 5.0, 6.4,
)
# fmt: on
# Direction of February, June and July from the EVCIPA bulletins of 2024; values are estimates.
MONTH_FACTORS = (0.95, 0.86, 0.97, 0.98, 0.96, 1.05, 1.12, 1.12, 1.02, 1.00, 0.98, 1.02)
SUNDAY_FACTOR, HOLIDAY_FACTOR, SPRING_FESTIVAL_FACTOR = 0.97, 0.85, 0.65
DAY_NOISE_SD = 0.08
STATION_SPREAD_CV = 0.45
SUNDAY = 6
ONE_HOUR = timedelta(hours=1)


def day_factor(day: date) -> float:
    """Daily sessions relative to an ordinary working day of an average month."""
    month = MONTH_FACTORS[day.month - 1]
    if is_spring_festival(day):
        return month * SPRING_FESTIVAL_FACTOR
    if day_kind(day).is_holiday:
        return month * HOLIDAY_FACTOR
    return month * (SUNDAY_FACTOR if day.weekday() == SUNDAY else 1.0)


def station_spread(rng: Random) -> float:
    """How busy a station is against the network's mean: gamma, mean 1, CV 0.45 (an estimate)."""
    shape = STATION_SPREAD_CV**-2
    return rng.gammavariate(shape, 1 / shape)


class Arrivals:
    """The arrival instants of one station, without end."""

    def __init__(self, profile: Profile, station_name: str) -> None:
        self._profile = profile
        self._name = station_name
        self._rng = random_stream(profile.seed, station_name, "arrivals")
        spread = station_spread(random_stream(profile.seed, station_name, "spread"))
        self._per_day = sessions_per_gun_day(profile) * old_guns(profile) * spread

    def rate_per_s(self, local: datetime) -> float:
        """Arrivals per second during the local hour of `local`."""
        return self._day_mean(local.date()) * HOUR_SHARES[local.hour] / 100 / 3600

    def times_s(self) -> Iterator[float]:
        """Story seconds of the arrivals, ascending; ends at once where nobody ever comes."""
        if self._per_day <= 0:
            return
        hazard = self._rng.expovariate(1.0)
        for begin_s, end_s, rate in self._hours():
            at_s = begin_s
            while hazard <= rate * (end_s - at_s):
                at_s += hazard / rate
                yield at_s
                hazard = self._rng.expovariate(1.0)
            hazard -= rate * (end_s - at_s)

    def _hours(self) -> Iterator[tuple[float, float, float]]:
        begin = self._profile.start
        while True:
            end = begin.replace(minute=0, second=0, microsecond=0) + ONE_HOUR
            yield self._profile.story_s(begin), self._profile.story_s(end), self.rate_per_s(begin)
            begin = end

    def _day_mean(self, day: date) -> float:
        noise = random_stream(self._profile.seed, self._name, "day", day.isoformat())
        return self._per_day * day_factor(day) * math.exp(noise.gauss(0, DAY_NOISE_SD))


Process = Generator[simpy.Event, Any, None]


@dataclass(frozen=True, slots=True)
class Session:
    """A finished charge; instants are story seconds, energy is what the gun delivered."""

    station_id: str
    gun_no: str
    car: Car
    plugged_s: float
    power_on_s: float
    power_off_s: float
    energy_kwh: float


@dataclass(frozen=True, slots=True)
class StationParameters:
    """What never changes about a station. Powers in kW, position in degrees, temperature in °C."""

    station_id: str
    name: str
    longitude: float
    latitude: float
    temperature_c: float
    grid_capacity_kva: float
    meter_id: str
    host_codes: tuple[str, ...]
    power_ids: tuple[str, ...]


class Station:
    """A station at work in a SimPy environment; begins with every gun free.

    `entity` is the name its random streams carry. `session_ended` is called with every finished
    `Session`, in order. `arrived` and `left` count drivers who came, and who left without charging.
    """

    def __init__(
        self,
        env: simpy.Environment,
        profile: Profile,
        entity: str,
        parameters: StationParameters,
        piles: Sequence[Pile],
        session_ended: Callable[[Session], None],
    ) -> None:
        self.env = env
        self.entity = entity
        self.parameters = parameters
        self.station_id = parameters.station_id
        self.piles = tuple(piles)
        self.guns = tuple(gun for pile in piles for gun in pile.guns)
        self.arrived = 0
        self.left = 0
        self._pile_of = {gun.number: pile for pile in piles for gun in pile.guns}
        self._session_ended = session_ended
        self._free = list(self.guns)
        self._waiting: deque[simpy.Event] = deque()
        self._charging: list[Gun] = []
        self._charges: dict[int, simpy.Process] = {}
        self._finished_kwh = 0.0
        self._cars = random_stream(profile.seed, entity, "cars")
        self._arrivals = Arrivals(profile, entity)
        env.process(self._receive_cars())

    @property
    def rated_kw(self) -> float:
        """Sum of the piles' rated powers."""
        return sum(pile.rated_kw for pile in self.piles)

    @property
    def charging_guns(self) -> int:
        """Guns through which power flows."""
        return len(self._charging)

    def total_power_kw(self) -> float:
        """Power of all guns now, unrounded."""
        now_s = self.env.now
        return sum(gun.power_kw(now_s) for gun in self._charging)

    def total_energy_kwh(self) -> float:
        """Energy that all guns have delivered from the story's start until now, unrounded."""
        now_s = self.env.now
        return self._finished_kwh + sum(gun.energy_kwh(now_s) for gun in self._charging)

    def _receive_cars(self) -> Process:
        for at_s in self._arrivals.times_s():
            yield self.env.timeout(max(0.0, at_s - self.env.now))
            self.arrived += 1
            self.env.process(self._visit(draw_car(self._cars)))

    def _visit(self, car: Car) -> Process:
        gun = self._take_free_gun(car)
        if gun is None:
            place = self.env.event()
            self._waiting.append(place)
            yield place | self.env.timeout(car.patience_s)
            if not place.triggered:
                self._waiting.remove(place)
                self.left += 1
                return
            gun = cast(Gun, place.value)
        yield from self._occupy(gun, car)
        self._pass_on(gun)

    def _occupy(self, gun: Gun, car: Car) -> Process:
        gun.plug(car)
        plugged_s = self.env.now
        yield self.env.timeout(car.handshake_s)
        power_on_s = self.env.now
        yield from self._charge(gun)
        energy_kwh = gun.finish()
        self._finished_kwh += energy_kwh
        self._session_ended(
            Session(
                self.station_id, gun.gun_no, car, plugged_s, power_on_s, self.env.now, energy_kwh
            )
        )
        self._share_anew(gun)
        yield self.env.timeout(car.overstay_s)
        gun.unplug()

    def _charge(self, gun: Gun) -> Process:
        assert self.env.active_process is not None
        gun.begin(self.env.now, self._pile_of[gun.number].limit_kw(gun))
        self._charges[gun.number] = self.env.active_process
        insort(self._charging, gun, key=lambda each: each.number)
        self._share_anew(gun)
        while gun.plan is not None and self.env.now < gun.plan.end_s:
            try:
                yield self.env.timeout(gun.plan.end_s - self.env.now)
                break
            except simpy.Interrupt:
                continue
        self._charging.remove(gun)
        del self._charges[gun.number]

    def _share_anew(self, gun: Gun) -> None:
        """After `gun` began or finished, the guns beside it go on under the pile's new limit."""
        pile = self._pile_of[gun.number]
        for other in pile.others_charging(gun):
            other.limit(self.env.now, pile.limit_kw(other))
            if other.number in self._charges:
                self._charges[other.number].interrupt("the pile shares its power anew")

    def _take_free_gun(self, car: Car) -> Gun | None:
        """A free gun, on an idle pile if there is one; the car's own draw picks among equals."""
        if not self._free:
            return None
        best = [gun for gun in self._free if self._pile_of[gun.number].is_idle] or self._free
        gun = best[int(car.choice * len(best))]
        self._free.remove(gun)
        return gun

    def _pass_on(self, gun: Gun) -> None:
        """Give the gun to the driver who has waited longest, else count it as free."""
        if self._waiting:
            self._waiting.popleft().succeed(gun)
        else:
            insort(self._free, gun, key=lambda each: each.number)
