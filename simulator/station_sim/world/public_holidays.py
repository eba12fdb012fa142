"""Which days are holidays and weekends in mainland China, make-up workdays included.

Statutory days and make-up workdays come from the `holidays` library, which follows the State
Council's yearly notices. Effects of a holiday on demand are `arrivals`' business.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays

ONE_DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class DayKind:
    """A day as the calendar topic knows it; a make-up workday is neither of the two."""

    is_holiday: bool
    is_weekend: bool


@lru_cache(maxsize=4096)
def day_kind(day: date) -> DayKind:
    """What `day` is. A holiday is any day of an unbroken run of days off around a statutory one.

    So the weekend inside or next to a statutory holiday counts as holiday, as the notices have it
    (1 to 8 October 2025, 15 to 23 February 2026).
    """
    return DayKind(is_holiday=_belongs_to_holiday(day), is_weekend=_is_free_weekend(day))


@lru_cache(maxsize=4096)
def holiday_around(day: date) -> list[date]:
    """The days of the holiday that `day` belongs to, in their order; none on other days."""
    return sorted(_run_off(day)) if day_kind(day).is_holiday else []


@lru_cache(maxsize=4096)
def is_spring_festival(day: date) -> bool:
    """True for the days off around the Chinese New Year."""
    return any("New Year (Spring" in _statutory(each).get(each, "") for each in _run_off(day))


def _belongs_to_holiday(day: date) -> bool:
    return any(each in _statutory(each) for each in _run_off(day))


def _run_off(day: date) -> list[date]:
    """The unbroken run of days off that `day` lies in, in no special order; empty on a workday."""
    if not _is_off(day):
        return []
    run = [day]
    for step in (-ONE_DAY, ONE_DAY):
        other = day + step
        while _is_off(other):
            run.append(other)
            other += step
    return run


def _is_off(day: date) -> bool:
    return day in _statutory(day) or _is_free_weekend(day)


def _is_free_weekend(day: date) -> bool:
    return day.weekday() in (SATURDAY, SUNDAY) and day not in _statutory(day).weekend_workdays


def _statutory(day: date) -> holidays.HolidayBase:
    return _statutory_year(day.year)


@lru_cache(maxsize=64)
def _statutory_year(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("CN", years=year, expand=False, language="en_US")
