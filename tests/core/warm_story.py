"""A story for warm starts: stations come, fall silent and come back, in all kinds of topics.

One service reads it all, and never stops; another one is restarted again and again. At the end
their windows are the same.
"""

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from station_sim.brokers import TopicSpec
from tests.core.world import World, small_config

EXPIRE_S = 600
TICK_S = 30
STATIONS = [f"S{number}" for number in range(3)]
STEADY = "S1"
"""The one that never falls silent: what all keep silent about, no record can tell the time of."""

EDGE_S = 300
"""How near to the limit a silence may come that a restart makes shorter."""

OWN, SPREAD, PARAM = "OWN", "SPREAD", "SCHEDULE-STATION-PARAM"
UNITS, ORDERS, DAYS = (
    "SCHEDULE-DEVICE-STORAGE",
    "SCHEDULE-CAR-ORDER",
    "SCHEDULE-ENVIRONMENT-CALENDAR",
)
PARTITIONS = {OWN: 2, SPREAD: 3, PARAM: 1, UNITS: 1, ORDERS: 1, DAYS: 1}
FOREVER = {"retention.ms": "-1"}


def _detail(window_size: int, *fields: str, **more: Any) -> dict[str, Any]:
    return {"fields": list(fields), "modules": ["m"], "window_size": window_size, **more}


CONFIG = small_config(
    TOPIC_DETAIL={
        OWN: _detail(8, "n"),
        SPREAD: _detail(40, "n", "text"),
        PARAM: _detail(1, "n", expire_seconds=None),
        UNITS: _detail(1, "storageCode", "n"),
        ORDERS: _detail(3, "stationId", "n"),
        DAYS: _detail(1, "date", expire_seconds=None),
    }
)


class Stations:
    """Sends what stations say, at the virtual time at which they say it.

    Args:
        world: where to.
        seed: decides who says what when.
        topics: what is said.
    """

    def __init__(self, world: World, seed: int, topics: list[str]) -> None:
        self._world = world
        self._random = random.Random(seed)
        self._topics = topics
        self._silent_until: dict[str, float] = defaultdict(float)
        self._last_at: dict[str, float] = defaultdict(float)
        self._count = 0

    async def make_topics(self) -> None:
        """Make what does not exist yet."""
        specs = (TopicSpec(topic, PARTITIONS[topic], config=FOREVER) for topic in self._topics)
        await self._world.broker.make_topics(*(spec for spec in specs if spec.name != DAYS))

    def clear(self) -> list[str]:
        """The stations that have been silent for a time which a restart does not matter for."""
        now = time.time()
        return [
            station for station in STATIONS if abs(now - self._last_at[station] - EXPIRE_S) > EDGE_S
        ]

    async def speak(self, ticks: int, *, all_of_them: bool = False) -> None:
        """Let some time pass."""
        for _ in range(ticks):
            said: list[Awaitable[None]] = []
            for station in self.clear():
                if time.time() >= self._silent_until[station] or all_of_them:
                    self._last_at[station] = time.time()
                    if station != STEADY and self._random.random() < 0.05:
                        self._silent_until[station] = time.time() + 2 * EXPIRE_S
                    for topic in self._topics:
                        if self._random.random() < 0.7:
                            said += self._say(topic, station)
            await asyncio.gather(*said)
            await asyncio.sleep(TICK_S)

    def _say(self, topic: str, station: str) -> Iterator[Awaitable[None]]:
        for unit in ("u0", "u1") if topic == UNITS else ("",):
            yield from self._say_one(topic, station, unit)

    def _say_one(self, topic: str, station: str, unit: str) -> Iterator[Awaitable[None]]:
        self._count += 1
        item: dict[str, Any] = {"stationId": station, "n": self._count, "text": f"t{self._count}"}
        item["storageCode"] = unit
        if topic == DAYS:
            item = {"calendar": [{"date": str(self._count)}]}
        partition = STATIONS.index(station) % PARTITIONS[topic]
        if topic == SPREAD:
            partition = self._random.randrange(PARTITIONS[topic])
        late_s = self._random.choice([0, 0, 0, 7, 20]) if topic in (OWN, SPREAD) else 0
        value = b"broken" if self._random.random() < 0.02 else json.dumps(item).encode()
        stamp_ms = int((time.time() - late_s) * 1000)
        for _ in range(1 + (self._random.random() < 0.05)):
            yield self._world.send_raw(topic, value, stamp_ms, partition)


def windows(service: Any, topics: list[str], stations: list[str]) -> dict[tuple[str, str], Any]:
    """Every window of some stations that is not empty."""
    found = {
        (station, topic): service.dispatcher.get_topic_window(station, topic)
        for station in stations
        for topic in topics
    }
    return {key: points for key, points in found.items() if points}


@dataclass
class Told:
    """The service that never stopped and the other one, and the inputs of callbacks by station.

    `stations` are those whose windows are to be the same.
    """

    services: tuple[Any, Any]
    stations: list[str]
    seen_by_one: dict[str, list[Any]]
    seen_by_other: dict[str, list[Any]]

    def windows(self, topics: list[str]) -> list[Any]:
        """The windows of both."""
        return [windows(each, topics, self.stations) for each in self.services]


async def tell(
    world: World,
    seed: int,
    topics: list[str],
    make: Callable[[str, bool], Any],
    call: Callable[[Callable[..., Any]], Awaitable[Any]],
) -> Told:
    """Tell the story.

    Args:
        world: where it happens.
        seed: decides who says what when, and when the service is restarted.
        topics: what is read.
        make: returns a service of a group, which starts warm or not.
        call: runs a method of the service, awaiting or blocking.

    """
    stations = Stations(world, seed, topics)
    restarts = random.Random(-seed)
    await stations.make_topics()
    seen: dict[str, dict[str, list[Any]]] = {"steady": {}, "warm": {}}

    def note(name: str) -> Callable[[str, Any], None]:
        def callback(station: str, given: dict[str, Any]) -> None:
            seen[name].setdefault(station, []).append(given)

        return callback

    steady, other = make("steady", False), make("warm", True)
    await call(lambda: steady.start(note("steady")))
    await call(lambda: other.start(note("warm")))
    for _ in range(3):
        await stations.speak(restarts.randrange(5, 40))
        await call(other.stop)
        await stations.speak(restarts.randrange(0, 4))
        other = make("warm", True)
        await call(lambda: other.start(note("warm")))  # noqa: B023 - called at once
    await stations.speak(8, all_of_them=True)
    await asyncio.sleep(5)
    return Told((steady, other), stations.clear(), seen["steady"], seen["warm"])
