"""A consumer in a group and a producer that have nothing to do: how fast virtual time passes.

    python -m tests.benchmarks.idle_clients [--hours H] [--client NAME]

Fetches wait 15 s at the broker. The row with the target is of clients that are set for such waits;
those with the defaults beat every 3 s and commit every 5 s besides. The rate by the processor's
time is what the wall's would be on a machine that nobody else uses.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer

from station_sim.brokers import TopicSpec, open_broker
from station_sim.clock import run_virtual
from tests.benchmarks.yardstick import REAL_CLOCKS, print_yardstick

TARGET = 2_000
FETCH_MAX_WAIT_MS = 15_000
PARTITIONS = 3

SETTINGS: dict[str, dict[str, Any]] = {
    "long polls": {
        "heartbeat_interval_ms": 10_000,
        "session_timeout_ms": 45_000,
        "enable_auto_commit": False,
    },
    "defaults": {},
}
"""By name, what a consumer is told beyond `fetch_max_wait_ms`; the first has the target."""


Settings = dict[str, Any]


async def idle_aiokafka(
    bootstrap: str, topic: str, idle_s: float, settings: Settings
) -> tuple[float, float]:
    """Wall and processor seconds of `idle_s` virtual ones, of clients that are there already."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id="idle",
        fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
        **settings,
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    wall, cpu = REAL_CLOCKS
    async with consumer, producer:
        polling = asyncio.create_task(consumer.getone())
        wall_s, cpu_s = wall(), cpu()
        await asyncio.sleep(idle_s)
        wall_s, cpu_s = wall() - wall_s, cpu() - cpu_s
        polling.cancel()
    return wall_s, cpu_s


async def idle_kafka_python(
    bootstrap: str, topic: str, idle_s: float, settings: Settings
) -> tuple[float, float]:
    """The same, of blocking clients, whose threads are virtual ones."""
    return await asyncio.to_thread(_idle_kafka_python, bootstrap, topic, idle_s, settings)


def _idle_kafka_python(
    bootstrap: str, topic: str, idle_s: float, settings: Settings
) -> tuple[float, float]:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id="idle",
        fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
        **settings,
    )
    consumer.poll(timeout_ms=FETCH_MAX_WAIT_MS)
    wall, cpu = REAL_CLOCKS
    wall_s, cpu_s = wall(), cpu()
    end_s = time.monotonic() + idle_s
    while time.monotonic() < end_s:
        consumer.poll(timeout_ms=FETCH_MAX_WAIT_MS)
    wall_s, cpu_s = wall() - wall_s, cpu() - cpu_s
    consumer.close()
    producer.close()
    return wall_s, cpu_s


CLIENTS: dict[str, Callable[[str, str, float, Settings], Awaitable[tuple[float, float]]]] = {
    "aiokafka": idle_aiokafka,
    "kafka-python": idle_kafka_python,
}
"""By name, what idles: it takes the bootstrap address, a topic, virtual seconds and settings."""


async def idle(client: str, idle_s: float, settings: str) -> tuple[float, float]:
    """Idle on a virtual broker; wall and processor seconds."""
    async with open_broker("virtual") as broker:
        await broker.make_topics(TopicSpec("T", partitions=PARTITIONS))
        return await CLIENTS[client](broker.bootstrap, "T", idle_s, SETTINGS[settings])


def row(client: str, settings: str, idle_s: float) -> tuple[str, float]:
    """One line of the table, and the rate by the wall's clock."""
    wall_s, cpu_s = run_virtual(lambda: idle(client, idle_s, settings))
    target = f">= {TARGET:,}" if settings == next(iter(SETTINGS)) else "reported"
    told = (
        f"{client:13}{settings:13}{idle_s / 3600:9g}{wall_s:9.2f}{cpu_s:9.2f}"
        f"{idle_s / wall_s:13,.0f}{idle_s / cpu_s:9,.0f}{target:>10}"
    )
    return told, idle_s / wall_s


def main() -> int:
    """Measure and print; 0 if the target was met by every client's first row, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--client", choices=list(CLIENTS))
    options = parser.parse_args()
    print(
        f"{'idle':13}{'settings':13}{'virtual h':>9}{'wall s':>9}{'cpu s':>9}{'x real time':>13}"
        f"{'by cpu':>9}{'target':>10}"
    )
    rates = []
    for client in [options.client] if options.client else CLIENTS:
        for settings in SETTINGS:
            told, rate = row(client, settings, options.hours * 3600)
            print(told, flush=True)
            if settings == next(iter(SETTINGS)):
                rates.append(rate)
    for name, values in SETTINGS.items():
        told = ", ".join(f"{key}={value}" for key, value in values.items()) or "the client's own"
        print(f"{name}: fetch_max_wait_ms={FETCH_MAX_WAIT_MS}, else {told}")
    print_yardstick()
    return 1 if min(rates) < TARGET else 0


if __name__ == "__main__":
    sys.exit(main())
