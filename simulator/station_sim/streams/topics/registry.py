"""All topics, in the order in which records of one instant go out."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from station_sim.errors import LabError
from station_sim.streams.imperfections import Cadence
from station_sim.streams.schedule import Schedule
from station_sim.streams.topics import (
    calendar,
    car_order,
    car_price,
    device_error,
    gun,
    host_acdc,
    host_dcdc,
    meter,
    photovoltaics,
    real_station_data,
    station_param,
    station_realtime_data,
    storage,
    weather,
)
from station_sim.streams.topics.module_output import MODULE_OUTPUTS
from station_sim.streams.topics.network_record import NetworkRecord
from station_sim.streams.voice import Draws, Voice
from station_sim.world.profile import Profile


class NetworkTopic(Protocol):
    """A topic whose records speak of many stations, or of none."""

    @property
    def TOPIC(self) -> str: ...  # noqa: N802
    @property
    def CADENCE(self) -> Cadence: ...  # noqa: N802

    def due_ms(self, profile: Profile, begin_ms: int, end_ms: int) -> list[int]: ...

    def records(
        self, voices: Sequence[Voice], at_ms: int, limit_bytes: int
    ) -> list[NetworkRecord]: ...


class StationTopic(Protocol):
    """A topic that every station speaks on by itself. `values` is asked of no empty schedule."""

    @property
    def TOPIC(self) -> str: ...  # noqa: N802
    @property
    def CADENCE(self) -> Cadence: ...  # noqa: N802

    def schedule(self, voice: Voice, begin_ms: int, end_ms: int) -> Schedule: ...

    def values(self, voice: Voice, due: Schedule, draws: Draws) -> list[bytes]: ...


NETWORK_TOPICS: tuple[NetworkTopic, ...] = (
    station_param,
    calendar,
    car_price,
    station_realtime_data,
)
STATION_TOPICS: tuple[StationTopic, ...] = (
    weather,
    photovoltaics,
    real_station_data,
    meter,
    gun,
    car_order,
    host_dcdc,
    host_acdc,
    storage,
    device_error,
    *MODULE_OUTPUTS,
)
_ALL: tuple[NetworkTopic | StationTopic, ...] = (*NETWORK_TOPICS, *STATION_TOPICS)
TOPICS = tuple(each.TOPIC for each in _ALL)
CADENCES = {each.TOPIC: each.CADENCE for each in _ALL}
RANKS = {topic: rank for rank, topic in enumerate(TOPICS)}


def require_topics(names: Iterable[str]) -> frozenset[str]:
    """These topics; raises `LabError` naming one that the world has not."""
    wanted = frozenset(names)
    if unknown := wanted - set(TOPICS):
        raise LabError(f"no stream for {', '.join(sorted(unknown))}; there are {', '.join(TOPICS)}")
    return wanted
