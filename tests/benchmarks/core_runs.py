"""Runs what `core.py` compares: fills topics, each once, and measures programs, one at a time."""

import asyncio
import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from station_sim.brokers import TopicSpec
from station_sim.brokers.broker import Broker
from station_sim.errors import LabError
from tests.benchmarks.core_rows import LARGEST_RECORD_BYTES, OUT, PARTITIONS, Data, Row, Side

YARDSTICKS = Path(__file__).parent / "yardsticks"
RUN_TIMEOUT_S = 300
MEASURED_S = 120
SAME = 1e-9
"""How far two sums of the same numbers may be apart, as a share: they add in another order."""


@dataclass(frozen=True)
class Measured:
    """One run of one side: points per second, processor microseconds of a point, the answers."""

    per_s: float
    cpu_us: float
    outputs: int
    check: float
    peak_mb: float
    idle_start: float
    """Share of the measured time before the service's first callback."""


@dataclass(frozen=True)
class Pair:
    """One round of a row."""

    ours: Measured
    other: Measured | None


class Runs:
    """Measurements on one broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._topics: dict[Data, str] = {}

    async def round(self, row: Row, number: int) -> Pair:
        """Measure both sides of a row once; every other time the yardstick is first.

        Raises:
            LabError: a program failed, or the two did not do the same.
        """
        if row.yardstick is None:
            return Pair(await self.measure(row.ours), None)
        if number % 2:
            other = await self.measure(row.yardstick)
            pair = Pair(await self.measure(row.ours), other)
        else:
            ours = await self.measure(row.ours)
            pair = Pair(ours, await self.measure(row.yardstick))
        if row.same_check:
            _check_same(row, pair)
        return pair

    async def measure(self, side: Side, *options: str) -> Measured:
        """Run one side to its end.

        Raises:
            LabError: it failed, or did not see all records.
        """
        topic = await self._topic_of(side.data)
        command = [*self._program(side), "--topic", topic, *side.options, *options]
        line = json.loads((await _run(command)).splitlines()[-1])
        points = side.data.points_per_message
        return Measured(
            per_s=line["msgs_per_s"] * points,
            cpu_us=line["us_cpu_per_msg"] / points,
            outputs=line.get("outputs", 0),
            check=line.get("check", 0.0),
            peak_mb=line["peak_rss_mb"],
            idle_start=line.get("first_call_after_s", 0.0) / line["seconds"],
        )

    def _program(self, side: Side) -> list[str]:
        data = side.data
        if side.peer is not None:
            program = [str(YARDSTICKS / side.peer)]
        else:
            program = ["-m", "tests.benchmarks.core_service", "--head", str(data.head)]
            program += ["--calls", str(data.messages * data.calls_per_message)]
        program += ["--bootstrap", self._broker.bootstrap, "--messages", str(data.messages)]
        return [*program, "--out-topic", OUT, "--max-seconds", str(MEASURED_S)]

    async def _topic_of(self, data: Data) -> str:
        if data not in self._topics:
            topic = data.topic or f"bench-{uuid.uuid4().hex[:8]}"
            filler = [str(YARDSTICKS / data.fill)]
            if data.fill != "gen.py":
                filler = ["-m", "tests.benchmarks.core_fill", data.fill]
                limit = {"max.message.bytes": str(LARGEST_RECORD_BYTES)}
                await self._broker.make_topics(TopicSpec(topic, PARTITIONS, config=limit))
            filler += ["--topic", topic, "--bootstrap", self._broker.bootstrap]
            filler += ["--partitions", str(PARTITIONS), "--messages", str(data.messages)]
            await _run([*filler, *data.options])
            self._topics[data] = topic
        return self._topics[data]


async def _run(arguments: list[str]) -> str:
    """Return what a Python program printed."""
    command = [sys.executable, *arguments]
    try:
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(command)} took more than {RUN_TIMEOUT_S} s") from error
    if done.returncode:
        raise LabError(f"{' '.join(command)} failed: {done.stdout}{done.stderr[-2000:]}")
    return done.stdout


def _check_same(row: Row, pair: Pair) -> None:
    ours, other = pair.ours, pair.other
    assert other is not None
    if ours.outputs != other.outputs or abs(ours.check - other.check) > SAME * abs(other.check):
        raise LabError(
            f"row {row.name}: {ours.outputs} answers of together {ours.check} are not the"
            f" yardstick's {other.outputs} of {other.check}; one of them is wrong"
        )
