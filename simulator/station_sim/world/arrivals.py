"""When cars come to a station: an inhomogeneous Poisson process, exact to the minute.

The intensity is piecewise constant: by hour, and in the first twenty minutes after the price falls
into the valley. Figures are `demand`'s; who arrives is `cars`' business, what an arrival finds is
`station`'s.
"""

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from station_sim.world.cars import RETRY_SUCCESS_SHARE, START_FAILURE_SHARE
from station_sim.world.demand import COLD_FACTOR, DEMANDS, HOT_FACTOR, MONTH_FACTORS, Demand
from station_sim.world.profile import Profile
from station_sim.world.public_holidays import ONE_DAY, day_kind, holiday_around, is_spring_festival
from station_sim.world.random_streams import random_stream
from station_sim.world.site import StationSite
from station_sim.world.tariffs import VALLEY, Tariffs
from station_sim.world.weather import DayWeather, Rain, Weather

HOUR_S = 3600.0
NEVER_START_SHARE = START_FAILURE_SHARE * (1 - RETRY_SUCCESS_SHARE)
"""Of those who come; the figures of `demand` count sessions."""

ONE_HOUR = timedelta(hours=1)
SUNDAY = 6
LONG_HOLIDAY_DAYS = 5
EVE_HOURS = range(9, 21)
JUMP_S = 1200.0
HALF_HOUR_S = 1800.0


def day_factor(demand: Demand, day: date) -> float:
    """Daily sessions relative to an ordinary working day of an average month."""
    month = MONTH_FACTORS[day.month - 1] if demand.follows_months else 1.0
    holiday = holiday_around(day)
    if holiday:
        edge = demand.edge_days if _is_edge(holiday, day) else 1.0
        spring = is_spring_festival(day)
        return month * edge * (demand.spring_festival if spring else demand.holiday)
    if not day_kind(day).is_weekend:
        return month
    return month * (demand.sunday if day.weekday() == SUNDAY else demand.saturday)


def weather_factor(demand: Demand, weather: DayWeather) -> float:
    """Rain keeps some away; cold and heat make all need more."""
    rain = 1.0 if weather.rain is Rain.DRY else demand.rain[weather.rain.value - 1]
    if weather.min_c < 0:
        return rain * COLD_FACTOR
    return rain * (HOT_FACTOR if weather.max_c > 35 else 1.0)


class Arrivals:
    """The arrival instants of one station, without end."""

    def __init__(
        self, site: StationSite, profile: Profile, weather: Weather, tariffs: Tariffs
    ) -> None:
        self._site = site
        self._profile = profile
        self._weather = weather
        self._tariffs = tariffs
        self._demand = DEMANDS[site.site_type]
        self._rng = random_stream(profile.seed, site.entity, "arrivals")
        stated = profile.sessions_per_gun_day
        base = self._demand.per_gun_day if stated is None else stated
        self._per_day = base / (1 - NEVER_START_SHARE) * len(site.guns) * site.busyness
        self._means: dict[date, float] = {}

    def expected(self, hour_s: float) -> float:
        """Arrivals expected in the local hour that begins at a story second, without day noise."""
        return self._hourly(self._profile.local_time(hour_s))

    def times_s(self) -> Iterator[float]:
        """Story seconds of the arrivals, ascending; ends at once where nobody ever comes."""
        if self._per_day <= 0:
            return
        hazard = self._rng.expovariate(1.0)
        for begin_s, end_s, rate in self._pieces():
            at_s = begin_s
            while hazard <= rate * (end_s - at_s):
                at_s += hazard / rate
                yield at_s
                hazard = self._rng.expovariate(1.0)
            hazard -= rate * (end_s - at_s)

    def _pieces(self) -> Iterator[tuple[float, float, float]]:
        """Begin, end and arrivals per second of every stretch of constant intensity."""
        hour = self._profile.start.replace(minute=0, second=0, microsecond=0)
        while True:
            begin_s = self._profile.story_s(hour)
            rate = self._hourly(hour) * self._noise(hour.date()) / HOUR_S
            for from_s, to_s, weight in self._jump(hour):
                if begin_s + to_s > 0:
                    yield max(begin_s + from_s, 0.0), begin_s + to_s, rate * weight
            hour += ONE_HOUR

    def _hourly(self, hour: datetime) -> float:
        day = hour.date()
        if day not in self._means:
            self._means = {day: self._day_mean(day)}
        is_free = day_kind(day).is_weekend or day_kind(day).is_holiday
        shares = self._demand.weekend_hours if is_free else self._demand.hours
        eve = self._demand.eve if hour.hour in EVE_HOURS and _is_eve(day) else 1.0
        return self._means[day] * shares[hour.hour] / 100 * eve

    def _day_mean(self, day: date) -> float:
        weather = weather_factor(self._demand, self._weather.day(day))
        return self._per_day * day_factor(self._demand, day) * weather * self._price_factor(day)

    def _price_factor(self, day: date) -> float:
        """A station whose fee is higher than usual has fewer drivers, by the price elasticity."""
        tariff = self._tariffs.on(day)
        energy = sum(tariff.energy_price[code] for code in tariff.codes)
        fees = sum(tariff.service_fee[code] for code in tariff.codes)
        usual = self._demand.fee_cny * len(tariff.codes)
        return float(((energy + fees) / (energy + usual)) ** self._demand.elasticity)

    def _noise(self, day: date) -> float:
        sd = self._demand.day_noise_sd
        rng = random_stream(self._profile.seed, self._site.entity, "day", day.isoformat())
        return math.exp(rng.gauss(-sd * sd / 2, sd))

    def _jump(self, hour: datetime) -> list[tuple[float, float, float]]:
        """Stretches of an hour with their weights, which leave the hour's sum as it is."""
        fall_s = self._price_fall_s(hour)
        if fall_s is None or self._demand.jump == 1.0:
            return [(0.0, HOUR_S, 1.0)]
        scale = HOUR_S / (HOUR_S + (self._demand.jump - 1) * JUMP_S)
        stretches = [
            (0.0, fall_s, scale),
            (fall_s, fall_s + JUMP_S, scale * self._demand.jump),
            (fall_s + JUMP_S, HOUR_S, scale),
        ]
        return [each for each in stretches if each[0] < each[1]]

    def _price_fall_s(self, hour: datetime) -> float | None:
        """Seconds into the hour at which the valley begins, if it does."""
        codes = self._tariffs.on(hour.date()).codes
        for half in (0, 1):
            number = 2 * hour.hour + half
            if codes[number] == VALLEY and codes[number - 1] != VALLEY:
                return half * HALF_HOUR_S
        return None


def _is_edge(holiday: list[date], day: date) -> bool:
    return len(holiday) >= LONG_HOLIDAY_DAYS and day in (holiday[0], holiday[-1])


def _is_eve(day: date) -> bool:
    """The day before a long holiday."""
    if day_kind(day).is_holiday:
        return False
    return len(holiday_around(day + ONE_DAY)) >= LONG_HOLIDAY_DAYS
