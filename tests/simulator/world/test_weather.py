"""Weather: a pure function of seed and date, plausible by season and latitude."""

import itertools
from collections import Counter
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from tests.simulator.world.energy_doubles import DAY_S, MARCH, SomeCity, weather

from station_sim.world.profile import STATION_TIMEZONE
from station_sim.world.weather import Condition, DayWeather, Rain, Season, Weather

HARBIN = SomeCity(45.8, 126.5)
YEAR = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def test_a_day_does_not_depend_on_what_was_asked_before() -> None:
    forward, backward = weather(3), weather(3)
    expected = [forward.day(day) for day in YEAR[:70]]
    assert expected == [backward.day(day) for day in reversed(YEAR[:70])][::-1]


def test_another_seed_has_other_weather() -> None:
    assert [weather(3).day(day) for day in YEAR] != [weather(4).day(day) for day in YEAR]


def test_the_story_may_begin_on_any_day() -> None:
    later = Weather(3, SomeCity(), MARCH + timedelta(days=20))
    assert weather(3).day(YEAR[100]) == later.day(YEAR[100])


def test_seasons() -> None:
    seasons = [weather().season(date(2026, month, 1)) for month in (2, 3, 6, 9, 12)]
    winter, spring, summer, autumn = Season.WINTER, Season.SPRING, Season.SUMMER, Season.AUTUMN
    assert [winter, spring, summer, autumn, winter] == seasons


@pytest.mark.parametrize("city", [SomeCity(), HARBIN])
def test_summer_is_warmer_than_winter_and_noon_than_night(city: SomeCity) -> None:
    days = [weather(5, city=city).day(day) for day in YEAR]
    assert all(day.max_c >= day.min_c + 1.9 for day in days)
    assert np.mean([day.max_c for day in days[181:243]]) > 10 + np.mean(
        [day.max_c for day in days[:59]]
    )


def test_only_the_north_has_snow_and_only_the_south_many_hot_days() -> None:
    south = [weather(5).day(day) for day in YEAR]
    north = [weather(5, city=HARBIN).day(day) for day in YEAR]
    assert not any(day.condition is Condition.SNOW for day in south)
    assert 5 <= sum(day.condition is Condition.SNOW for day in north)
    assert all(day.min_c < 0.5 for day in north if day.condition is Condition.SNOW)
    assert 8 <= sum(day.is_hot for day in south) <= 50
    assert 3 >= sum(day.is_hot for day in north)


def test_it_is_never_warmer_than_the_hottest_told() -> None:
    sky = weather(5)
    times_s = np.arange(0.0, 365 * DAY_S, 3000.0)
    hottest_c = np.array([sky.hottest_c(at_s) for at_s in times_s.tolist()])
    excess_k = sky.outdoor_c(times_s) - hottest_c
    assert excess_k.max() < 1e-9
    assert excess_k.max() > -0.1


def test_skies_come_in_spells() -> None:
    sky = weather(5)
    dull = [sky.day(day).condition not in (Condition.CLEAR, Condition.CLOUDY) for day in YEAR]
    again = sum(a and b for a, b in itertools.pairwise(dull)) / sum(dull)
    assert again > 1.2 * sum(dull) / len(dull)


def test_a_month_has_the_climates_rain() -> None:
    skies = Counter(
        weather(seed).day(date(2026, 4, 1 + n)).rain for seed in range(20) for n in range(30)
    )
    wet = sum(count for rain, count in skies.items() if rain is not Rain.DRY)
    assert pytest.approx(0.28 * 600, rel=0.1) == wet
    assert skies[Rain.LIGHT] > skies[Rain.MODERATE] > skies[Rain.HEAVY] > 0


def test_outdoor_temperature_meets_the_days_extremes() -> None:
    sky = weather()
    hours_c = sky.outdoor_c(np.arange(10 * 24) * 3600.0).reshape(10, 24)
    days = [sky.day(date(2026, 3, 1 + number)) for number in range(10)]
    assert [day.min_c for day in days] == pytest.approx(hours_c[:, 6])
    assert [day.max_c for day in days] == pytest.approx(hours_c[:, 15])
    assert sky.outdoor_c_at(7200.0) == hours_c[0, 2]


def test_outdoor_temperature_never_jumps_and_does_not_depend_on_chunks() -> None:
    sky = Weather(7, SomeCity(), datetime(2026, 3, 1, 17, 12, 9, tzinfo=STATION_TIMEZONE))
    times_s = np.arange(0, 5 * DAY_S, 60.0)
    whole = sky.outdoor_c(times_s)
    assert np.abs(np.diff(whole)).max() < 0.15
    assert np.concatenate([sky.outdoor_c(part) for part in np.split(times_s, 20)]).tolist() == (
        whole.tolist()
    )


def test_one_temperature_for_comparisons() -> None:
    sky = Weather(7, SomeCity(), MARCH, always_c=0.0)
    assert [0.0, 0.0] == sky.outdoor_c(np.array([0.0, 5e5])).tolist()
    assert (0.0, 0.0) == (sky.day(YEAR[3]).min_c, sky.day(YEAR[3]).max_c)


def test_hot_from_35_degrees_on() -> None:
    assert DayWeather(Condition.CLEAR, 26.0, 35.0).is_hot
    assert not DayWeather(Condition.CLEAR, 26.0, 34.9).is_hot
