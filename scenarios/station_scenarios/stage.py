"""The stage of a story: broker, world, gateway, ledger, checker and the service under test.

A story acts through it: lets time pass, starts and stops the service, holds records back, cuts
logs. How a stage is built is in `opening.py`; what is judged is in `checker/`.
"""

import asyncio
import inspect
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from station_scenarios.checker.checker import Checker
from station_scenarios.checker.gaps import CutHead
from station_scenarios.checker.violations import Violation
from station_scenarios.digest import Observables
from station_scenarios.evidence import CommitWatch, read_uploads
from station_scenarios.scenario import Extent, Scenario
from station_scenarios.service import (
    MODULE,
    OUTPUT_TOPIC,
    Service,
    ServiceFactory,
    kafka_config,
    require_service,
    story_config,
)
from station_sim.brokers import Broker
from station_sim.clock import VirtualLoop
from station_sim.errors import LabError
from station_sim.streams.driver import RecordDriver, StoryClock
from station_sim.streams.gateway import Gateway
from station_sim.streams.ledger import Ledger
from station_sim.world.charging_network import Network
from station_sim.world.profile import Profile

SERVICE_HOST = "service"
STEPS_PER_STORY = 200
"""How often progress is told."""

LOOK_EVERY_S = 1.0

START_WITHIN_S = 120.0
STOP_WITHIN_S = 300.0
"""How long a service may take, in the broker's time; one that hangs must not hang the run."""

DATA_EXPIRE_SECONDS = 6 * 3600
"""Above any pause of a story: windows that expire are another story's subject."""


