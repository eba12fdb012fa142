"""A service that crashes at a step of its virtual run, and the one that goes on after it.

A step is an iteration of the loop, or a request to the broker: `lost` on its way, `done` without an
answer, or handled `late`, when the next service is there already. A story is told once without a
crash to count its steps, and then once for each.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaProducer

from data_analysis import AsyncDataAnalysisService, DataAnalysisService
from station_sim.brokers import TopicSpec, open_broker
from station_sim.clock import EPOCH_S, VirtualLoop, run_virtual
from station_sim.kafka.faults import Fault, Faults
from tests.core.kills.tally import Tally
from tests.core.kills.witness import OUTPUT, PARTITIONS, STATIONS, TOPIC, WINDOW, Witness

RECORDS = 30
EARLY = 12
"""Records that are there before the service; the others come one by one."""

PAUSE_S = 0.05
CALLBACK_S = 0.01
SENDER = "sender"
NOT_THE_SENDER = f"[!{SENDER[0]}]*"
"""Client ids of everybody else are services'."""

JOINS_AFTER_S = 0.7
LEAVES_AFTER_S = 1.6
"""When the second member of a shared story joins and leaves."""

DRAINED_WITHIN_S = 120.0
"""Session timeout, rebalance timeout and a request timeout, one after the other."""

ITERATION = "iteration"
REQUESTS = ("lost", "done", "late")


@dataclass(frozen=True)
class Crash:
    """Where a story's service crashes: at the how-manieth step of which sort."""

    sort: str
    step: int


@dataclass(frozen=True)
class Told:
    """What came of one story; `requests` and `iterations` are how many steps it has."""

    wrong: list[str]
    tally: Tally
    requests: int
    iterations: int
    crashed: bool


