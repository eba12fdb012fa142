"""A service of few lines that does what `data_analysis` promises, slowly: one record at a time.

Broken services are made from it by overriding one step. It shares nothing with `data_analysis` but
the meaning of its options, so that these tests hold the checker, not the library.
"""

import asyncio
import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

PRICE = "SCHEDULE-CAR-PRICE"
CALENDAR = "SCHEDULE-ENVIRONMENT-CALENDAR"

Payload = dict[str, Any]
Given = dict[str, Any]


class PlainService:
    """Takes the arguments of `AsyncDataAnalysisService` that stories use."""

    def __init__(
        self,
        *,
        module_name: str,
        kafka_config: dict[str, Any],
        config: Any,
        on_gap: Any,
        window_form: str = "list",
        **_: Any,
    ) -> None:
        self.module = module_name
        self.arrays = window_form == "array"
        self.detail: dict[str, Any] = config.TOPIC_DETAIL
        self.on_gap = on_gap
        self.bootstrap = kafka_config["bootstrap_servers"]
        self.group = kafka_config["consumer"]["group_id"]
        self.points: dict[str, dict[str, list[tuple[int, Payload]]]] = {}
        self.calendar: list[tuple[int, Payload]] = []
        self.finished: dict[TopicPartition, int] = {}
        self.call: Callable[[str, Given], Any] = lambda station, given: None
        self.work: asyncio.Task[None] | None = None

    async def start(self, callback: Callable[[str, Given], Any]) -> None:
        """Connect and begin to work."""
        self.call = callback
        self.producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        self.consumer = AIOKafkaConsumer(
            *self.detail,
            bootstrap_servers=self.bootstrap,
            group_id=self.group,
            auto_offset_reset="none",
            enable_auto_commit=False,
        )
        await self.producer.start()
        await self.consumer.start()
        self.stopping = asyncio.Event()
        self.work = asyncio.create_task(self._work(), name="plain-service")

    async def stop(self) -> None:
        """Finish the poll that is in work, commit, disconnect."""
        assert self.work is not None
        self.stopping.set()
        await self.work
        await self.consumer.stop()
        await self.producer.stop()

    # Steps to override

    async def poll(self) -> list[ConsumerRecord]:
        """The next records, sorted by (topic, partition, offset)."""
        try:
            batches = await self.consumer.getmany(timeout_ms=500)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            where = error.args[0]
            await self.reset([where] if isinstance(where, TopicPartition) else list(where))
            return []
        return [record for where in sorted(batches) for record in batches[where]]

    async def reset(self, partitions: list[TopicPartition]) -> None:
        """Go to the beginning of partitions, declaring what is lost."""
        starts = await self.consumer.beginning_offsets(partitions)
        for where in sorted(partitions):
            committed = await self.consumer.committed(where)
            if committed is not None and committed < starts[where]:
                self.declare(where, committed, starts[where])
            self.consumer.seek(where, starts[where])

    def declare(self, where: TopicPartition, start: int, end: int) -> None:
        """Tell of a gap."""
        self.on_gap(
            SimpleNamespace(
                cause="expired",
                topic=where.topic,
                partition=where.partition,
                start_offset=start,
                end_offset=end,
            )
        )

    async def handle(self, records: list[ConsumerRecord]) -> None:
        """Work through a poll, then commit it."""
        for record in records:
            for station, payload in self.shares(record):
                self.store(station, record, payload)
                await self.deliver(station, record, self.given(station))
            where = TopicPartition(record.topic, record.partition)
            self.finished[where] = max(record.offset + 1, self.finished.get(where, 0))
        await self.commit()

    async def deliver(self, station: str, record: ConsumerRecord, given: Given) -> None:
        """Call back and upload."""
        await self.upload(station, self.call(station, given))

    async def upload(self, station: str, result: Any) -> None:
        """Put a result into the output topic."""
        value = {
            "station_id": station,
            "module": self.module,
            "output": result,
            "timestamp": time.time(),
        }
        await self.producer.send_and_wait(
            f"MODULE-OUTPUT-{self.module.upper()}",
            json.dumps(value).encode(),
            key=station.encode(),
        )

    async def commit(self) -> None:
        """Commit what is finished."""
        if self.finished:
            await self.consumer.commit(dict(sorted(self.finished.items())))
            self.finished.clear()

    # The honest rest

    async def _work(self) -> None:
        while not self.stopping.is_set():
            records = await self.poll()
            if records:
                await self.handle(records)

    def shares(self, record: ConsumerRecord) -> list[tuple[str, Payload]]:
        """`(station, payload)` of every station to be called for a record."""
        body = json.loads(record.value)
        if record.topic == CALENDAR:
            names = self.detail[CALENDAR]["fields"]
            payload = {name: [day[name] for day in body["calendar"]] for name in names}
            self.calendar.append((record.timestamp, payload))
            return [(station, payload) for station in self.points]
        if record.topic == PRICE:
            newest = {item["stationId"]: item for item in sorted(body["fee"], key=_send_time)}
            stations = dict.fromkeys(item["stationId"] for item in body["fee"])
            return [(station, self._price(newest[station])) for station in stations]
        items = body if isinstance(body, list) else [body]
        return [(item["stationId"], item) for item in items]

    def store(self, station: str, record: ConsumerRecord, payload: Payload) -> None:
        """Put a point where its timestamp says; a new station gets the calendar first."""
        if station not in self.points:
            self.points[station] = {topic: [] for topic in self.detail}
            self.points[station][CALENDAR] = self.calendar[-1:]
        points = self.points[station][record.topic]
        if (record.timestamp, payload) not in points[-100:]:
            points.append((record.timestamp, payload))
            points.sort(key=lambda point: point[0])
            del points[: -int(self.detail[record.topic]["window_size"])]

    def given(self, station: str) -> Given:
        """The module input in list form."""
        given: Given = {"stationId": station}
        available, missing = [], []
        for topic, detail in self.detail.items():
            rows = [payload for _, payload in self.points[station][topic]]
            (available if rows else missing).append(topic)
            names = ["car_price"] if topic == PRICE else detail["fields"]
            for name in names:
                if name != "stationId":
                    self._show(given, name, detail["window_size"], rows)
        given["_data_quality"] = {
            "available_topics": available,
            "missing_topics": missing,
            "total_topics": len(self.detail),
            "availability_ratio": len(available) / len(self.detail),
        }
        return given

    def _show(self, given: Given, name: str, size: int, rows: list[Payload]) -> None:
        given[name] = rows[-1].get(name) if rows else None
        column = [row.get(name) for row in rows]
        if size > 1 and self.arrays:
            given[f"{name}_window"] = np.array(column)
        elif size > 1:
            given[f"{name}_window"] = [None] * (size - len(rows)) + column

    def _price(self, item: Payload) -> Payload:
        codes = [item[f"feeNo{number}"] for number in range(1, 49)]
        values = item | {"feeNo": codes}
        return {"car_price": {name: values[name] for name in self.detail[PRICE]["fields"]}}


def _send_time(item: Payload) -> str:
    return str(item["sendTime"])
