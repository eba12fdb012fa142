"""Local days: midnights, dates, ticks."""

from datetime import date, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from station_sim.world.local_days import LocalDays
from station_sim.world.profile import STATION_TIMEZONE

AFTERNOON = datetime(2026, 2, 27, 15, 30, tzinfo=STATION_TIMEZONE)


@given(st.floats(0, 1e7))
def test_an_instant_lies_in_the_day_of_its_local_time(at_s: float) -> None:
    days = LocalDays(AFTERNOON)
    local = AFTERNOON + timedelta(seconds=at_s)
    assert local.date() == days.date(days.number(at_s))
    assert days.number(at_s) == days.numbers(np.array([at_s]))[0]
    assert days.begin_s(days.number(at_s)) <= at_s


def test_days_are_counted_from_that_of_the_start() -> None:
    days = LocalDays(AFTERNOON)
    assert 0 == days.number(0)
    assert 2 == days.number_of(date(2026, 3, 1))
    assert 8.5 * 3600 == days.begin_s(1)
    assert 15.5 * 3600 == days.second(0)


@given(st.floats(0, 1e7), st.integers(0, 10**6))
def test_a_tick_is_on_the_local_grid_and_ahead(at_s: float, micros: int) -> None:
    start = AFTERNOON + timedelta(microseconds=micros)
    days = LocalDays(start)
    tick_s = days.next_tick_s(at_s, 300.0)
    assert 0.0009 < tick_s - at_s <= 300.0
    assert min(days.second(tick_s) % 300, -days.second(tick_s) % 300) < 1e-6
