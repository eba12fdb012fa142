"""Both services do the same with the same polls: callbacks, uploads, batches and commits."""

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from data_analysis import AsyncDataAnalysisService, DataAnalysisService, config
from data_analysis.record_batches import BATCH_TOPIC
from station_sim.brokers import TopicSpec, open_broker
from station_sim.clock import EPOCH_S, run_virtual

GROUP = "parity"
STATIONS = ("1881540927845654529", "CN00000002", "A")
RECORDS = 400
PREFIX = "OUT-"
LONGER_THAN_A_BATCH_S = 7.0
LOOK_MS = 500
"""How often it is looked whether the next poll may come."""

Tp = tuple[str, int]


class FixedClock:
    """Always the same time of day, so that nothing depends on who is faster."""

    def time(self) -> float:
        return EPOCH_S

    def monotonic(self) -> float:
        return time.monotonic()


class Script:
    """The recorded polls: how many records of which partition each of them brings."""

    def __init__(self, polls: list[dict[Tp, int]], idle: Callable[[], bool]) -> None:
        self._polls = deque(polls)
        self._waiting: dict[Tp, Any] = {}
        self._idle = idle

    def play(self, polled: Mapping[Any, Any]) -> dict[Any, Any]:
        """Take what a client brings; return the next recorded poll once its records are there.

        It waits for what the poll before has caused, or the pace of a client would decide what
        stations that take their time do side by side.
        """
        for tp, records in polled.items():
            self._waiting.setdefault(tuple(tp), records[:0]).extend(records)
        if not self._polls or not self._idle():
            return {}
        wanted = self._polls[0]
        if any(len(self._waiting.get(tp, ())) < count for tp, count in wanted.items()):
            return {}
        self._polls.popleft()
        return {TopicPartition(*tp): self._take(tp, count) for tp, count in wanted.items()}

    def _take(self, tp: Tp, count: int) -> Any:
        waiting = self._waiting[tp]
        taken = waiting[:count]
        del waiting[:count]
        return taken


def _item(rng: random.Random, topic: str, station_id: str) -> dict[str, Any]:
    """One station's item with every configured field, some missing, some strange."""
    item: dict[str, Any] = {}
    for field in config.TOPIC_DETAIL[topic]["fields"]:
        if rng.random() < 0.9:
            item[field] = rng.choice([1, 2.5, None, "text", [1, 2], rng.randrange(100)])
    codes = {"hostCode": "52000000000088", "storageCode": rng.choice(["S1", "S2"])}
    item.update({field: code for field, code in codes.items() if field in item})
    return {**item, "stationId": station_id, "sendTime": f"2026-03-01 0{rng.randrange(10)}:00:00"}


def _payload(rng: random.Random, topic: str) -> bytes:
    """One record of a topic in its envelope; one in ten cannot be used, or only in part."""
    if rng.random() < 0.1:
        return rng.choice([b"{not json", b"[]", b'{"x": 1}', b'[{"stationId": ""}, 7]', b"NaN"])
    items = [_item(rng, topic, station) for station in rng.sample(STATIONS, rng.randint(1, 3))]
    envelopes = {
        "SCHEDULE-STATION-PARAM": items,
        "SCHEDULE-STATION-REALTIME-DATA": {"realTimeData": items},
        "SCHEDULE-ENVIRONMENT-WEATHER": {"weather": items},
        "SCHEDULE-CAR-PRICE": {"fee": items},
        "SCHEDULE-DEVICE-PV": {"photovoltaicMessage": items},
        "SCHEDULE-ENVIRONMENT-CALENDAR": {"calendar": [{"date": "2026-03-01", "isHoliday": 0}]},
    }
    return json.dumps(envelopes.get(topic, items[0])).encode()


