"""Services broken on purpose: each breaks exactly one promise, once or from one step on."""

from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.structs import TopicPartition

from tests.scenarios.plain_service import Given, PlainService

REAL = "REAL-STATION-DATA"
ONCE_AT = 30
"""The record that is treated badly: in the middle of things, with others before and after."""


class CommitsBeforeWork(PlainService):
    """Commits a poll, then works through it."""

    async def handle(self, records: list[ConsumerRecord]) -> None:
        for record in records:
            self.finished[TopicPartition(record.topic, record.partition)] = record.offset + 1
        await self.commit()
        await super().handle(records)


class _OnceAt(PlainService):
    """Counts deliveries of power records, to break one of them."""

    delivered = 0

    def is_the_one(self, record: ConsumerRecord) -> bool:
        self.delivered += record.topic == REAL
        return record.topic == REAL and self.delivered == ONCE_AT


class SkipsACallback(_OnceAt):
    """Stores a record and calls nobody for it."""

    async def deliver(self, station: str, record: ConsumerRecord, given: Given) -> None:
        if not self.is_the_one(record):
            await super().deliver(station, record, given)


class DropsARecord(_OnceAt):
    """Neither stores a record nor calls anybody for it."""

    def shares(self, record: ConsumerRecord) -> list[tuple[str, dict[str, Any]]]:
        return [] if self.is_the_one(record) else super().shares(record)


class HandsOverTwice(_OnceAt):
    """Calls twice for one record."""

    async def deliver(self, station: str, record: ConsumerRecord, given: Given) -> None:
        await super().deliver(station, record, given)
        if self.is_the_one(record):
            await super().deliver(station, record, given)


class GivesAWrongWindow(_OnceAt):
    """One input misses the newest point of its window."""

    async def deliver(self, station: str, record: ConsumerRecord, given: Given) -> None:
        if self.is_the_one(record):
            given["totalPower_window"] = given["totalPower_window"][:-1]
        await super().deliver(station, record, given)


class GivesAnotherStationsValue(_OnceAt):
    """One input's newest value is not the station's."""

    async def deliver(self, station: str, record: ConsumerRecord, given: Given) -> None:
        if self.is_the_one(record):
            given["totalPower"] += 1.0
        await super().deliver(station, record, given)


class KeepsArrivalOrder(PlainService):
    """Late records go to the end of the window."""

    def store(self, station: str, record: ConsumerRecord, payload: dict[str, Any]) -> None:
        super().store(station, record, payload)
        points = self.points[station][record.topic]
        points.remove((record.timestamp, payload))
        points.append((record.timestamp, payload))


class ForgetsAnUpload(_OnceAt):
    """One result is not uploaded."""

    async def deliver(self, station: str, record: ConsumerRecord, given: Given) -> None:
        if self.is_the_one(record):
            self.call(station, given)
        else:
            await super().deliver(station, record, given)


class UploadsUnderNoKey(PlainService):
    """Results go to any partition."""

    async def upload(self, station: str, result: Any) -> None:
        producer, send = self.producer, self.producer.send_and_wait

        async def without_key(topic: str, value: bytes, *, key: bytes) -> None:
            await send(topic, value)

        producer.send_and_wait = without_key
        try:
            await super().upload(station, result)
        finally:
            producer.send_and_wait = send


class NeverCommits(PlainService):
    """Does all the work and commits nothing."""

    async def commit(self) -> None:
        self.finished.clear()


class ReordersAStation(PlainService):
    """Swaps two records of one station, once; works and commits in order otherwise."""

    polled = 0

    async def poll(self) -> list[ConsumerRecord]:
        records = await super().poll()
        before, self.polled = self.polled, self.polled + len(records)
        if not before < ONCE_AT <= self.polled:
            return records
        first = next(record for record in records if record.topic == REAL)
        while sum(record.key == first.key for record in records) < 2:
            records += await super().poll()
        second = next(each for each in records if each.key == first.key and each is not first)
        here, there = records.index(first), records.index(second)
        records[here], records[there] = second, first
        return records


class SwallowsTheGap(PlainService):
    """Goes to the log's start without a word."""

    def declare(self, where: TopicPartition, start: int, end: int) -> None:
        pass


class DeclaresTooMuch(PlainService):
    """Declares records lost that it goes on to read."""

    def declare(self, where: TopicPartition, start: int, end: int) -> None:
        super().declare(where, start, end + 3)


class RewindsAtStart(PlainService):
    """Begins a few records before the committed offset, if there is one."""

    async def start(self, callback: Any) -> None:
        await super().start(callback)
        for where in sorted(self.consumer.assignment()):
            committed = await self.consumer.committed(where)
            if committed is not None and committed > 10:
                self.consumer.seek(where, committed - 2)
