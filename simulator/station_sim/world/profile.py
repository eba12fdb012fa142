"""What a charging network looks like: the few numbers from which a world is built.

Only data and the conversion between story time (seconds since the start), record time (epoch
milliseconds) and the local time that stands on the wire. Building is `charging_network`'s; the
TOML form is read in `station_sim.profiles`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from station_sim.errors import LabError
from station_sim.world.cities import GUANGZHOU, City
from station_sim.world.site import SiteType

STATION_TIMEZONE = ZoneInfo("Asia/Shanghai")
DEFAULT_START = datetime(2026, 3, 1, tzinfo=STATION_TIMEZONE)
CALENDAR_DAYS_MIN, CALENDAR_DAYS_MAX = 7, 365
GUNS_MAX, STATIONS_MAX = 1000, 10_000
TEMPERATURE_MIN_C, TEMPERATURE_MAX_C = -40.0, 50.0

SITE_MIX: Mapping[str, float] = {
    SiteType.URBAN.value: 0.70,
    SiteType.CORRIDOR.value: 0.18,
    SiteType.HUB.value: 0.08,
    SiteType.DEPOT.value: 0.04,
}
"""Shares of stations: an estimate."""

GUN_MIX: Mapping[str, float] = {"60": 0.28, "120": 0.52, "180": 0.12, "240": 0.05, "480": 0.03}
"""Shares of guns by their pile's rating in kW: an estimate, split so that 72 % of guns have
>= 120 kW and 20 % have >= 180 kW (EVCIPA white paper 2022)."""


@dataclass(frozen=True)
class Profile:
    """A network and the moment at which its story begins.

    Where `guns_per_station` or `sessions_per_gun_day` is given, every station has that many;
    otherwise both are drawn as public stations in China have them. `start` must carry a time zone
    and is kept in Asia/Shanghai. `fixed_temperature_c` puts one temperature in the place of all
    weather's. `imperfections` holds the telemetry's rates by class of topics, for `streams`.
    Raises `LabError` when a value is out of range.
    """

    stations: int = 50
    guns_per_station: int | None = None
    start: datetime = DEFAULT_START
    seed: int = 0
    sessions_per_gun_day: float | None = None
    calendar_days: int = CALENDAR_DAYS_MAX
    name: str = "default"
    city: City = GUANGZHOU
    site_mix: Mapping[str, float] = field(default_factory=lambda: dict(SITE_MIX), hash=False)
    gun_mix: Mapping[str, float] = field(default_factory=lambda: dict(GUN_MIX), hash=False)
    pv_share: float = 0.30
    storage_share: float = 0.25
    fixed_temperature_c: float | None = None
    imperfections: Mapping[str, Mapping[str, float]] = field(default_factory=dict, hash=False)
    epoch_ms: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_between("stations", self.stations, 1, STATIONS_MAX)
        if self.guns_per_station is not None:
            _require_between("guns_per_station", self.guns_per_station, 0, GUNS_MAX)
        if self.sessions_per_gun_day is not None:
            _require_between("sessions_per_gun_day", self.sessions_per_gun_day, 0, 200)
        _require_between("calendar_days", self.calendar_days, CALENDAR_DAYS_MIN, CALENDAR_DAYS_MAX)
        _require_between("pv_share", self.pv_share, 0, 1)
        _require_between("storage_share", self.storage_share, 0, 1)
        if self.fixed_temperature_c is not None:
            _require_between(
                "temperature_c", self.fixed_temperature_c, TEMPERATURE_MIN_C, TEMPERATURE_MAX_C
            )
        _require_mix("site_mix", self.site_mix, tuple(SITE_MIX))
        _require_mix("gun_mix", self.gun_mix, tuple(GUN_MIX))
        self._keep_start()

    def _keep_start(self) -> None:
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


def _require(fact: bool, name: str, allowed: str, value: object) -> None:
    if not fact:
        raise LabError(f"{name} must be {allowed}, got {value}")


def _require_between(name: str, value: float, least: float, most: float) -> None:
    _require(least <= value <= most, name, f"{least:g} to {most:g}", value)


def _require_mix(name: str, mix: Mapping[str, float], known: tuple[str, ...]) -> None:
    for key, share in mix.items():
        _require(key in known, f"{name}'s keys", f"among {', '.join(known)}", repr(key))
        _require(share >= 0, f"{name}.{key}", ">= 0", share)
    _require(sum(mix.values()) > 0, name, "more than nothing in all", dict(mix))