class Story:
    """Services that handle what a sender writes; one of them crashes, and another goes on.

    Args:
        crash: when; None lets everybody live.
        static: members have instance ids.
        shared: a second member joins and leaves meanwhile.
        blocking: the services are those with threads.
    """

    def __init__(
        self,
        crash: Crash | None,
        *,
        static: bool = False,
        shared: bool = False,
        blocking: bool = False,
    ) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        # A join of the dead that comes late takes the place of the living one of the same instance.
        replaced = static and crash is not None and crash.sort == "late"
        self.witness = Witness(begins_anew=shared or replaced)
        self._loop: Any = loop
        self._network = loop.network
        self._crash = crash
        self._static = static
        self._shared = shared
        self._blocking = blocking
        # Of the step alone: a step that fails can be told again by itself.
        self._draw = random.Random(f"{crash}/{static}/{shared}/{blocking}")
        self._bootstrap = ""
        self._lives = 0
        self._living: dict[str, asyncio.Task[Any]] = {}
        self._begun = asyncio.Event()
        self._over = asyncio.Event()
        self._all_over = threading.Event()
        self._crashed = False

    async def tell(self) -> Told:
        """Run to the end of the log."""
        async with open_broker("virtual") as broker:
            simulated = broker.simulated
            simulated.observers.append(self.witness)
            self._bootstrap = broker.bootstrap
            await broker.make_topics(
                TopicSpec(TOPIC, partitions=PARTITIONS), TopicSpec(OUTPUT, partitions=2)
            )
            requests, iterations = await self._services_live(simulated.faults)
            wrong = self.witness.close()
            records = len(self.witness.records)
            tally = Tally.of(int(self._crashed), self._lives, records, self.witness.handled)
            return Told(wrong, tally, requests, iterations, self._crashed)

    async def _services_live(self, faults: Faults) -> tuple[int, int]:
        """Let services live until all is committed; return in how many requests and iterations."""
        async with AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, client_id=SENDER
        ) as producer:
            await self._send(producer, range(EARLY), 0.0)
            first = self._loop.iterations
            with (
                faults.inject(client_id=NOT_THE_SENDER) as asked,
                self._crashes_at_its_step(faults),
            ):
                self._begin("first", None)
                tasks = [asyncio.create_task(self._send(producer, range(EARLY, RECORDS), PAUSE_S))]
                if self._shared:
                    tasks.append(asyncio.create_task(self._second_comes()))
                await asyncio.gather(*tasks)
                await self._drain()
                steps = asked.seen, int(self._loop.iterations - first)
        self._over.set()
        self._all_over.set()
        await asyncio.gather(*self._living.values(), return_exceptions=True)
        return steps

    async def _send(
        self, producer: AIOKafkaProducer, numbers: Iterable[int], pause_s: float
    ) -> None:
        for number in numbers:
            station = number % STATIONS
            value = json.dumps({"stationId": f"S{station}", "n": number}).encode()
            at_ms = int(EPOCH_S + number) * 1000
            await producer.send_and_wait(
                TOPIC, value, partition=station % PARTITIONS, timestamp_ms=at_ms
            )
            await asyncio.sleep(pause_s)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAINED_WITHIN_S):
                while not self.witness.at_end:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            self.witness.wrong.append(f"committed is {self.witness.committed_offsets} at the end")

    # Lives.

    async def _second_comes(self) -> None:
        await asyncio.sleep(JOINS_AFTER_S)
        self._begin("second", self._loop.time() + LEAVES_AFTER_S - JOINS_AFTER_S)

    def _begin(self, host: str, leaves_at: float | None) -> None:
        self._living[host] = self._network.start(host, partial(self._live, host, leaves_at))

    async def _live(self, host: str, leaves_at: float | None) -> None:
        """One start of a service, until it leaves or all is over."""
        self._lives += 1
        life = self._lives
        options = self._options(f"member-{host}" if self._static else None)
        if self._blocking:
            await asyncio.to_thread(self._live_blocking, options, life, leaves_at)
            return
        service = AsyncDataAnalysisService(**options)

        async def callback(station_id: str, given: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(CALLBACK_S if given["n"] % 2 else 0)
            self.witness.hand(life, given)
            return {"n": given["n"]}

        await service.start(callback)
        self._begun.set()
        if leaves_at is None:
            await self._over.wait()
        else:
            await asyncio.sleep(max(0.0, leaves_at - self._loop.time()))
        await service.stop()

    def _live_blocking(self, options: dict[str, Any], life: int, leaves_at: float | None) -> None:
        """The same with threads."""
        service = DataAnalysisService(**options)

        def callback(station_id: str, given: dict[str, Any]) -> dict[str, Any]:
            time.sleep(CALLBACK_S if given["n"] % 2 else 0)
            self.witness.hand(life, given)
            return {"n": given["n"]}

        service.start(callback)
        self._begun.set()
        left_s = None if leaves_at is None else max(0.0, leaves_at - self._loop.time())
        self._all_over.wait(left_s)
        service.stop()

    def _options(self, instance_id: str | None) -> dict[str, Any]:
        detail = {TOPIC: {"fields": ["n"], "modules": ["m"], "window_size": WINDOW}}
        commits = {"commit_interval_seconds": 0.2, "commit_batch_size": 4}
        kafka = {
            "bootstrap_servers": [self._bootstrap],
            "group_id": "steps",
            "auto_offset_reset": "earliest",
            "compression_type": "none",
            "session_timeout_ms": 6000,
            "heartbeat_interval_ms": 1000,
        }
        config = SimpleNamespace(
            TOPIC_DETAIL=detail, MODULE_DEPENDENCIES={}, OFFSET_COMMIT_CONFIG=commits
        )
        return {
            "module_name": "m",
            "kafka_config": kafka,
            "config": config,
            "instance_id": instance_id,
        }

    # The crash.

    @contextmanager
    def _crashes_at_its_step(self, faults: Faults) -> Iterator[None]:
        crash = self._crash
        if crash is None:
            yield
        elif crash.sort == ITERATION:
            with self._crashes_at_iteration(crash.step):
                yield
        else:
            drop = {"lost": "before", "done": "after", "late": None}[crash.sort]
            with faults.inject(
                client_id=NOT_THE_SENDER,
                skip=crash.step,
                count=1,
                drop=drop,
                hold=crash.sort == "late",
            ) as fault:
                task = asyncio.create_task(self._crashes_at_request(fault))
                yield
                task.cancel()

    @contextmanager
    def _crashes_at_iteration(self, step: int) -> Iterator[None]:
        """The crash comes between two iterations: nothing of the world runs then."""
        go_round = self._loop._run_once
        at = self._loop.iterations + step

        def go_round_and_look() -> None:
            go_round()
            if self._loop.iterations == at:
                self._fall(self._draw.choice(sorted(self._living)))

        self._loop._run_once = go_round_and_look
        try:
            yield
        finally:
            del self._loop._run_once

    async def _crashes_at_request(self, fault: Fault) -> None:
        request = await fault.hit(deadline_s=DRAINED_WITHIN_S)
        self._begun.clear()
        self._fall(request.client_host.removeprefix("/"))
        if self._draw.random() < 0.5:
            await self._begun.wait()
        else:
            await asyncio.sleep(self._draw.choice((0.0, 0.01, 3.0)))
        fault.release()

    def _fall(self, host: str) -> None:
        """Crash a host and let its service go on there, or at another one."""
        self._crashed = True
        self._network.crash(host)
        del self._living[host]
        if self._draw.random() < 0.5:
            again = self._network.bounce(host)
            assert again is not None
            self._living[host] = again
        else:
            self._begin("third", None)


def tell(crash: Crash | None, **options: bool) -> Told:
    """Tell one story in a world of its own; the options are those of `Story`."""
    return run_virtual(lambda: Story(crash, **options).tell(), seed=1)
