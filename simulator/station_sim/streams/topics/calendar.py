"""SCHEDULE-ENVIRONMENT-CALENDAR: holidays and weekends from a day on, for everybody.

Sent when the story starts, and on each 1st of January. A make-up workday is 0 in both fields.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import orjson

from station_sim.streams.imperfections import Cadence
from station_sim.streams.topics.network_record import NetworkRecord
from station_sim.streams.voice import Voice
from station_sim.world.profile import STATION_TIMEZONE, Profile
from station_sim.world.public_holidays import day_kind

TOPIC = "SCHEDULE-ENVIRONMENT-CALENDAR"
CADENCE = Cadence.HOURLY


def due_ms(profile: Profile, begin_ms: int, end_ms: int) -> list[int]:
    """The start and new years."""
    last = profile.local_time(end_ms / 1000).year
    years = [
        datetime(year, 1, 1, tzinfo=STATION_TIMEZONE)
        for year in range(profile.start.year + 1, last + 1)
    ]
    instants = [0, *(round(profile.story_s(each) * 1000) for each in years)]
    return [each for each in instants if begin_ms <= each < end_ms]


def records(voices: Sequence[Voice], at_ms: int, limit_bytes: int) -> list[NetworkRecord]:
    """One record, the same whatever stations there are."""
    profile = voices[0].profile
    first = profile.local_time(at_ms / 1000).date()
    value = orjson.dumps(calendar_value(first, profile.calendar_days))
    return [NetworkRecord(at_ms, 0, value, ())]


def calendar_value(first: date, days: int) -> dict[str, list[dict[str, object]]]:
    """The envelope with `days` consecutive days from `first`."""
    return {"calendar": [_day(first + timedelta(days=offset)) for offset in range(days)]}


def _day(day: date) -> dict[str, object]:
    kind = day_kind(day)
    return {
        "date": day.isoformat(),
        "isHoliday": int(kind.is_holiday),
        "isWeekend": int(kind.is_weekend),
    }
