"""Holidays, weekends and make-up workdays of 2025 and 2026, as the State Council set them."""

from datetime import date, timedelta

import pytest

from station_sim.world.public_holidays import day_kind, is_spring_festival


@pytest.mark.parametrize(
    ("first", "days"),
    [
        (date(2025, 1, 28), 8),
        (date(2025, 10, 1), 8),
        (date(2026, 1, 1), 3),
        (date(2026, 2, 15), 9),
        (date(2026, 5, 1), 5),
        (date(2026, 6, 19), 3),
        (date(2026, 10, 1), 7),
    ],
)
def test_a_long_holiday_is_whole(first: date, days: int) -> None:
    kinds = [day_kind(first + timedelta(days=offset)) for offset in range(-1, days + 1)]
    assert [False, *[True] * days, False] == [kind.is_holiday for kind in kinds]


@pytest.mark.parametrize("day", [date(2026, 2, 14), date(2026, 10, 10), date(2025, 10, 11)])
def test_a_make_up_workday_is_neither(day: date) -> None:
    assert (False, False) == (day_kind(day).is_holiday, day_kind(day).is_weekend)


def test_ordinary_days() -> None:
    kinds = [day_kind(date(2026, 3, day)) for day in (6, 7, 8, 9)]
    assert [False, True, True, False] == [kind.is_weekend for kind in kinds]
    assert not any(kind.is_holiday for kind in kinds)


def test_spring_festival_is_told_from_other_holidays() -> None:
    days = [date(2026, 2, 15), date(2026, 2, 23), date(2026, 2, 24), date(2026, 10, 1)]
    assert [True, True, False, False] == [is_spring_festival(day) for day in days]
