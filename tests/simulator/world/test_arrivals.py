"""When cars come: hour shares, days, prices, weather, and the order of arrivals."""

from collections import Counter
from datetime import date
from itertools import takewhile

import pytest

from station_sim.world.arrivals import Arrivals, day_factor, weather_factor
from station_sim.world.charging_network import Network
from station_sim.world.demand import DEMANDS
from station_sim.world.profile import Profile
from station_sim.world.site import SiteType
from station_sim.world.tariffs import Tariffs
from station_sim.world.weather import Condition, DayWeather, weather_of

DAYS = 60
DAY_S, HOUR_S = 86_400.0, 3600.0
URBAN, CORRIDOR, HUB = (DEMANDS[each] for each in (SiteType.URBAN, SiteType.CORRIDOR, SiteType.HUB))
BUSY = Profile(stations=1, guns_per_station=200, seed=11, fixed_temperature_c=20.0)


def arrivals_of(profile: Profile) -> Arrivals:
    site, weather = Network(profile).site(0), weather_of(profile)
    tariffs = Tariffs(profile.seed, site.entity, site.site_type, weather)
    return Arrivals(site, profile, weather, tariffs)


def times_within(profile: Profile, until_s: float) -> list[float]:
    return list(takewhile(lambda at_s: at_s < until_s, arrivals_of(profile).times_s()))


@pytest.mark.parametrize("site_type", SiteType)
def test_hour_shares_are_whole(site_type: SiteType) -> None:
    assert pytest.approx(100, abs=0.11) == sum(DEMANDS[site_type].hours)
    assert pytest.approx(100, abs=0.11) == sum(DEMANDS[site_type].weekend_hours)


def test_the_peaks_are_where_the_white_paper_has_them() -> None:
    hours = URBAN.hours
    assert pytest.approx(24, abs=0.5) == sum(hours[12:16])
    assert pytest.approx(11.3) == hours[23] + hours[0]
    assert pytest.approx(10.2) == hours[5] + hours[6]
    assert sum(hours[2:4]) < 5


def test_arrivals_ascend_and_follow_the_hour_shares() -> None:
    times = times_within(BUSY, DAYS * DAY_S)
    assert sorted(times) == times
    hours = Counter(BUSY.local_time(at_s).hour for at_s in times)
    for hour, percent in enumerate(URBAN.hours):
        share = percent / 100
        four_standard_deviations = 4 * (share * (1 - share) / len(times)) ** 0.5
        assert share == pytest.approx(hours[hour] / len(times), abs=four_standard_deviations)


def test_as_many_come_as_expected() -> None:
    arrivals = arrivals_of(BUSY)
    hours = range(int(DAYS * 24))
    expected = sum(arrivals.expected(hour * HOUR_S) for hour in hours)
    times = takewhile(lambda at_s: at_s < DAYS * DAY_S, arrivals.times_s())
    assert expected == pytest.approx(len(list(times)), rel=0.04)


def test_more_come_just_after_the_price_has_fallen() -> None:
    minutes = [at_s % DAY_S / 60 for at_s in times_within(BUSY, DAYS * DAY_S)]
    first, rest = (sum(a <= each < b for each in minutes) for a, b in ((0, 20), (20, 60)))
    assert pytest.approx(1.6, rel=0.1) == (first / 20) / (rest / 40)


@pytest.mark.parametrize(
    ("day", "urban", "corridor"),
    [
        (date(2026, 3, 4), 0.97, 0.97),
        (date(2026, 3, 7), 0.97, 0.97 * 0.95),
        (date(2026, 3, 8), 0.97 * 0.97, 0.97 * 1.05),
        (date(2026, 5, 2), 0.96 * 0.85, 0.96 * CORRIDOR.holiday),
        (date(2026, 5, 1), 0.96 * 0.85, 0.96 * CORRIDOR.holiday * 1.14),
        (date(2026, 2, 18), 0.86 * 0.65, 0.86 * 1.7),
        (date(2026, 10, 10), 1.0, 1.0),  # a Saturday on which people work
    ],
)
def test_days_differ(day: date, urban: float, corridor: float) -> None:
    assert pytest.approx((urban, corridor)) == (day_factor(URBAN, day), day_factor(CORRIDOR, day))


@pytest.mark.parametrize(
    ("condition", "low", "high", "factor"),
    [
        (Condition.CLEAR, 15, 25, 1.0),
        (Condition.OVERCAST, 15, 25, 1.0),
        (Condition.LIGHT_RAIN, 15, 25, 0.97),
        (Condition.HEAVY_RAIN, 15, 25, 0.85),
        (Condition.CLEAR, -3, 4, 1.10),
        (Condition.CLEAR, 27, 36, 1.06),
        (Condition.SNOW, -3, 1, 0.97 * 1.10),
    ],
)
def test_weather_matters(condition: Condition, low: float, high: float, factor: float) -> None:
    assert pytest.approx(factor) == weather_factor(URBAN, DayWeather(condition, low, high))


def test_rain_drives_people_into_taxis() -> None:
    assert 1.03 == weather_factor(HUB, DayWeather(Condition.MODERATE_RAIN, 15, 25))


def test_the_day_before_a_long_holiday_is_busy_on_motorways() -> None:
    start = BUSY.start.replace(month=9, day=29)
    mix = {"corridor": 1.0}
    arrivals = arrivals_of(Profile(stations=1, start=start, site_mix=mix, fixed_temperature_c=20))
    noon_s, day_s = 12 * HOUR_S, DAY_S
    ordinary, eve = arrivals.expected(noon_s), arrivals.expected(day_s + noon_s)
    assert pytest.approx(1.5) == eve / ordinary


def test_nobody_comes_to_a_station_without_guns() -> None:
    empty = Profile(stations=1, guns_per_station=0)
    assert [] == list(arrivals_of(empty).times_s())


def test_a_story_may_begin_within_an_hour() -> None:
    whole = Profile(stations=1, guns_per_station=40, seed=1)
    start = whole.start.replace(hour=9, minute=40)
    times = times_within(Profile(stations=1, guns_per_station=40, seed=1, start=start), DAY_S)
    assert 0 < times[0]
    arrivals = arrivals_of(whole)
    expected = sum(arrivals.expected(hour * HOUR_S) for hour in range(24))
    assert expected == pytest.approx(len(times), abs=5 * expected**0.5)
