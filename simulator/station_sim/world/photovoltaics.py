"""Panels on a station's roofs: what they give, minute by minute, and what was expected of them.

Power is linear between the minutes of a day, so that energy is the exact integral of power. A day
is a pure function of seed, station and date: any day may be asked for, in the future too.
"""

from collections import OrderedDict
from datetime import date

import numpy as np
import numpy.typing as npt

from station_sim.world.clouds import MINUTES, clearness
from station_sim.world.local_days import LocalDays
from station_sim.world.polyline import Polyline
from station_sim.world.random_streams import random_stream
from station_sim.world.steps import Floats
from station_sim.world.sun import KNOTS, STEP_S, clear_day, longest_light_s
from station_sim.world.weather import ENERGY_SHARE, Weather

GAMMA_PER_K = -0.0037  # pvlib's PVWatts: -0.002 to -0.005 for crystalline silicon
LOSSES = 0.141  # PVWatts' defaults in all: soiling, shade, mismatch, wiring, availability ...
INVERTER_EFFICIENCY = 0.96
REFERENCE_W_PER_M2, REFERENCE_C = 1000.0, 25.0
CELL_ABOVE_AIR_K = 0.030  # kelvin per W/m2 on a ventilated roof (an estimate)
# Roofs are as flat as the rain allows in the south and steeper in the north (an estimate).
TILT_BASE_LATITUDE, TILT_MIN = 18.0, 5.0
AZIMUTH, AZIMUTH_SPREAD = 180.0, 25.0
KEPT_DAYS = 8
HOUR_S = 3600.0
MINUTES_S = 60 * np.arange(MINUTES, dtype=np.float64)  # since midnight

QUARTERS = 96
# The forecast knows the day's clouds in part, and the day's level not quite (estimates, so that
# the mean absolute error of quarter hours in daylight is 15 to 25 %, the bias none).
KNOWN_SHARE = 0.30
FORECAST_LEVEL_SD = 0.20
FORECAST_MEMORY_QUARTERS = 8


