"""What a charging network looks like: the few numbers from which a world is built.

Only data and the conversion between story time (seconds since the start), record time (epoch
milliseconds) and the local time that stands on the wire. Building is `charging_network`'s.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from station_sim.errors import LabError

STATION_TIMEZONE = ZoneInfo("Asia/Shanghai")
DEFAULT_START = datetime(2026, 3, 1, tzinfo=STATION_TIMEZONE)
CALENDAR_DAYS_MIN, CALENDAR_DAYS_MAX = 7, 365


@dataclass(frozen=True)
class Profile:
    """A network of equal-sized urban stations and the moment at which its story begins.

    `sessions_per_gun_day` of 4.3 follows from 109 kWh per DC pile and day (EVCIPA bulletin of
    June 2024) and 25.6 kWh per session (EVCIPA white paper 2022). `start` must carry a time zone
    and is kept in Asia/Shanghai. Raises `LabError` when a value is out of range.
    """

    stations: int = 50
    guns_per_station: int = 10
    start: datetime = DEFAULT_START
    seed: int = 0
    sessions_per_gun_day: float = 4.3
    calendar_days: int = CALENDAR_DAYS_MAX
    epoch_ms: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.stations < 1:
            raise LabError(f"stations must be >= 1, got {self.stations}")
        if self.guns_per_station < 0:
            raise LabError(f"guns_per_station must be >= 0, got {self.guns_per_station}")
        if self.sessions_per_gun_day < 0:
            raise LabError(f"sessions_per_gun_day must be >= 0, got {self.sessions_per_gun_day}")
        if not CALENDAR_DAYS_MIN <= self.calendar_days <= CALENDAR_DAYS_MAX:
            raise LabError(
                f"calendar_days must be {CALENDAR_DAYS_MIN} to {CALENDAR_DAYS_MAX}, "
                f"got {self.calendar_days}"
            )
        if self.start.tzinfo is None:
            raise LabError(f"start must carry a time zone, got {self.start.isoformat()}")
        start = self.start.astimezone(STATION_TIMEZONE)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "epoch_ms", round(start.timestamp() * 1000))

    @property
    def epoch_s(self) -> float:
        """The start as seconds since 1970: what a virtual world's wall clock begins with."""
        return self.epoch_ms / 1000

    def local_time(self, story_s: float) -> datetime:
        """Asia/Shanghai time at `story_s` seconds after the start."""
        return self.start + timedelta(seconds=story_s)

    def story_s(self, local: datetime) -> float:
        """Seconds from the start to `local`, negative before it."""
        return (local - self.start).total_seconds()

    def record_ms(self, story_s: float) -> int:
        """Kafka record timestamp, in epoch milliseconds, of the story instant `story_s`."""
        return self.epoch_ms + round(story_s * 1000)


def wire_time(record_ms: int) -> str:
    """`YYYY-MM-DD HH:MM:SS` in Asia/Shanghai, whole seconds: the `sendTime` form."""
    return datetime.fromtimestamp(record_ms // 1000, STATION_TIMEZONE).isoformat(" ")[:19]
