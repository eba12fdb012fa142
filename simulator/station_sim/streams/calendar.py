"""SCHEDULE-ENVIRONMENT-CALENDAR: holidays and weekends from the start's day on, for everybody.

Sent once, when the story starts. A make-up workday is 0 in both fields.
"""

from collections.abc import Generator, Sequence
from datetime import date, timedelta

import simpy

from station_sim.streams.emission import Emission, Emit
from station_sim.world.profile import Profile
from station_sim.world.public_holidays import day_kind
from station_sim.world.station import Station

TOPIC = "SCHEDULE-ENVIRONMENT-CALENDAR"


def run(env: simpy.Environment, profile: Profile, stations: Sequence[Station], emit: Emit) -> None:
    """Start the process that tells the calendar; `stations` play no part."""
    env.process(_tell(env, profile, emit))


def calendar_value(first: date, days: int) -> dict[str, list[dict[str, object]]]:
    """The envelope with `days` consecutive days from `first`."""
    return {"calendar": [_day(first + timedelta(days=offset)) for offset in range(days)]}


def _tell(
    env: simpy.Environment, profile: Profile, emit: Emit
) -> Generator[simpy.Event, None, None]:
    yield env.timeout(0)
    value = calendar_value(profile.start.date(), profile.calendar_days)
    emit(Emission(0.0, TOPIC, None, value, (), profile.epoch_ms))


def _day(day: date) -> dict[str, object]:
    kind = day_kind(day)
    return {
        "date": day.isoformat(),
        "isHoliday": int(kind.is_holiday),
        "isWeekend": int(kind.is_weekend),
    }
