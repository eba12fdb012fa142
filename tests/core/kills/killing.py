"""Kills a service at random moments on a broker in real time, and gathers what came of it.

A sender writes all the while. Each life of the service (`service.py`) is a process that is ended by
SIGKILL when it has handled so many records, when it has committed, or so long after it was started;
the last one goes on to the end of the log. What may not be is decided in `verdict.py`.
"""

import asyncio
import json
import os
import random
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from station_sim.brokers import Broker, TopicSpec
from tests.core.kills import service
from tests.core.kills.commit_log import COMMITS_TOPIC, read_commits
from tests.core.kills.service import GROUP, MODULE, TOPIC
from tests.core.kills.tally import Tally
from tests.core.kills.verdict import Commit, Evidence, Handled, Seen, judge

OUTPUT = f"MODULE-OUTPUT-{MODULE.upper()}"
PARTITIONS = 4
STATIONS = 16
STATIC_TIMEOUT_MS = 6000
"""A member with an instance id takes the place of the one that was killed without a wait."""

SESSION_TIMEOUT_MS = 2000
"""Others wait for its session to end; a machine with much to do must not end those that live."""

PROPERTIES = {"group.min.session.timeout.ms": "100", "group.initial.rebalance.delay.ms": "0"}

SENT_AT_ONCE = 8
PAUSE_S = 0.04
"""Between two groups of records: 200 records a second."""

STATIC_SHARE = 0.8
"""Of the lives, those with an instance id; the others wait for the session that was killed."""

BY_RECORDS_SHARE = 0.4
"""Of the kills, those that come after so many records."""

BY_COMMIT_SHARE = 0.2
"""Of the kills, those that come after a commit: what was behind comes in a burst, in which the
others mostly hit a service that has not committed yet. The rest come by the clock."""

RECORDS_MAX = 300
AFTERWARDS_S_MAX = 0.03
CLOCK_S_MAX = 1.5
"""Much of it is the start of the program: kills hit imports, connecting and joining too."""

LOOK_S = 0.002
DEADLINE_S = 60.0
"""Within this each life gets where it is waited for, and the last one to the end."""


@dataclass(frozen=True)
class Killed:
    """What came of one run."""

    wrong: list[str]
    tally: Tally
    commits: int


async def kill_again_and_again(
    broker: Broker, folder: Path, kills: int, seed: int, shell: str = "async"
) -> Killed:
    """Kill a service, `async` or `sync`, so often on this broker, and judge."""
    return await _Killing(broker, folder, seed, shell).run(kills)


