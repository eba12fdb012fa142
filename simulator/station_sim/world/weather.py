"""The weather of a place, day by day: a pure function of the seed, the place and the date.

Half a month has its climate's share of each condition, in spells of like days; temperatures swing
around the climate's from week to week. Both are estimates. What passes over one station within
minutes is `clouds`', what the climate is `climate`'s.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from math import exp, sqrt
from typing import Protocol

import numpy as np

from station_sim.world.climate import City, Climate, climate_at
from station_sim.world.local_days import LocalDays
from station_sim.world.random_streams import random_stream
from station_sim.world.steps import Floats


class Condition(StrEnum):
    """What a day is like, in the words of the wire."""

    CLEAR = "晴"
    CLOUDY = "多云"
    OVERCAST = "阴"
    LIGHT_RAIN = "小雨"
    MODERATE_RAIN = "中雨"
    HEAVY_RAIN = "大雨"
    SNOW = "雪"


class Rain(Enum):
    """How much falls, as drivers know it; snow counts as light."""

    DRY = 0
    LIGHT = 1
    MODERATE = 2
    HEAVY = 3


class Season(StrEnum):
    """The seasons by whole months, spring from March."""

    SPRING = "春"
    SUMMER = "夏"
    AUTUMN = "秋"
    WINTER = "冬"


# Of a clear sky's energy (an estimate; 0.18 in the mean of all rain).
ENERGY_SHARE = {
    Condition.CLEAR: 0.95,
    Condition.CLOUDY: 0.68,
    Condition.OVERCAST: 0.35,
    Condition.LIGHT_RAIN: 0.20,
    Condition.MODERATE_RAIN: 0.15,
    Condition.HEAVY_RAIN: 0.10,
    Condition.SNOW: 0.15,
}
RAINS = (
    (Condition.LIGHT_RAIN, 0.70),
    (Condition.MODERATE_RAIN, 0.22),
    (Condition.HEAVY_RAIN, 0.08),
)
RAIN_OF = {
    Condition.LIGHT_RAIN: Rain.LIGHT,
    Condition.MODERATE_RAIN: Rain.MODERATE,
    Condition.HEAVY_RAIN: Rain.HEAVY,
    Condition.SNOW: Rain.LIGHT,
}
# What a condition does to the day's lowest and highest temperature, in kelvin (an estimate).
SHIFT_K = {
    Condition.CLEAR: (-0.8, 1.2),
    Condition.CLOUDY: (0.0, 0.3),
    Condition.OVERCAST: (0.5, -1.2),
}
RAIN_SHIFT_K = (0.3, -2.5)

HALF_MONTH_DAYS = 15
SPELL_MEMORY = 0.6  # correlation of one day's sky with the next (an estimate)
SWING_MEMORY, SWING_DAYS = 0.75, 14
SWING_SD_K = (1.6, 3.2)  # of daily means around the climate's, summer and winter (an estimate)
SNOW_BELOW_C = 0.5
RANGE_MIN_K = 2.0
HOT_C = 35.0
COLDEST_S, WARMEST_S = 6 * 3600.0, 15 * 3600.0
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayWeather:
    """One day's sky and extremes, in °C."""

    condition: Condition
    min_c: float
    max_c: float

    @property
    def is_hot(self) -> bool:
        """True from 35 °C on: prices are sharp then."""
        return self.max_c >= HOT_C

    @property
    def rain(self) -> Rain:
        """How much falls."""
        return RAIN_OF.get(self.condition, Rain.DRY)


class WeatherProfile(Protocol):
    """What weather needs of a profile."""

    @property
    def seed(self) -> int: ...

    @property
    def start(self) -> datetime: ...

    @property
    def city(self) -> City: ...

    @property
    def fixed_temperature_c(self) -> float | None: ...


def weather_of(profile: WeatherProfile) -> "Weather":
    """The weather of a profile's city, shared by all who ask."""
    return _weather(profile.seed, profile.city, profile.start, profile.fixed_temperature_c)


