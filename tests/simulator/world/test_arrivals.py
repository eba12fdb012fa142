"""When cars come: hour shares, days, and the order of arrivals."""

from collections import Counter
from datetime import date
from itertools import takewhile

import pytest

from station_sim.world.arrivals import HOUR_SHARES, Arrivals, day_factor
from station_sim.world.profile import Profile

DAYS = 100
PROFILE = Profile(guns_per_station=200, seed=11)


def arrival_times() -> list[float]:
    times = Arrivals(PROFILE, "station-0000").times_s()
    return list(takewhile(lambda at_s: at_s < DAYS * 86_400, times))


def test_arrivals_ascend_and_follow_the_hour_shares() -> None:
    times = arrival_times()
    assert sorted(times) == times
    hours = Counter(PROFILE.local_time(at_s).hour for at_s in times)
    for hour, percent in enumerate(HOUR_SHARES):
        share = percent / 100
        four_standard_deviations = 4 * (share * (1 - share) / len(times)) ** 0.5
        assert share == pytest.approx(hours[hour] / len(times), abs=four_standard_deviations)


def test_the_night_peak_and_the_small_hours_are_where_the_white_paper_has_them() -> None:
    assert pytest.approx(100) == sum(HOUR_SHARES)
    assert sum(HOUR_SHARES[12:16]) == pytest.approx(24, abs=0.5)
    assert sum(HOUR_SHARES[2:4]) < 5


@pytest.mark.parametrize(
    ("day", "factor"),
    [
        (date(2026, 3, 4), 0.97),
        (date(2026, 3, 8), 0.97 * 0.97),
        (date(2026, 5, 1), 0.96 * 0.85),
        (date(2026, 2, 18), 0.86 * 0.65),
    ],
)
def test_days_differ(day: date, factor: float) -> None:
    assert pytest.approx(factor) == day_factor(day)


def test_nobody_comes_to_a_station_without_guns() -> None:
    assert [] == list(Arrivals(Profile(guns_per_station=0), "station-0000").times_s())


def test_a_story_may_begin_within_an_hour() -> None:
    start = PROFILE.start.replace(hour=9, minute=40)
    times = Arrivals(Profile(start=start, seed=1), "station-0000").times_s()
    assert next(times) > 0
