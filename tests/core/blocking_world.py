"""The small world of the service tests for stories that block: each story is a virtual thread."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from data_analysis import DataAnalysisService
from station_sim.brokers import Broker, TopicSpec
from station_sim.clock import run_virtual
from tests.core.world import DATA, GROUP, World, open_world, small_config

T = TypeVar("T")

WIDE = "WIDE"
WIDE_OUTPUT = "MODULE-OUTPUT-M"
FOREVER = {"retention.ms": "-1"}


class BlockingWorld:
    """A broker, a producer and services, for blocking code.

    Args:
        world: the same for coroutines.
        loop: runs it.
    """

    def __init__(self, world: World, loop: asyncio.AbstractEventLoop) -> None:
        self.calls = world.calls
        self.gaps = world.gaps
        self.broker: Broker = world.broker
        self._world = world
        self._loop = loop

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and return what it returns."""
        return asyncio.run_coroutine_threadsafe(question, self._loop).result()

    @property
    def simulated(self) -> Any:
        """The simulated cluster."""
        return self.broker.simulated  # type: ignore[attr-defined]  # a virtual broker

    def kafka_config(self, reset: str = "earliest") -> dict[str, Any]:
        """A flat configuration for this broker."""
        return {
            "bootstrap_servers": [self.broker.bootstrap],
            "group_id": GROUP,
            "auto_offset_reset": reset,
            "compression_type": "none",
        }

    def service(self, **options: Any) -> DataAnalysisService:
        """A service of load_prediction that reports its gaps here."""
        given = {"config": small_config(), "on_gap": self.gaps.append, **options}
        kafka = self.kafka_config(given.pop("auto_offset_reset", "earliest"))
        kafka.update(given.pop("kafka", {}))
        return DataAnalysisService(
            given.pop("module_name", "load_prediction"), kafka_config=kafka, **given
        )

    def wide_service(self, **options: Any) -> DataAnalysisService:
        """A service of the topic with several partitions."""
        detail = {WIDE: {"fields": ["n"], "modules": ["m"], "window_size": 5}}
        given = {"module_name": "m", "config": small_config(TOPIC_DETAIL=detail), **options}
        return self.service(**given)

    def make_wide(self, partitions: int) -> None:
        """Make the topic with several partitions, and where its results go."""
        self.ask(
            self.broker.make_topics(
                TopicSpec(WIDE, partitions, config=FOREVER), TopicSpec(WIDE_OUTPUT, 1)
            )
        )

    def send_wide(self, numbers: Sequence[int], partitions: int) -> None:
        """Send numbers of eight stations, round the partitions."""
        for number in numbers:
            value = json.dumps({"stationId": f"S{number % 8}", "n": number}).encode()
            self.ask(self._world.send_raw(WIDE, value, partition=number % partitions))

    def callback(self, station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
        """Note the newest power and answer with it."""
        return self._world.callback(station_id, module_input)

    def send(self, station_id: str, *powers: float, first_s: int = 0) -> None:
        """Send one record per power, 15 s of record time apart."""
        self.ask(self._world.send(station_id, *powers, first_s=first_s))

    def send_raw(self, topic: str, value: bytes) -> None:
        """Send one record and wait for it."""
        self.ask(self._world.send_raw(topic, value))

    def sent(self, topic: str) -> list[Any]:
        """Every record of a topic."""
        return self.ask(self._world.sent(topic))

    def committed(self, topic: str = DATA, partition: int = 0) -> int:
        """The committed offset of a partition."""
        return int(self.ask(self.broker.committed(GROUP))[(topic, partition)].offset)

    def until(self, reached: Callable[[], bool], within_s: float = 60.0) -> None:
        """Wait, in virtual time, until something holds."""
        deadline = time.monotonic() + within_s
        while not reached():
            assert time.monotonic() < deadline, f"not reached within {within_s} s"
            time.sleep(0.01)


def in_blocking_world(
    story: Callable[[BlockingWorld], None],
    properties: Mapping[str, str] | None = None,
    *,
    nodes: int = 1,
) -> None:
    """Run a story in virtual time, with these properties of the broker."""

    async def main() -> None:
        async with open_world(nodes, **properties or {}) as world:
            blocking = BlockingWorld(world, asyncio.get_running_loop())
            await asyncio.to_thread(story, blocking)

    run_virtual(main, seed=1)
