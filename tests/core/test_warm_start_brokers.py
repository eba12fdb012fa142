"""Warm starts of both services in real time, on the embedded broker and on Apache Kafka."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from data_analysis import AsyncDataAnalysisService, DataAnalysisService
from station_sim.brokers import Broker, TopicSpec, open_broker
from tests.core.world import small_config
from tests.kafka_at_hand import require_kafka

TOPIC, PARTITIONS, STATIONS, RECORDS, WINDOW = "OWN", 3, 6, 1_200, 50
CONFIG = small_config(
    TOPIC_DETAIL={TOPIC: {"fields": ["n"], "modules": ["m"], "window_size": WINDOW}}
)
DEADLINE_S = 60.0


@pytest.mark.parametrize("kind", ["embedded", pytest.param("jvm", marks=pytest.mark.kafka)])
def test_both_services_go_on_with_full_windows(kind: str) -> None:
    if kind == "jvm":
        require_kafka(kind)
    asyncio.run(_go_on(kind))


async def _go_on(kind: str) -> None:
    async with open_broker(kind) as broker:
        await broker.make_topics(TopicSpec(TOPIC, PARTITIONS, config={"retention.ms": "-1"}))
        await _send(broker, range(RECORDS))
        for shell in (AsyncDataAnalysisService, DataAnalysisService):
            await _use(shell, broker, warm=False, count=RECORDS)
        await _send(broker, range(RECORDS, RECORDS + STATIONS))
        for shell in (AsyncDataAnalysisService, DataAnalysisService):
            seen = await _use(shell, broker, warm=True, count=STATIONS)
            for station_id, [given] in seen.items():
                newest = RECORDS + int(station_id[1:])
                wanted = range(newest - (WINDOW - 1) * STATIONS, newest + 1, STATIONS)
                assert list(wanted) == given["n_window"], (shell, station_id)


async def _send(broker: Broker, numbers: range) -> None:
    """Send records of several stations, some of them in transactions."""
    async with (
        AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as plain,
        AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id="t") as careful,
    ):
        for number in numbers:
            value = json.dumps({"stationId": f"S{number % STATIONS}", "n": number}).encode()
            if number % 100 == 99:
                async with careful.transaction():
                    await careful.send_and_wait(TOPIC, value, partition=number % PARTITIONS)
            else:
                await plain.send_and_wait(TOPIC, value, partition=number % PARTITIONS)


async def _use(shell: Any, broker: Broker, *, warm: bool, count: int) -> dict[str, list[Any]]:
    """Have a service handle so many records; return the inputs of its callbacks by station."""
    seen: dict[str, list[Any]] = {}
    kafka = {
        "bootstrap_servers": [broker.bootstrap],
        "group_id": shell.__name__,
        "auto_offset_reset": "earliest",
    }
    service = shell("m", kafka_config=kafka, config=CONFIG, upload_results=False, warm_start=warm)
    blocking = shell is DataAnalysisService

    async def call(method: Callable[[], Any | Awaitable[Any]]) -> Any:
        return await (asyncio.to_thread(method) if blocking else method())

    await call(lambda: service.start(lambda s, given: seen.setdefault(s, []).append(given)))
    async with asyncio.timeout(DEADLINE_S):
        while service.engine.counters.records_finished < count:
            await asyncio.sleep(0.01)
    await call(service.stop)
    assert count == sum(map(len, seen.values()))
    return seen