@dataclass
class Stage:
    """Everything a story acts on; made by `opening.open_stage`."""

    scenario: Scenario
    extent: Extent
    seed: int
    broker: Broker
    profile: Profile
    clock: StoryClock
    network: Network
    driver: RecordDriver
    gateway: Gateway
    ledger: Ledger
    checker: Checker
    observables: Observables
    group: str
    began_at_s: float
    clock_skew_s: float
    factory: ServiceFactory
    progress: Callable[[float, float], None]
    commits: CommitWatch = field(init=False)
    service: Service | None = None
    upload_starts: dict[int, int] = field(default_factory=dict)
    uploads: int = 0

    def __post_init__(self) -> None:
        self.commits = CommitWatch(self.group, self.began_at_s, self.checker.committed)

    # Time

    @property
    def duration_s(self) -> float:
        """Story seconds of the whole story."""
        return self.extent.duration_h * 3600

    def now_s(self) -> float:
        """Seconds since the run began, by the clock that the broker stamps with."""
        return time.time() - self.began_at_s

    async def live_until(self, share: float) -> None:
        """Let the world live until this share (0 to 1) of the story's duration has passed."""
        until_s = share * self.duration_s
        step_s = self.duration_s / STEPS_PER_STORY
        while self.driver.now_s < until_s:
            next_s = min(until_s, self.driver.now_s + step_s)
            await self.driver.drive(next_s)
            self.progress(next_s, self.duration_s)

    # The service under test

    async def start_service(self) -> None:
        """A life of the service begins, from what is committed."""
        committed = await self.broker.committed(self.group)
        self.checker.begins({where: kept.offset for where, kept in committed.items()})
        config = story_config(self.scenario.topics)
        with on_host(SERVICE_HOST):
            self.service = self.factory(
                module_name=MODULE,
                kafka_config=kafka_config(
                    self.broker.bootstrap, self.group, self.scenario.consumer_options
                ),
                **{
                    "data_expire_seconds": DATA_EXPIRE_SECONDS,
                    "config": config,
                    "clock": self.clock,
                    "on_gap": self._on_gap,
                    **self.scenario.service_options,
                },
            )
            starting = require_service(self.service).start(callback=self._callback)
            await _within(START_WITHIN_S, starting, "start")

    async def stop_service(self) -> None:
        """The service stops in order."""
        assert self.service is not None, "the service was not started"
        service, self.service = self.service, None
        await _within(STOP_WITHIN_S, service.stop(), "stop")
        self.checker.ends()

    # The broker

    async def cut_heads(self, topic: str, share: float) -> int:
        """Remove this share of what every partition holds beyond the group's commit.

        At least one record of each partition that has any; answers how many were beyond a commit.
        """
        committed = await self.broker.committed(self.group)
        lost = 0
        for partition, (start, end) in sorted((await self.broker.log_ranges(topic)).items()):
            kept = committed.get((topic, partition))
            position = max(start, kept.offset if kept else start)
            count = max(1, int((end - position) * share))
            if end - position >= count:
                cut = await self.broker.cut_head(topic, partition, before_offset=position + count)
                self.checker.cut(CutHead(topic, partition, cut))
                lost += cut - position
        return lost

    # The second act

    async def heal(self) -> None:
        """The world falls silent; the service must reach the end of every log in its budget."""
        await self.gateway.flush()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.scenario.caught_up_within_s
        while True:
            behind = await self._behind()
            if not behind or loop.time() >= deadline:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        for topic, partition, committed, end in behind:
            self.checker.violations.add(
                Violation(
                    "caught-up",
                    f"{topic}/{partition}: committed {committed} of {end}"
                    f" {self.scenario.caught_up_within_s:g} s after everything had healed",
                    self.now_s(),
                    topic=topic,
                    partition=partition,
                    offset=committed,
                )
            )

    async def judge(self) -> None:
        """Everything is over: read the output topic, and let the checker judge."""
        judge = self.checker.uploads_judge(OUTPUT_TOPIC)
        async for upload in read_uploads(
            self.broker, OUTPUT_TOPIC, self.upload_starts, self.began_at_s
        ):
            judge.read(upload)
        self.uploads = judge.count
        self.checker.judge(judge, self.commits.seen, self.now_s(), clock_skew_s=self.clock_skew_s)

    def counts(self) -> dict[str, int]:
        """What happened, in numbers."""
        return {
            "stations": self.profile.stations,
            "records": self.checker.records_sent,
            "callbacks": len(self.checker.calls),
            "uploads": self.uploads,
            "commits": len(self.commits.seen),
            "gaps": len(self.checker.gaps),
            "lives": len(self.checker.lives),
            "violations": self.checker.violations.count,
        }

    # Inside

    def _callback(self, station: str, module_input: dict[str, Any]) -> dict[str, int]:
        at_s = self.now_s()
        call, topic = self.checker.called(station, module_input, at_s)
        if self.broker.is_virtual:
            newest = self.checker.newest(topic, module_input)
            self.observables.note(f"callbacks/{station}", at_s, topic, newest)
        self.checker.returned(call, self.now_s())
        return {"call": call}

    def _on_gap(self, event: Any) -> None:
        offsets = range(event.start_offset, event.end_offset)
        cause = str(event.cause)
        gap = self.checker.gap(cause, event.topic, event.partition, offsets, self.now_s())
        self.observables.note(f"gaps/{gap.topic}/{gap.partition}", repr(event))

    async def _behind(self) -> list[tuple[str, int, int, int]]:
        """Partitions whose committed offset is not the end: topic, partition, committed, end."""
        committed = await self.broker.committed(self.group)
        behind = []
        for topic in self.scenario.topics:
            for partition, (_, end) in sorted((await self.broker.log_ranges(topic)).items()):
                kept = committed.get((topic, partition))
                offset = kept.offset if kept else 0
                if offset != end:
                    behind.append((topic, partition, offset, end))
        return behind


async def _within(limit_s: float, answer: Any, method: str) -> None:
    """Await what a service's method returned; raises `LabError` if that is wrong or takes long."""
    if not inspect.isawaitable(answer):
        found = type(answer).__name__
        raise LabError(f"the service's {method}() is not a coroutine: it returned {found}")
    try:
        async with asyncio.timeout(limit_s) as limit:
            await answer
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise LabError(f"the service's {method}() did not return within {limit_s:g} s") from error


def on_host(name: str) -> AbstractContextManager[None]:
    """What is started inside opens its connections as this host of the virtual network."""
    loop = asyncio.get_running_loop()
    return loop.network.host(name) if isinstance(loop, VirtualLoop) else nullcontext()