class _Killing:
    """One run."""

    def __init__(self, broker: Broker, folder: Path, seed: int, shell: str) -> None:
        self._broker = broker
        self._shell = shell
        self._journal = folder / "handled"
        self._log = folder / "service.log"
        self._draw = random.Random(seed)
        self._places: dict[int, tuple[int, int]] = {}
        self._enough = asyncio.Event()

    async def run(self, kills: int) -> Killed:
        """Kill so often, let the last life get to the end, judge."""
        self._journal.touch()
        await self._broker.make_topics(
            TopicSpec(TOPIC, partitions=PARTITIONS), TopicSpec(OUTPUT, partitions=2)
        )
        seen = []
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send())
            for life in range(1, kills + 1):
                async with self._living(life, static=life <= kills * STATIC_SHARE) as process:
                    await self._moment(process)
                    process.kill()
                seen.append(await self._look(life))
            self._enough.set()
        async with self._living(kills + 1, static=False) as process:
            await self._drained(process)
            process.send_signal(signal.SIGTERM)
        return await self._judged(kills, seen)

    async def _judged(self, kills: int, seen: list[Seen]) -> Killed:
        handled = self._handled()
        commits = await self._commits()
        evidence = Evidence(self._places, handled, await self._results(), seen, commits)
        pairs = ((each.life, each.number) for each in handled)
        tally = Tally.of(kills, kills + 1, len(self._places), pairs)
        return Killed(judge(evidence), tally, len(commits))

    async def _send(self) -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=self._broker.bootstrap, enable_idempotence=True
        ) as producer:
            while not self._enough.is_set():
                first = len(self._places)
                numbers = range(first, first + SENT_AT_ONCE)
                sent = [await self._send_one(producer, number) for number in numbers]
                for number, metadata in zip(numbers, await asyncio.gather(*sent), strict=True):
                    self._places[number] = (metadata.partition, metadata.offset)
                await asyncio.sleep(PAUSE_S)

    async def _send_one(self, producer: AIOKafkaProducer, number: int) -> asyncio.Future[Any]:
        station = number % STATIONS
        value = json.dumps({"stationId": f"S{station}", "n": number}).encode()
        future: asyncio.Future[Any] = await producer.send(
            TOPIC, value, partition=station % PARTITIONS
        )
        return future

    # Lives.

    @asynccontextmanager
    async def _living(
        self, life: int, *, static: bool
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """A life for as long as the block runs, and until it has ended afterwards."""
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                service.__file__,
                self._shell,
                self._broker.bootstrap,
                str(self._journal),
                str(life),
                *([str(STATIC_TIMEOUT_MS), "member"] if static else [str(SESSION_TIMEOUT_MS)]),
                stderr=log,
            )
        try:
            yield process
            async with asyncio.timeout(DEADLINE_S):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _moment(self, process: Process) -> None:
        """Return at a moment drawn: after so many records, after a commit, or after so long."""
        sort = self._draw.random()
        if sort < BY_RECORDS_SHARE:
            missing = self._draw.randint(1, RECORDS_MAX)
            async with asyncio.timeout(DEADLINE_S):
                with self._journal.open("rb") as journal:
                    journal.seek(0, os.SEEK_END)
                    while (missing := missing - journal.read().count(b"\n")) > 0:
                        _check_alive(process)
                        await asyncio.sleep(LOOK_S)
            await asyncio.sleep(self._draw.uniform(0, AFTERWARDS_S_MAX))
        elif sort < BY_RECORDS_SHARE + BY_COMMIT_SHARE:
            before = await self._committed()
            async with asyncio.timeout(DEADLINE_S):
                while await self._committed() == before:
                    _check_alive(process)
                    await asyncio.sleep(LOOK_S)
            await asyncio.sleep(self._draw.uniform(0, AFTERWARDS_S_MAX))
        else:
            await asyncio.sleep(self._draw.uniform(0, CLOCK_S_MAX))
        _check_alive(process)

    async def _drained(self, process: Process) -> None:
        ends = {at: end for at, (_, end) in (await self._broker.log_ranges(TOPIC)).items()}
        async with asyncio.timeout(DEADLINE_S):
            while await self._committed() != ends:
                _check_alive(process)
                await asyncio.sleep(0.1)

    # What others see.

    async def _look(self, life: int) -> Seen:
        committed = await self._committed()
        ranges = await self._broker.log_ranges(OUTPUT)
        return Seen(life, committed, {at: end for at, (_, end) in ranges.items()})

    async def _committed(self) -> dict[int, int]:
        found = await self._broker.committed(GROUP)
        return {at: kept.offset for (topic, at), kept in found.items() if topic == TOPIC}

    def _handled(self) -> list[Handled]:
        return [Handled(*map(int, line.split())) for line in self._journal.read_text().splitlines()]

    async def _results(self) -> dict[int, list[tuple[int, int]]]:
        results: dict[int, list[tuple[int, int]]] = {}
        for record in await self._read(OUTPUT):
            number = json.loads(record.value)["output"]["n"]
            results.setdefault(number, []).append((record.partition, record.offset))
        return results

    async def _commits(self) -> list[Commit]:
        if COMMITS_TOPIC not in await self._broker.topic_names():
            return []
        return read_commits(await self._read(COMMITS_TOPIC), GROUP, TOPIC)

    async def _read(self, topic: str) -> list[Any]:
        """All records of a topic, in order within each partition."""
        ends = {
            TopicPartition(topic, at): end
            for at, (_, end) in (await self._broker.log_ranges(topic)).items()
        }
        records: list[Any] = []
        async with AIOKafkaConsumer(bootstrap_servers=self._broker.bootstrap) as consumer:
            consumer.assign(list(ends))
            await consumer.seek_to_beginning()
            async with asyncio.timeout(DEADLINE_S):
                while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                    for batch in (await consumer.getmany(timeout_ms=100)).values():
                        records.extend(batch)
        return records


def _check_alive(process: Process) -> None:
    assert process.returncode is None, f"the service ended by itself: {process.returncode}"