def make_records(rng: random.Random, *, batches: bool) -> list[tuple[str, bytes, int]]:
    """Records of all topics, out of order in time, some of them twice; more that open batches."""
    records: list[tuple[str, bytes, int]] = []
    for number in range(RECORDS // 2 if batches else RECORDS):
        opens = batches and rng.random() < 0.3
        topic = BATCH_TOPIC if opens else rng.choice(list(config.TOPIC_DETAIL))
        stamp_ms = int(EPOCH_S * 1000) + 1000 * (number + rng.randrange(-20, 20))
        records.append((topic, _payload(rng, topic), stamp_ms))
        if rng.random() < 0.1:
            records.append(rng.choice(records))
    return records


def _polls(rng: random.Random, records: list[tuple[str, bytes, int]]) -> list[dict[Tp, int]]:
    polls: list[dict[Tp, int]] = []
    rest = deque(records)
    while rest:
        poll: dict[Tp, int] = {}
        for _ in range(min(len(rest), rng.randint(1, 25))):
            tp = (rest.popleft()[0], 0)
            poll[tp] = poll.get(tp, 0) + 1
        polls.append(poll)
    return polls


class Told:
    """What a service told its callback, per station, and its batch handler.

    With batches a callback takes its time, now and then more than a batch has; some answer nothing,
    and some fail. All of that is the same at the same call of the same station.
    """

    def __init__(self, *, takes_time: bool) -> None:
        self.calls: dict[str, list[str]] = {}
        self.batches: list[tuple[str, list[Any]]] = []
        self._takes_time = takes_time

    def callback(self, station_id: str, module_input: dict[str, Any]) -> dict[str, Any] | None:
        number = self._note(station_id, module_input)
        time.sleep(self._cost_s(station_id, number))
        return self._result(station_id, number, module_input)

    async def callback_async(self, station_id: str, module_input: dict[str, Any]) -> Any:
        number = self._note(station_id, module_input)
        await asyncio.sleep(self._cost_s(station_id, number))
        return self._result(station_id, number, module_input)

    def upload(self, batch_id: str, results: list[Any]) -> None:
        self.batches.append((batch_id, results))

    def _note(self, station_id: str, module_input: dict[str, Any]) -> int:
        calls = self.calls.setdefault(station_id, [])
        calls.append(json.dumps(module_input, sort_keys=True, default=str))
        return len(calls)

    def _cost_s(self, station_id: str, number: int) -> float:
        draw = random.Random(f"cost/{station_id}/{number}")
        if not self._takes_time:
            return 0.0
        return LONGER_THAN_A_BATCH_S if draw.random() < 0.05 else draw.uniform(0.001, 0.1)

    def _result(
        self, station_id: str, number: int, module_input: dict[str, Any]
    ) -> dict[str, Any] | None:
        answer = random.Random(f"answer/{station_id}/{number}").random()
        if self._takes_time and answer < 0.05:
            raise ValueError("no model")
        if self._takes_time and answer < 0.1:
            return None
        return {"number": number, "input": module_input}


def small_windows() -> Any:
    detail = {
        topic: {**each, "window_size": min(6, each["window_size"])}
        for topic, each in config.TOPIC_DETAIL.items()
    }
    return SimpleNamespace(
        TOPIC_DETAIL=detail,
        MODULE_DEPENDENCIES=config.MODULE_DEPENDENCIES,
        OFFSET_COMMIT_CONFIG={},
    )


async def _outcome(
    kind: str, module: str | None, seed: int, *, batches: bool = False
) -> dict[str, Any]:
    rng = random.Random(seed)
    records = make_records(rng, batches=batches)
    polls = _polls(rng, records)
    async with open_broker("virtual") as broker:
        output = PREFIX + (module or "none").upper()
        names = [*config.TOPIC_DETAIL, output]
        dependencies = {each for needs in config.MODULE_DEPENDENCIES.values() for each in needs}
        names += [PREFIX + each.upper() for each in sorted(dependencies)]
        forever = {"retention.ms": "-1"}
        await broker.make_topics(
            *(TopicSpec(name, 1, config=forever) for name in dict.fromkeys(names))
        )
        await _send(broker, records)
        told = Told(takes_time=batches)
        options: dict[str, Any] = {
            "module_name": module,
            "topics": list(config.TOPIC_DETAIL),
            "kafka_config": {
                "bootstrap_servers": [broker.bootstrap],
                "group_id": GROUP,
                "auto_offset_reset": "earliest",
                "compression_type": "none",
            },
            "output_topic_prefix": PREFIX,
            "config": small_windows(),
            "clock": FixedClock(),
        }
        handler = told.upload if batches else None
        if kind == "async":
            counters = await _run_async(polls, told, options, handler, len(records))
        else:
            counters = await asyncio.to_thread(
                _run_blocking, polls, told, options, handler, len(records)
            )
        committed = await broker.committed(GROUP)
        uploads = await uploads_of(broker, output)
    del counters["commits"]
    return {
        "calls": told.calls,
        "batches": told.batches,
        "uploads": uploads,
        "committed": {tuple(tp): entry.offset for tp, entry in committed.items() if entry.offset},
        "counters": counters,
    }


async def _send(broker: Any, records: list[tuple[str, bytes, int]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        for topic, value, stamp_ms in records:
            await producer.send_and_wait(topic, value, partition=0, timestamp_ms=stamp_ms)


async def uploads_of(broker: Any, topic: str) -> dict[str, list[Any]]:
    uploads: dict[str, list[Any]] = {}
    count = (await broker.log_ranges(topic))[0][1]
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        for _ in range(count):
            value = json.loads((await consumer.getone()).value)
            uploads.setdefault(value["station_id"], []).append(value["output"])
    return uploads


def count_by_station(uploads: Mapping[str, list[Any]]) -> dict[str, int]:
    return {station_id: len(outputs) for station_id, outputs in uploads.items()}


async def _run_async(
    polls: list[dict[Tp, int]], told: Told, options: dict[str, Any], handler: Any, count: int
) -> dict[str, Any]:
    service = AsyncDataAnalysisService(**options)
    script = Script(polls, _idleness(service))
    (member,) = service.consumer.members
    drain = member.drain

    async def scripted(timeout_ms: int, *limits: Any) -> Any:
        polled, errors = await drain(min(timeout_ms, LOOK_MS), *limits)
        return script.play(polled), errors

    member.drain = scripted  # type: ignore[method-assign]  # the recorded polls
    await service.start(told.callback_async, batch_upload_handler=handler)
    async with asyncio.timeout(6000):
        while service.engine.counters.records_finished < count or service.engine.in_flight:
            await asyncio.sleep(0.05)
    await service.stop()
    return service.engine.counters.shown()


def _run_blocking(
    polls: list[dict[Tp, int]], told: Told, options: dict[str, Any], handler: Any, count: int
) -> dict[str, Any]:
    service = DataAnalysisService(**options)
    script = Script(polls, _idleness(service))
    (member,) = service.consumer.members
    fetch = member.fetch

    def scripted(timeout_ms: int, max_records: int | None = None) -> Any:
        return script.play(fetch(min(timeout_ms, LOOK_MS), max_records))

    member.fetch = scripted  # type: ignore[method-assign]  # the recorded polls
    service.start(told.callback, batch_upload_handler=handler)
    deadline = time.monotonic() + 6000
    while service.engine.counters.records_finished < count or service.engine.in_flight:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    service.stop()
    return service.engine.counters.shown()


def _idleness(service: Any) -> Callable[[], bool]:
    return lambda: not service.engine.in_flight


@pytest.mark.parametrize("module", [None, "operation_optimization", "electricity_price"])
def test_both_services_do_the_same_with_the_same_polls(module: str | None) -> None:
    ours = run_virtual(lambda: _outcome("blocking", module, seed=7), seed=1)
    theirs = run_virtual(lambda: _outcome("async", module, seed=7), seed=2)
    assert set(STATIONS) == set(ours["calls"])
    assert RECORDS < sum(ours["committed"].values())
    for what in ("calls", "uploads", "committed", "counters"):
        assert theirs[what] == ours[what], what
    assert (module is None) == (not ours["uploads"])


@pytest.mark.parametrize(("module", "seed"), [(None, 7), ("load_prediction", 8)])
def test_both_services_gather_the_same_batches(module: str | None, seed: int) -> None:
    ours = run_virtual(lambda: _outcome("blocking", module, seed, batches=True), seed=1)
    theirs = run_virtual(lambda: _outcome("async", module, seed, batches=True), seed=2)
    counters = ours["counters"]
    for outcome in ("completed", "timed_out"):
        assert 0 < counters[f"batches_{outcome}"]
    assert 0 < counters["batch_results_late"]
    assert 0 < counters["callback_errors"]
    assert counters["batches_opened"] == len(ours["batches"])
    for what in ("batches", "calls", "uploads", "committed", "counters"):
        assert theirs[what] == ours[what], what
