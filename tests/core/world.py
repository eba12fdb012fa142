"""A small world for service tests: virtual time, the simulated Kafka, records, what came out."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from data_analysis import AsyncDataAnalysisService
from station_sim.brokers import Broker, TopicSpec, open_broker
from station_sim.clock import EPOCH_S, run_virtual

GROUP = "service-tests"
DATA = "REAL-STATION-DATA"
CALENDAR = "SCHEDULE-ENVIRONMENT-CALENDAR"
OUTPUT = "MODULE-OUTPUT-LOAD_PREDICTION"
DEAD = "DEAD"
EPOCH_MS = int(EPOCH_S * 1000)


def small_config(**changes: Any) -> SimpleNamespace:
    """Two topics with small windows."""
    detail: dict[str, Any] = {
        DATA: {
            "fields": ["stationId", "timestamp", "totalPower"],
            "modules": ["load_prediction"],
            "window_size": 4,
        },
        CALENDAR: {
            "fields": ["date", "isHoliday"],
            "modules": ["load_prediction"],
            "window_size": 1,
            "expire_seconds": None,
        },
    }
    names = {"TOPIC_DETAIL": detail, "MODULE_DEPENDENCIES": {}, "OFFSET_COMMIT_CONFIG": {}}
    return SimpleNamespace(**{**names, **changes})


class World:
    """A broker with topics of one partition, a producer, and services."""

    def __init__(self, broker: Broker, producer: AIOKafkaProducer) -> None:
        self.broker = broker
        self.calls: list[tuple[str, Any]] = []
        self.gaps: list[Any] = []
        self._producer = producer

    def service(self, **options: Any) -> AsyncDataAnalysisService:
        """A service of load_prediction that reports its gaps here; `kafka` adds to its settings."""
        given = {"config": small_config(), "on_gap": self.gaps.append, **options}
        reset = given.pop("auto_offset_reset", "earliest")
        kafka = {
            "bootstrap_servers": [self.broker.bootstrap],
            "group_id": GROUP,
            "auto_offset_reset": reset,
            "compression_type": "none",
            **given.pop("kafka", {}),
        }
        return AsyncDataAnalysisService(
            given.pop("module_name", "load_prediction"), kafka_config=kafka, **given
        )

    def callback(self, station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
        """Note the newest power and answer with it."""
        self.calls.append((station_id, module_input["totalPower"]))
        return {"power": module_input["totalPower"]}

    async def send(self, station_id: str, *powers: float, first_s: int = 0) -> None:
        """Send one record per power, 15 s of record time apart."""
        for index, power in enumerate(powers):
            value = {"stationId": station_id, "timestamp": "t", "totalPower": power}
            stamp_ms = EPOCH_MS + (first_s + 15 * index) * 1000
            await self.send_raw(DATA, json.dumps(value).encode(), stamp_ms)

    async def send_raw(
        self, topic: str, value: bytes, stamp_ms: int = EPOCH_MS, partition: int = 0
    ) -> None:
        """Send one record and wait for it."""
        await self._producer.send_and_wait(topic, value, partition=partition, timestamp_ms=stamp_ms)

    async def sent(self, topic: str) -> list[Any]:
        """Every record of a topic."""
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self.broker.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            end = (await self.broker.log_ranges(topic))[0][1]
            records: list[Any] = []
            while len(records) < end:
                for batch in (await consumer.getmany(timeout_ms=1000)).values():
                    records.extend(batch)
            return records
        finally:
            await consumer.stop()

    async def committed(self) -> int:
        """The committed offset of the data topic."""
        return int((await self.broker.committed(GROUP))[(DATA, 0)].offset)

    async def until(self, reached: Callable[[], bool], within_s: float = 60.0) -> None:
        """Wait, in virtual time, until something holds."""
        async with asyncio.timeout(within_s):
            while not reached():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def open_world(nodes: int = 1, **properties: str) -> AsyncIterator[World]:
    """Open a virtual broker with the topics of the tests."""
    async with open_broker("virtual", nodes=nodes, server_properties=properties) as broker:
        await broker.make_topics(
            *(
                TopicSpec(topic, partitions=1, config={"retention.ms": "-1"})
                for topic in (DATA, CALENDAR, OUTPUT, DEAD)
            )
        )
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
        await producer.start()
        try:
            yield World(broker, producer)
        finally:
            await producer.stop()


def in_world(
    story: Callable[[World], Awaitable[None]], properties: Mapping[str, str] | None = None
) -> None:
    """Run a story in virtual time, with these properties of the broker."""

    async def main() -> None:
        async with open_world(**properties or {}) as world:
            await story(world)

    run_virtual(main, seed=1)
