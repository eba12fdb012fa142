"""A consumer in a group and a producer that have nothing to do: how fast virtual time passes.

    python -m tests.benchmarks.idle_clients [--hours H] [--client NAME]

Fetches wait 15 s at the broker; all else is the client's default, heartbeats every 3 s included.
The rate by the processor's time is what the wall's would be on a machine that nobody else uses.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer

from station_sim.brokers import TopicSpec, open_broker
from station_sim.clock import run_virtual
from tests.benchmarks.yardstick import REAL_CLOCKS, print_yardstick

TARGET = 2_000
FETCH_MAX_WAIT_MS = 15_000
PARTITIONS = 3


async def idle_aiokafka(bootstrap: str, topic: str, idle_s: float) -> tuple[float, float]:
    """Wall and processor seconds of `idle_s` virtual ones, of clients that are there already."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id="idle", fetch_max_wait_ms=FETCH_MAX_WAIT_MS
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


async def idle_kafka_python(bootstrap: str, topic: str, idle_s: float) -> tuple[float, float]:
    """The same, of blocking clients, whose threads are virtual ones."""
    return await asyncio.to_thread(_idle_kafka_python, bootstrap, topic, idle_s)


def _idle_kafka_python(bootstrap: str, topic: str, idle_s: float) -> tuple[float, float]:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id="idle", fetch_max_wait_ms=FETCH_MAX_WAIT_MS
    )
    wall, cpu = REAL_CLOCKS
    wall_s, cpu_s = wall(), cpu()
    end_s = time.monotonic() + idle_s
    while time.monotonic() < end_s:
        consumer.poll(timeout_ms=FETCH_MAX_WAIT_MS)
    wall_s, cpu_s = wall() - wall_s, cpu() - cpu_s
    consumer.close()
    producer.close()
    return wall_s, cpu_s


CLIENTS: dict[str, Callable[[str, str, float], Awaitable[tuple[float, float]]]] = {
    "aiokafka": idle_aiokafka,
    "kafka-python": idle_kafka_python,
}
"""By name, what idles: it takes the bootstrap address, a topic and virtual seconds."""


async def idle(client: str, idle_s: float) -> tuple[float, float]:
    """Idle on a virtual broker; wall and processor seconds."""
    async with open_broker("virtual") as broker:
        await broker.make_topics(TopicSpec("T", partitions=PARTITIONS))
        return await CLIENTS[client](broker.bootstrap, "T", idle_s)


def main() -> int:
    """Measure and print; 0 if the target was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--client", choices=list(CLIENTS), default="aiokafka")
    options = parser.parse_args()
    idle_s = options.hours * 3600
    wall_s, cpu_s = run_virtual(lambda: idle(options.client, idle_s))
    print(
        f"{'idle':13}{'virtual h':>10}{'wall s':>9}{'cpu s':>9}{'x real time':>13}{'by cpu':>9}"
        f"{'target':>10}"
    )
    print(
        f"{options.client:13}{options.hours:10g}{wall_s:9.2f}{cpu_s:9.2f}{idle_s / wall_s:13,.0f}"
        f"{idle_s / cpu_s:9,.0f}{f'>= {TARGET:,}':>10}"
    )
    print_yardstick()
    return 1 if idle_s / wall_s < TARGET else 0


if __name__ == "__main__":
    sys.exit(main())
