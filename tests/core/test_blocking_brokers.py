"""The blocking service in real time, on the embedded broker and on Apache Kafka."""

import asyncio
import json
import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from data_analysis import DataAnalysisService
from station_sim.brokers import TopicSpec, open_broker
from tests.core.world import CALENDAR, DATA, OUTPUT, small_config
from tests.kafka_at_hand import require_kafka

GROUP = "blocking-brokers"
PARTITIONS = 4
STATIONS = 8
RECORDS = 400
DEADLINE_S = 90.0


@pytest.mark.parametrize("kind", ["embedded", pytest.param("jvm", marks=pytest.mark.kafka)])
def test_two_members_handle_every_record_in_order_across_rebalances(kind: str) -> None:
    if kind == "jvm":
        require_kafka(kind)
    asyncio.run(_share(kind))


async def _share(kind: str) -> None:
    async with open_broker(kind) as broker:
        forever = {"retention.ms": "-1"}
        await broker.make_topics(
            TopicSpec(DATA, PARTITIONS, config=forever),
            TopicSpec(CALENDAR, 1, config=forever),
            TopicSpec(OUTPUT, 1, config=forever),
        )
        sending = asyncio.create_task(_send(broker.bootstrap))
        calls = await asyncio.to_thread(_serve, broker.bootstrap)
        await sending
        assert {f"S{at}" for at in range(STATIONS)} == set(calls)
        for station_id, powers in calls.items():
            first = int(station_id[1:])
            assert list(range(first, RECORDS, STATIONS)) == powers, station_id
        committed = await broker.committed(GROUP)
        assert RECORDS == sum(committed[(DATA, at)].offset for at in range(PARTITIONS))
        assert RECORDS == (await broker.log_ranges(OUTPUT))[0][1]


async def _send(bootstrap: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for number in range(RECORDS):
            value = {"stationId": f"S{number % STATIONS}", "timestamp": "t", "totalPower": number}
            at = number % STATIONS % PARTITIONS
            await producer.send_and_wait(DATA, json.dumps(value).encode(), partition=at)
            await asyncio.sleep(0.01)


def _serve(bootstrap: str) -> dict[str, list[int]]:
    """Let a second member come and go while the first one works."""
    calls: dict[str, list[int]] = {}
    running: dict[str, int] = {}
    lock = threading.Lock()

    def note(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
        with lock:
            running[station_id] = running.get(station_id, 0) + 1
            assert 1 == running[station_id], "a station never runs on two threads"
        time.sleep(0.002)
        with lock:
            calls.setdefault(station_id, []).append(module_input["totalPower"])
            running[station_id] -= 1
        return {}

    first, second = (_service(bootstrap) for _ in range(2))
    first.start(note)
    _until(lambda: sum(map(len, calls.values())) > RECORDS // 5)
    second.start(note)
    _until(lambda: sum(map(len, calls.values())) > RECORDS // 2)
    second.stop()
    _until(lambda: sum(map(len, calls.values())) >= RECORDS)
    first.stop()
    assert 0 == first.engine.counters.callback_errors + second.engine.counters.callback_errors
    return calls


@pytest.mark.parametrize("kind", ["embedded", pytest.param("jvm", marks=pytest.mark.kafka)])
def test_topics_have_consumers_of_their_own_and_lag_is_told(kind: str) -> None:
    if kind == "jvm":
        require_kafka(kind)
    asyncio.run(_read_each(kind))


async def _read_each(kind: str) -> None:
    async with open_broker(kind) as broker:
        await broker.make_topics(
            *(TopicSpec(topic, 1, config={"retention.ms": "-1"}) for topic in (DATA, CALENDAR))
        )
        await _send_some(broker.bootstrap, range(5))
        await asyncio.to_thread(_follow, broker.bootstrap)
        committed = await broker.committed(f"{GROUP}-{DATA}")
        assert 8 == committed[(DATA, 0)].offset
        assert {} == await broker.committed(GROUP)


async def _send_some(bootstrap: str, numbers: Iterable[int]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for number in numbers:
            value = {"stationId": "S", "timestamp": "t", "totalPower": number}
            await producer.send_and_wait(DATA, json.dumps(value).encode(), partition=0)


def _follow(bootstrap: str) -> None:
    """Let work wait while lag grows, then let it go on."""
    gate = threading.Event()
    service = _service(
        bootstrap, multi_consumer_mode=True, upload_results=False, lag_refresh_seconds=0.2
    )
    service.start(lambda station_id, module_input: gate.wait())

    def lag(topic: str) -> dict[str, int | None]:
        return service.consumer.get_lag_info()[topic].get(0, {})

    _until(lambda: lag(DATA).get("lag") == 5 and lag(CALENDAR).get("lag") == 0)
    assert [DATA, CALENDAR] == list(service.consumer.get_consumer())
    assert "no_new_messages" == service.explain_empty_polls()[CALENDAR]["cause"]
    asyncio.run(_send_some(bootstrap, range(5, 8)))
    _until(lambda: lag(DATA).get("end_offset") == 8)
    gate.set()
    caught_up = {"current_offset": 8, "committed_offset": 8, "end_offset": 8, "lag": 0}
    _until(lambda: lag(DATA) == caught_up)
    assert service.health()["ready"]
    service.stop()


def _service(
    bootstrap: str, *, multi_consumer_mode: bool = False, **options: Any
) -> DataAnalysisService:
    kafka = {
        "bootstrap_servers": [bootstrap],
        "group_id": GROUP,
        "auto_offset_reset": "earliest",
        "heartbeat_interval_ms": 500,
        "compression_type": "none",
        "multi_consumer_mode": multi_consumer_mode,
    }
    return DataAnalysisService(
        "load_prediction", kafka_config=kafka, config=small_config(), **options
    )


def _until(reached: Any) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not reached():
        assert time.monotonic() < deadline, f"not reached within {DEADLINE_S} s"
        time.sleep(0.02)
