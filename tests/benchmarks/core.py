"""The core against hand-written programs that do its job, on one Apache Kafka, in one run.

    python -m tests.benchmarks.core [--rounds N] [--scale X] [ROW...]

Every row compares two programs that run in turn (A B A B); each measurement is a process of its
own. Ratios are taken within a round; a row shows their median and spread. What the programs of the
yardsticks do is in `yardsticks`, what the service is asked for in `core_service`. Uploads have
acks=all and no compression on both sides, commits are made once a second.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from station_sim.brokers import TopicSpec, open_broker
from station_sim.brokers.broker import Broker
from station_sim.errors import LabError
from tests.benchmarks.yardstick import print_yardstick

PARTITIONS = 8
OUT = "bench-out"
RESULTS = f"{OUT}-LOAD_PREDICTION"
LARGEST_RECORD_BYTES = 20_000_000
MEASURE_TIMEOUT_S = 600
YARDSTICKS = "tests.benchmarks.yardsticks"
SERVICE = ("tests.benchmarks.core_service",)
LOOP = (f"{YARDSTICKS}.loop_aiokafka",)
RAW = (f"{YARDSTICKS}.raw_aiokafka",)

Program = tuple[str, ...]
"""A module and its options beyond topic and number of records."""


@dataclass(frozen=True)
class Data:
    """What a topic is filled with: the options of `fill`, and how many records."""

    records: int
    options: tuple[str, ...] = ()
    points_per_record: int = 1
    known: int = 0


SINGLES = Data(100_000)
MANY = Data(300_000)
BATCHES = Data(2_000, ("--payload", "batch"), points_per_record=50)
HOURLY = Data(8, ("--payload", "hourly", "--stations", "100"), points_per_record=16_800)
SLOW_SENDERS = Data(50_000, ("--batch-records", "1"))
BUSY_OF_100 = Data(60_000, ("--stations", "100", "--known", "100"), known=100)
BUSY_OF_10_000 = Data(60_000, ("--stations", "100", "--known", "10000"), known=10_000)
FEW = Data(30_000, ("--stations", "20"))


@dataclass(frozen=True)
class Side:
    """One of the two programs of a row, and what it reads."""

    program: Program
    data: Data


@dataclass(frozen=True)
class Row:
    """One line: ours, the yardstick (None: `target` is a rate in points/s), and what is wanted."""

    name: str
    what: str
    ours: Side
    yardstick: Side | None
    target: float


LONG = ("--window", "40320", "--prefill", "40320", "--stations", "20", "--form", "array")
ROWS = (
    Row("loop", "window 10, lists, upload each", Side(SERVICE, SINGLES), Side(LOOP, SINGLES), 1.5),
    Row(
        "loop-array",
        "window 10, arrays, upload each",
        Side((*SERVICE, "--form", "array"), SINGLES),
        Side(LOOP, SINGLES),
        1.5,
    ),
    Row(
        "raw",
        "callback each, no upload",
        Side((*SERVICE, "--no-upload"), MANY),
        Side(RAW, MANY),
        0.25,
    ),
    Row(
        "coalesce",
        "callback per poll and station, no upload",
        Side((*SERVICE, "--no-upload", "--coalesce"), MANY),
        Side(RAW, MANY),
        0.4,
    ),
    Row(
        "long-window",
        "window 40,320 (arrays) by window 10 (arrays)",
        Side((*SERVICE, *LONG), FEW),
        Side((*SERVICE, "--stations", "20", "--form", "array"), FEW),
        0.9,
    ),
    Row(
        "batches",
        "50 stations in a record, window 10, lists",
        Side((*SERVICE, "--payload", "batch"), BATCHES),
        Side((*LOOP, "--payload", "batch"), BATCHES),
        1.5,
    ),
    Row(
        "slow-senders",
        "one record per record batch",
        Side(SERVICE, SLOW_SENDERS),
        Side(LOOP, SLOW_SENDERS),
        0.9,
    ),
    Row(
        "known",
        "10,000 stations known by 100 known, 100 busy",
        Side((*SERVICE, "--known", "10000"), BUSY_OF_10_000),
        Side((*SERVICE, "--known", "100"), BUSY_OF_100),
        0.9,
    ),
    Row(
        "hourly",
        "168 h x 100 stations in a record of 5.7 MB, points/s",
        Side((*SERVICE, "--payload", "hourly"), HOURLY),
        None,
        100_000,
    ),
)


def measure(broker: Broker, side: Side, topic: str, scale: float) -> float:
    """Run one program to its end; points/s by its own clock.

    Raises:
        LabError: it failed, or did not see all records.
    """
    module, *options = side.program
    data = side.data
    records = round(data.records * scale)
    command = [sys.executable, "-m", module, "--bootstrap", broker.bootstrap, "--topic", topic]
    command += ["--records", str(records), "--out-topic", OUT, *options]
    if module == SERVICE[0]:
        calls = data.points_per_record * records if data is not HOURLY else 100 * records
        command += ["--calls", str(calls)]
        if data is HOURLY:
            command += ["--fetch-bytes", str(LARGEST_RECORD_BYTES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MEASURE_TIMEOUT_S)
    if done.returncode:
        raise LabError(f"{' '.join(command)} failed: {done.stdout}{done.stderr[-2000:]}")
    line = json.loads(done.stdout.splitlines()[-1])
    return float(line["records_per_s"]) * data.points_per_record


class Topics:
    """Topics by what they hold; each is filled once."""

    def __init__(self, broker: Broker, scale: float) -> None:
        self._broker = broker
        self._scale = scale
        self._names: dict[Data, str] = {}

    async def name_of(self, data: Data) -> str:
        """Return the topic that holds this."""
        if data not in self._names:
            topic = f"bench-{uuid.uuid4().hex[:8]}"
            limit = {"max.message.bytes": str(LARGEST_RECORD_BYTES)}
            await self._broker.make_topics(TopicSpec(topic, partitions=PARTITIONS, config=limit))
            command = [sys.executable, "-m", f"{YARDSTICKS}.fill", "--topic", topic]
            command += ["--bootstrap", self._broker.bootstrap, "--partitions", str(PARTITIONS)]
            command += ["--records", str(round(data.records * self._scale)), *data.options]
            await asyncio.to_thread(subprocess.run, command, check=True)
            self._names[data] = topic
        return self._names[data]


async def one_round(
    broker: Broker, topics: Topics, row: Row, scale: float
) -> tuple[float, float | None]:
    """Measure both sides of a row once."""
    ours = await asyncio.to_thread(
        measure, broker, row.ours, await topics.name_of(row.ours.data), scale
    )
    if row.yardstick is None:
        return ours, None
    topic = await topics.name_of(row.yardstick.data)
    return ours, await asyncio.to_thread(measure, broker, row.yardstick, topic, scale)


def line(row: Row, rounds: Sequence[tuple[float, float | None]]) -> tuple[str, bool]:
    """The printed line of a row, and whether its target was met."""
    ours = statistics.median(mine for mine, _ in rounds)
    against = [other for _, other in rounds if other is not None]
    ratios = [mine / other for mine, other in rounds if other is not None] or [
        mine for mine, _ in rounds
    ]
    shown = f"{statistics.median(against):12,.0f}" if against else f"{'':12}"
    number = ",.2f" if against else ",.0f"
    spread = f"{min(ratios):{number}}-{max(ratios):{number}}"
    median = statistics.median(ratios)
    text = f"{row.name:14}{row.what:54}{ours:12,.0f}{shown}{median:12{number}}"
    return f"{text}{row.target:>12{number}}  {spread}", median >= row.target


async def compare(rows: Sequence[Row], rounds: int, scale: float) -> bool:
    """Start the broker, measure, print the table; whether every target was met."""
    met = True
    properties = {"message.max.bytes": str(LARGEST_RECORD_BYTES)}
    async with open_broker("jvm", server_properties=properties) as broker:
        await broker.make_topics(
            TopicSpec(OUT, partitions=PARTITIONS), TopicSpec(RESULTS, partitions=PARTITIONS)
        )
        topics = Topics(broker, scale)
        print(
            f"{'row':14}{'what':54}{'ours/s':>12}{'yardstick/s':>12}{'ratio':>12}{'target':>12}"
            "  spread"
        )
        for row in rows:
            try:
                done = [await one_round(broker, topics, row, scale) for _ in range(rounds)]
            except (LabError, subprocess.SubprocessError) as error:
                print(f"{row.name:14}{row.what:54} not measured: {error}", flush=True)
                met = False
                continue
            text, reached = line(row, done)
            met = met and reached
            print(text, flush=True)
    print_yardstick()
    return met


def main() -> int:
    """Read the command line and measure; 0 if every target was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0, help="times as many records")
    options = parser.parse_args()
    known = {row.name: row for row in ROWS}
    for name in options.rows:
        if name not in known:
            parser.error(f"no row is called {name}; there are {', '.join(known)}")
    rows = [known[name] for name in options.rows or known]
    try:
        return 0 if asyncio.run(compare(rows, options.rounds, options.scale)) else 1
    except LabError as error:
        print(f"the core is not measured: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
