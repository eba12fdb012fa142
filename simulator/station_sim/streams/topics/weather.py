"""SCHEDULE-ENVIRONMENT-WEATHER: yesterday's and tomorrow's weather of a station's city, daily."""

from datetime import timedelta

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.schedule import Schedule
from station_sim.streams.topics.daily import daily_schedule, day_of
from station_sim.streams.voice import Draws, Voice

TOPIC = "SCHEDULE-ENVIRONMENT-WEATHER"
CADENCE = Cadence.HOURLY
ONE_DAY = timedelta(days=1)


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """When the story starts, and daily."""
    return daily_schedule(voice, TOPIC, begin_ms, end_ms)


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """A list with the station's item."""
    return [encoding.fixed({"weather": [_item(voice, at_ms)]}) for at_ms in due.due_ms.tolist()]


def _item(voice: Voice, at_ms: int) -> dict[str, object]:
    today, weather = day_of(voice, at_ms), voice.weather
    tomorrow = weather.day(today + ONE_DAY)
    return {
        "stationId": voice.site.station_id,
        "weatherSituationYesterday": str(weather.day(today - ONE_DAY).condition.value),
        "weatherSituationTomorrow": str(tomorrow.condition.value),
        "seasonTomorrow": str(weather.season(today + ONE_DAY).value),
        "temperatureMaxTomorrow": round(float(tomorrow.max_c), 1),
        "temperatureMinTomorrow": round(float(tomorrow.min_c), 1),
    }
