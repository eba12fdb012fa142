"""Services that read the whole world on one broker: one of all modules, and one of each module."""

import asyncio
import time
from collections import Counter
from typing import Any

from data_analysis import AsyncDataAnalysisService, DataAnalysisService, config
from station_sim.brokers import Broker

MODULES = tuple(
    dict.fromkeys(name for detail in config.TOPIC_DETAIL.values() for name in detail["modules"])
)
DEAD_LETTERS = "DEAD-LETTERS"


class HeldClock:
    """Story time that stands still until it is moved; of the gateway and of services alike."""

    def __init__(self, epoch_s: float) -> None:
        self._epoch_s = epoch_s
        self._story_s = 0.0

    def move(self, story_s: float) -> None:
        """Let story time be this."""
        self._story_s = story_s

    def story_s(self) -> float:
        """Seconds since the story began."""
        return self._story_s

    def time(self) -> float:
        """Epoch seconds."""
        return self._epoch_s + self._story_s

    def monotonic(self) -> float:
        """The machine's own, or virtual, seconds."""
        return time.monotonic()


class Reader:
    """One service and what its callback was given: by station the newest inputs, and how often.

    `module` None is a service of all modules, which is called for every record and has windows as
    arrays; those of one module are called once per poll and station and have lists.
    `available` has every list of available topics that was told of a station and module.
    """

    def __init__(
        self, broker: Broker, clock: HeldClock, module: str | None, *, blocking: bool
    ) -> None:
        self.module = module
        self.group = f"reader-{module or 'all'}"
        self.newest: dict[str, Any] = {}
        self.calls: Counter[str] = Counter()
        self.available: set[tuple[str, str, tuple[str, ...]]] = set()
        self._blocking = blocking
        make: Any = DataAnalysisService if blocking else AsyncDataAnalysisService
        self.service = make(
            module,
            kafka_config={
                "bootstrap_servers": [broker.bootstrap],
                "group_id": self.group,
                "auto_offset_reset": "earliest",
                "compression_type": "none",
            },
            clock=clock,
            upload_results=False,
            window_form="array" if module is None else "list",
            coalesce=module is not None,
            dead_letter_topic=DEAD_LETTERS if module is None else None,
        )

    async def start(self) -> None:
        """Begin to read."""
        if self._blocking:
            await asyncio.to_thread(self.service.start, self._callback)
        else:
            await self.service.start(self._callback)

    async def stop(self) -> None:
        """Finish, commit, leave."""
        if self._blocking:
            await asyncio.to_thread(self.service.stop)
        else:
            await self.service.stop()

    async def all_inputs(self, station: str) -> dict[str, Any]:
        """What the service would hand over now, of all modules."""
        found = self.service.get_all_inputs(station)
        inputs: dict[str, Any] = found if self._blocking else await found
        return inputs

    @property
    def counters(self) -> dict[str, Any]:
        """What the service counts."""
        counters: dict[str, Any] = self.service.health()["counters"]
        return counters

    def _callback(self, station: str, given: Any) -> None:
        self.calls[station] += 1
        if self.module is not None:
            given = {self.module: given}
        self.newest[station] = given
        for module, each in given.items():
            quality = each["_data_quality"]
            self.available.add((station, module, tuple(quality["available_topics"])))
