"""Produce and consume on the embedded broker against Apache Kafka, in one run.

    python -m tests.benchmarks.throughput [--rounds N] [--records N] [CLIENT...]

Both brokers run at once and are asked in turn, round by round, the other one first in every second;
a row gives the median rate of each and of the ratios within a round. What was produced is consumed
several times over, for that takes less than half a second and a machine's speed changes by as much
as a third from one second to the next. `large` sends batches as large as the client makes them,
`single` one record in each request. Records have 350 bytes, eight partitions, acks=all. The
producing and consuming is done by unmodified clients, in a process of its own for each measurement.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from station_sim.brokers import TopicSpec, open_broker
from station_sim.brokers.broker import Broker
from station_sim.errors import LabError
from tests.benchmarks.yardstick import print_yardstick

PARTITIONS = 8
RIVALS = ("jvm", "embedded")
SINGLES_SHARE = 5
"""One record per request is that much slower: so many fewer are sent."""

TIMES = {"produce": 1, "consume": 5}
"""How often a deed is done in a round; the median counts."""

TARGETS = {"large": 0.9, "single": 0.6}


@dataclass(frozen=True)
class Row:
    """One line of the table: what a client did, and the rates (records/s) on both brokers."""

    client: str
    form: str
    deed: str


ROWS = tuple(
    Row(client, form, deed)
    for client in ("aiokafka", "confluent")
    for form in ("large", "single")
    for deed in ("produce", "consume")
)


def rate(row: Row, broker: Broker, topic: str, records: int) -> float:
    """Do what a row says, in a process of its own; records/s by its own clock."""
    command = [sys.executable, "-m", f"tests.benchmarks.throughput_{row.client}"]
    command += [row.deed, row.form, broker.bootstrap, topic, str(records)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


async def one_round(
    brokers: dict[str, Broker], rows: Sequence[Row], records: int
) -> dict[tuple[Row, str], float]:
    """Every row on every broker; consumers read what the producers of the round wrote."""
    found: dict[tuple[Row, str], float] = {}
    name = uuid.uuid4().hex[:8]
    for row in rows:
        count = records if row.form == "large" else records // SINGLES_SHARE
        topic = f"{name}-{row.client}-{row.form}"
        rates: dict[str, list[float]] = {kind: [] for kind in brokers}
        for _ in range(TIMES[row.deed]):
            for kind, broker in brokers.items():
                if row.deed == "produce":
                    await broker.make_topics(TopicSpec(topic, partitions=PARTITIONS))
                rates[kind].append(await asyncio.to_thread(rate, row, broker, topic, count))
        for kind in brokers:
            found[row, kind] = statistics.median(rates[kind])
    return found


def table(rows: Sequence[Row], rounds: Sequence[dict[tuple[Row, str], float]]) -> Iterator[str]:
    """The lines to print."""
    yield (
        f"{'client':11}{'form':8}{'deed':9}{'Apache Kafka/s':>16}{'embedded/s':>12}{'ratio':>8}"
        + (f"{'spread':>14}{'target':>8}")
    )
    for row in rows:
        rates = {kind: statistics.median(done[row, kind] for done in rounds) for kind in RIVALS}
        ratios = [done[row, "embedded"] / done[row, "jvm"] for done in rounds]
        yield (
            f"{row.client:11}{row.form:8}{row.deed:9}{rates['jvm']:16,.0f}{rates['embedded']:12,.0f}"
            f"{statistics.median(ratios):8.2f}{min(ratios):7.2f}-{max(ratios):.2f}"
            f"{TARGETS[row.form]:>9.1f}"
        )


def has_missed(row: Row, rounds: Sequence[dict[tuple[Row, str], float]]) -> bool:
    """Whether the median ratio is below its target."""
    ratios = [done[row, "embedded"] / done[row, "jvm"] for done in rounds]
    return statistics.median(ratios) < TARGETS[row.form]


async def compare(rows: Sequence[Row], rounds: int, records: int) -> bool:
    """Start both brokers, measure, print the table; whether every target was met."""
    async with open_broker("jvm") as jvm, open_broker("embedded") as embedded:
        brokers = {"jvm": jvm, "embedded": embedded}
        await one_round(brokers, rows, records // 4)  # a JVM wants to be warm
        done = []
        for number in range(rounds):
            done.append(await one_round(brokers, rows, records))
            brokers = dict(reversed(brokers.items()))
            print(f"round {number + 1} of {rounds} done", file=sys.stderr)
        print("\n".join(table(rows, done)))
    print_yardstick()
    return not any(has_missed(row, done) for row in rows)


def main() -> int:
    """Read the command line and measure; 0 if every target was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clients", nargs="*", default=["aiokafka", "confluent"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=100_000)
    options = parser.parse_args()
    rows = [row for row in ROWS if row.client in options.clients]
    try:
        return 0 if asyncio.run(compare(rows, options.rounds, options.records)) else 1
    except LabError as error:
        print(f"throughput is not measured: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