class Weather:
    """A place's weather; days are local dates, instants story seconds since `start`.

    `always_c` puts one temperature in the place of all: for comparisons.
    """

    def __init__(
        self, seed: int, city: City, start: datetime, always_c: float | None = None
    ) -> None:
        self.city = city
        self.days = LocalDays(start)
        self._seed = seed
        self._entity = f"weather {city.latitude:.2f} {city.longitude:.2f}"
        self._climate = climate_at(city.latitude)
        self._always_c = always_c
        self._known: dict[date, DayWeather] = {}

    def day(self, day: date) -> DayWeather:
        """The weather of a date."""
        if day not in self._known:
            if len(self._known) > 4096:
                self._known.clear()
            self._known[day] = self._find(day)
        return self._known[day]

    def season(self, day: date) -> Season:
        """The season of a date."""
        return tuple(Season)[(day.month - 3) % 12 // 3]

    def outdoor_c(self, times_s: Floats) -> Floats:
        """Temperature at instants: between the day's lowest at 6 h and highest at 15 h half
        cosines, without a jump at midnight."""
        if self._always_c is not None or not len(times_s):
            return np.full(len(times_s), self._always_c or 0.0)
        numbers, seconds = self.days.numbers(times_s), self.days.seconds(times_s)
        first, last = int(numbers.min()) - 1, int(numbers.max()) + 1
        days = [self.day(self.days.date(number)) for number in range(first, last + 1)]
        lows, highs = np.array([each.min_c for each in days]), np.array([e.max_c for e in days])
        places = numbers - first
        night_s = 86_400 - WARMEST_S + COLDEST_S
        morning, evening = seconds < COLDEST_S, seconds >= WARMEST_S
        since_warmest_s = np.where(morning, seconds + 86_400 - WARMEST_S, seconds - WARMEST_S)
        falling = morning | evening
        low = lows[places + evening]
        high = highs[places - morning]
        share = np.where(
            falling,
            since_warmest_s / night_s,
            1 + (seconds - COLDEST_S) / (WARMEST_S - COLDEST_S),
        )
        found: Floats = low + (high - low) * (1 + np.cos(np.pi * share)) / 2
        return found

    def outdoor_c_at(self, at_s: float) -> float:
        """Temperature at one instant."""
        return float(self.outdoor_c(np.array([at_s]))[0])

    def hottest_c(self, at_s: float) -> float:
        """No less than the temperature at an instant, and found faster."""
        day = self.days.date(self.days.number(at_s))
        before, today, after = (self.day(day + days * ONE_DAY) for days in (-1, 0, 1))
        return max(before.max_c, today.max_c, after.min_c)

    def _find(self, day: date) -> DayWeather:
        sky = _month_skies(self._seed, self._entity, self._climate, day.year, day.month)[
            day.day - 1
        ]
        swing_k = _swing(self._seed, self._entity, day) * _swing_sd_k(day)
        low = _usual(self._climate.lows_c, day) + swing_k
        high = _usual(self._climate.highs_c, day) + swing_k
        down_k, up_k = SHIFT_K.get(sky, RAIN_SHIFT_K)
        low, high = low + down_k, max(high + up_k, low + down_k + RANGE_MIN_K)
        if sky in RAIN_OF and (low + high) / 2 < SNOW_BELOW_C:
            sky = Condition.SNOW
        if self._always_c is not None:
            low = high = self._always_c
        return DayWeather(sky, round(low, 1), round(high, 1))


@lru_cache(maxsize=64)
def _weather(seed: int, city: City, start: datetime, always_c: float | None) -> Weather:
    return Weather(seed, city, start, always_c)


def sky_shares(rain: float, sunshine: float) -> list[tuple[Condition, float]]:
    """The share of days of each condition, from the driest on, that gives a month's sunshine.

    Dry days are clear, cloudy or overcast as two throws of a coin with the probability `bright`
    are heads twice, once, or never.
    """
    wet = sum(share * ENERGY_SHARE[each] for each, share in RAINS)
    dry = (sunshine - rain * wet) / (1 - rain)
    clear, cloudy, overcast = (ENERGY_SHARE[each] for each in tuple(Condition)[:3])
    # overcast + 2 (cloudy - overcast) b + (clear - 2 cloudy + overcast) b^2 = dry
    square, linear = clear - 2 * cloudy + overcast, 2 * (cloudy - overcast)
    root = sqrt(max(0.0, linear**2 - 4 * square * (overcast - dry)))
    bright = min(max((root - linear) / (2 * square), 0.0), 1.0)
    throws = (bright**2, 2 * bright * (1 - bright), (1 - bright) ** 2)
    skies = [(tuple(Condition)[place], (1 - rain) * share) for place, share in enumerate(throws)]
    return skies + [(each, rain * share) for each, share in RAINS]


@lru_cache(maxsize=512)
def _month_skies(
    seed: int, entity: str, climate: Climate, year: int, month: int
) -> tuple[Condition, ...]:
    """Each day's condition: each half month's days ranked by a wetness that remembers the day
    before, so that a month of days has about its climate's skies wherever it begins."""
    rng = random_stream(seed, entity, "sky", year, month)
    days = (date(year + month // 12, month % 12 + 1, 1) - date(year, month, 1)).days
    wetness = [rng.gauss(0, 1)]
    while len(wetness) < days:
        news = rng.gauss(0, sqrt(1 - SPELL_MEMORY**2))
        wetness.append(SPELL_MEMORY * wetness[-1] + news)
    skies = sky_shares(climate.rain[month - 1], climate.sunshine[month - 1])
    bounds = np.cumsum([share for _, share in skies])
    found: list[Condition] = []
    for half in (wetness[:HALF_MONTH_DAYS], wetness[HALF_MONTH_DAYS:]):
        ranks = np.argsort(np.argsort(half))
        shares = (ranks + rng.random()) / len(half)
        places = np.searchsorted(bounds[:-1], shares, side="right")
        found += [skies[place][0] for place in places.tolist()]
    return tuple(found)


def _usual(months: tuple[float, ...], day: date) -> float:
    """A monthly mean on a day: linear between the middles of the months."""
    place = day.month - 1 + (day.day - 15) / 30.5
    return float(np.interp(place, range(-1, 13), (months[-1], *months, months[0])))


def _swing(seed: int, entity: str, day: date) -> float:
    """How far a day is from the usual, standard normal, remembering about four days."""
    weights = [SWING_MEMORY**age for age in range(SWING_DAYS)]
    news = [_news(seed, entity, day - age * ONE_DAY) for age in range(SWING_DAYS)]
    total = sum(weight * each for weight, each in zip(weights, news, strict=True))
    return total / sqrt(sum(weight**2 for weight in weights))


@lru_cache(maxsize=8192)
def _news(seed: int, entity: str, day: date) -> float:
    """What a day's weather brings, standard normal."""
    return random_stream(seed, entity, "swing", day.isoformat()).gauss(0, 1)


def _swing_sd_k(day: date) -> float:
    summer, winter = SWING_SD_K
    warm = exp(-(((day.timetuple().tm_yday - 200) / 75) ** 2))
    return winter + (summer - winter) * warm
