"""When cars arrive at a station: an inhomogeneous Poisson process, exact to the hour.

The rate is constant within a local hour. Who arrives is `cars`' business, what an arrival finds is
`station`'s. Left out so far: weather, price response, other site types than urban.
"""

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from station_sim.world.profile import Profile
from station_sim.world.public_holidays import day_kind, is_spring_festival
from station_sim.world.random_streams import random_stream

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
        self._per_day = profile.sessions_per_gun_day * profile.guns_per_station * spread

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