class Panels:
    """One station's panels with `kwp` peak power; none of it when that is 0. Powers in kW."""

    def __init__(self, seed: int, entity: str, kwp: float, weather: Weather) -> None:
        rng = random_stream(seed, entity, "panels")
        self.kwp = kwp
        self.tilt = max(TILT_MIN, weather.city.latitude - TILT_BASE_LATITUDE) + rng.uniform(-2, 2)
        self.azimuth = AZIMUTH + rng.uniform(-AZIMUTH_SPREAD, AZIMUTH_SPREAD)
        self._seed, self._entity = seed, entity
        self._weather = weather
        self._days: LocalDays = weather.days
        self._light_s = longest_light_s(weather.city.latitude, weather.city.longitude)
        self._courses: OrderedDict[int, Polyline] = OrderedDict()
        self._sums_kwh: list[float] = []  # from the story's start to each day's midnight, AC

    def kw(self, times_s: Floats) -> Floats:
        """AC power at instants."""
        if self.kwp <= 0:
            return np.zeros(len(times_s))
        found = np.zeros(len(times_s))
        numbers, is_light = self._days.numbers(times_s), self._is_light(times_s)
        for number in np.unique(numbers[is_light]):
            on_day = is_light & (numbers == number)
            found[on_day] = self._course(int(number)).at(times_s[on_day])
        return found

    def kwh(self, times_s: Floats) -> Floats:
        """AC energy from the story's start to instants at or after it."""
        if self.kwp <= 0:
            return np.zeros(len(times_s))
        found = np.empty(len(times_s))
        numbers = self._days.numbers(times_s)
        for number in np.unique(numbers):
            on_day = numbers == number
            since_kwh = self._course(int(number)).integral(times_s[on_day])
            found[on_day] = self._sum_kwh(int(number)) + since_kwh
        return found

    def dc_kw(self, times_s: Floats) -> Floats:
        """DC power, before the inverter."""
        return self.kw(times_s) / INVERTER_EFFICIENCY

    def most_kw(self, begin_s: float, end_s: float) -> float:
        """The highest AC power within an hour or so."""
        if self.kwp <= 0:
            return 0.0
        if end_s - begin_s < HOUR_S and not self._is_light(np.array([begin_s, end_s])).any():
            return 0.0
        numbers = {self._days.number(begin_s), self._days.number(end_s)}
        return max(self._course(number).most(begin_s, end_s) for number in numbers)

    def forecast_dc_kw(self, day: date) -> Floats:
        """DC power that was expected the day before, in the mean of each of 96 quarter hours."""
        if self.kwp <= 0:
            return np.zeros(QUARTERS)
        condition = self._weather.day(day).condition
        usual = self._day_kw(day, np.full(MINUTES, ENERGY_SHARE[condition]))
        known = self._day_kw(day, self._clearness(day))
        expected = (1 - KNOWN_SHARE) * usual + KNOWN_SHARE * known
        found: Floats = _quarter_means(expected) * self._forecast_errors(day)
        return found / INVERTER_EFFICIENCY

    def forget(self, before_s: float) -> None:
        """Let go of the courses of days before an instant."""
        for number in [each for each in self._courses if each < self._days.number(before_s)]:
            del self._courses[number]

    def _is_light(self, times_s: Floats) -> npt.NDArray[np.bool_]:
        """Whether the sun may be up: at night nobody needs to know where it stands."""
        seconds = self._days.seconds(times_s)
        found: npt.NDArray[np.bool_] = (seconds >= self._light_s[0]) & (seconds <= self._light_s[1])
        return found

    def _course(self, number: int) -> Polyline:
        if number not in self._courses:
            day = self._days.date(number)
            minutes_s = self._days.begin_s(number) + MINUTES_S
            self._courses[number] = Polyline(minutes_s, self._day_kw(day, self._clearness(day)))
            while len(self._courses) > KEPT_DAYS:
                self._courses.popitem(last=False)
        self._courses.move_to_end(number)
        return self._courses[number]

    def _sum_kwh(self, number: int) -> float:
        if not self._sums_kwh:
            self._sums_kwh.append(-float(self._course(0).integral(np.array([0.0]))[0]))
        while len(self._sums_kwh) <= number:
            last = len(self._sums_kwh) - 1
            self._sums_kwh.append(self._sums_kwh[last] + self._course(last).whole)
        return self._sums_kwh[number]

    def _clearness(self, day: date) -> Floats:
        return clearness(self._seed, self._entity, day, self._weather.day(day).condition)

    def _day_kw(self, day: date, shares: Floats) -> Floats:
        """AC power at each minute of a day whose sky lets `shares` of the light through."""
        sun = clear_day(self._weather.city.latitude, self._weather.city.longitude, day)
        knots_s = STEP_S * np.arange(KNOTS)
        clear = np.interp(MINUTES_S, knots_s, sun.on_plane(self.tilt, self.azimuth))
        is_up = np.interp(MINUTES_S, knots_s, sun.zenith) < 90
        light = np.where(is_up, clear * shares, 0.0)
        begin_s = self._days.begin_s(self._days.number_of(day))
        cell_c = self._weather.outdoor_c(begin_s + MINUTES_S) + CELL_ABOVE_AIR_K * light
        dc_kw = light / REFERENCE_W_PER_M2 * self.kwp * (1 + GAMMA_PER_K * (cell_c - REFERENCE_C))
        found: Floats = dc_kw * (1 - LOSSES) * INVERTER_EFFICIENCY
        return found

    def _forecast_errors(self, day: date) -> Floats:
        rng = random_stream(self._seed, self._entity, "forecast", day.isoformat())
        memory = np.exp(-1 / FORECAST_MEMORY_QUARTERS)
        state, errors = rng.gauss(0, 1), []
        for _ in range(QUARTERS):
            state = memory * state + np.sqrt(1 - memory**2) * rng.gauss(0, 1)
            errors.append(state)
        return np.maximum(1 + FORECAST_LEVEL_SD * np.array(errors), 0.2)


def _quarter_means(minutes: Floats) -> Floats:
    """Means over 96 quarter hours of a course that is linear between the 1441 minutes."""
    middles = (minutes[1:] + minutes[:-1]) / 2
    found: Floats = middles.reshape(QUARTERS, -1).mean(axis=1)
    return found
