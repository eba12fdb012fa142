"""Both services do the same with the same records of Apache Kafka, whatever polls these come in.

Records of different topics and partitions then meet in another order. What is the same is what each
station is told of each topic, one state of its window after another, and everything at the end.
"""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from data_analysis import AsyncDataAnalysisService, DataAnalysisService, config
from station_sim.brokers import Broker, TopicSpec, open_broker
from tests.core.test_parity import (
    STATIONS,
    FixedClock,
    count_by_station,
    make_records,
    small_windows,
    uploads_of,
)
from tests.kafka_at_hand import require_kafka

PARTITIONS = 2
DEADLINE_S = 120.0
FIELDS = [field for detail in config.TOPIC_DETAIL.values() for field in detail["fields"]]
OWN_FIELDS = {
    topic: [field for field in detail["fields"] if FIELDS.count(field) == 1]
    for topic, detail in config.TOPIC_DETAIL.items()
}
"""What no other topic has, so that it shows one topic's window and nothing else."""


class Told:
    """What each station was told of each topic: every state of it once, in order."""

    def __init__(self, module: str | None) -> None:
        self.states: dict[tuple[str, str], list[str]] = {}
        self.batches: list[tuple[str, list[str]]] = []
        self._module = module

    def callback(self, station_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
        inputs = [given] if self._module is not None else list(given.values())
        for topic, fields in OWN_FIELDS.items():
            shown = [
                [each.get(field), each.get(f"{field}_window")]
                for each in inputs
                for field in fields
                if field in each
            ]
            state = json.dumps(shown, sort_keys=True, default=str)
            states = self.states.setdefault((station_id, topic), [])
            if not states or states[-1] != state:
                states.append(state)
        return {"of": station_id}

    def upload(self, batch_id: str, results: list[dict[str, Any]]) -> None:
        self.batches.append((batch_id, sorted(result["of"] for result in results)))


def _partition(value: bytes) -> int:
    """Return where a record goes: a station's own partition, the first one for all others."""
    try:
        station_id = json.loads(value)["stationId"]
    except (ValueError, TypeError, KeyError):
        return 0
    return STATIONS.index(station_id) % PARTITIONS if station_id in STATIONS else 0


async def _send(broker: Broker, records: list[tuple[str, bytes, int]]) -> None:
    forever = {"retention.ms": "-1", "message.timestamp.after.max.ms": str(2**62)}
    await broker.make_topics(
        *(TopicSpec(topic, PARTITIONS, config=forever) for topic in config.TOPIC_DETAIL)
    )
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        for topic, value, stamp_ms in records:
            await producer.send_and_wait(
                topic, value, partition=_partition(value), timestamp_ms=stamp_ms
            )


def _options(broker: Broker, kind: str, module: str | None) -> dict[str, Any]:
    return {
        "module_name": module,
        "topics": list(config.TOPIC_DETAIL),
        "kafka_config": {
            "bootstrap_servers": [broker.bootstrap],
            "group_id": f"{kind}-{module}",
            "auto_offset_reset": "earliest",
            "compression_type": "none",
        },
        "config": small_windows(),
        "clock": FixedClock(),
    }


async def _run_async(options: dict[str, Any], told: Told, count: int) -> Any:
    service = AsyncDataAnalysisService(**options)
    for station_id in STATIONS:
        await service.add_station(station_id, told.callback)
    await service.start(told.callback, batch_upload_handler=told.upload)
    async with asyncio.timeout(DEADLINE_S):
        while service.engine.counters.records_finished < count:
            await asyncio.sleep(0.05)
    await service.stop()
    return service


def _run_blocking(options: dict[str, Any], told: Told, count: int) -> Any:
    service = DataAnalysisService(**options)
    for station_id in STATIONS:
        service.add_station(station_id, told.callback)
    service.start(told.callback, batch_upload_handler=told.upload)
    deadline = time.monotonic() + DEADLINE_S
    while service.engine.counters.records_finished < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    service.stop()
    return service


async def _outcome(broker: Broker, kind: str, module: str | None, count: int) -> dict[str, Any]:
    told = Told(module)
    options = _options(broker, kind, module)
    output = f"MODULE-OUTPUT-{module.upper()}" if module else None
    if output and output not in await broker.topic_names():
        await broker.make_topics(TopicSpec(output, 1))
    before = await _uploaded(broker, output)
    if kind == "async":
        service = await _run_async(options, told, count)
    else:
        service = await asyncio.to_thread(_run_blocking, options, told, count)
    after = await _uploaded(broker, output)
    committed = await broker.committed(f"{kind}-{module}")
    counters = service.engine.counters.shown()
    return {
        "states": told.states,
        "batches": sorted(told.batches),
        "windows": {
            (station_id, topic): service.dispatcher.get_topic_window(station_id, topic)
            for station_id in STATIONS
            for topic in config.TOPIC_DETAIL
        },
        "uploads": {each: after[each] - before.get(each, 0) for each in after},
        "committed": {tuple(tp): kept.offset for tp, kept in committed.items() if kept.offset},
        "counters": {
            name: number
            for name, number in counters.items()
            if name.startswith(("records_", "callback", "batch"))
        },
    }


async def _uploaded(broker: Broker, topic: str | None) -> dict[str, int]:
    return {} if topic is None else count_by_station(await uploads_of(broker, topic))


@pytest.mark.kafka
def test_on_apache_kafka_both_tell_each_station_the_same_of_each_topic() -> None:
    require_kafka("jvm")

    async def main() -> None:
        records = make_records(random.Random(7), batches=True)
        async with open_broker("jvm") as broker:
            await _send(broker, records)
            for module in (None, "operation_optimization"):
                ours = await _outcome(broker, "blocking", module, len(records))
                theirs = await _outcome(broker, "async", module, len(records))
                assert len(records) == sum(ours["committed"].values())
                assert (module is None) == bool(ours["batches"])
                assert (module is None) == (not ours["uploads"])
                assert any(len(states) > 5 for states in ours["states"].values())
                for what in ours:
                    assert theirs[what] == ours[what], what

    asyncio.run(main())
