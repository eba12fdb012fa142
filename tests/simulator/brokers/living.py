"""How the tests here live with a broker: the right kind of time, conditions, what is left."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaProducer
from tests.kafka_at_hand import require_kafka

from station_sim.brokers import Broker, open_broker
from station_sim.clock import run_virtual

DEADLINE_S = 60.0

KINDS = [
    "virtual",
    "embedded",
    pytest.param("jvm", marks=pytest.mark.kafka),
    pytest.param("docker", marks=[pytest.mark.kafka, pytest.mark.docker]),
]

Body = Callable[[Broker], Awaitable[Any]]


def live(kind: str, body: Body, **options: Any) -> Any:
    """Open a broker, run `body` with it, close it; in virtual time for the virtual one."""
    require_kafka(kind)

    async def main() -> Any:
        async with open_broker(kind, **options) as broker:
            return await body(broker)

    return run_virtual(main, seed=1) if kind == "virtual" else asyncio.run(main())


async def produce(broker: Broker, topic: str, count: int) -> None:
    """Send `count` records to partition 0, one after another."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    try:
        for number in range(count):
            await producer.send_and_wait(topic, b"%d" % number, partition=0)
    finally:
        await producer.stop()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return when `condition()` holds; fail after a minute."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S:g} s for {what}"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether the process exists and is more than an entry that nobody has read."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def executable(path: Path, script: str) -> Path:
    """A shell script that stands where a program is looked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
