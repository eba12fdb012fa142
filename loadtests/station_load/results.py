"""The reader at the end of the line: results in the output topic, into the tally.

A record is done when its result can be read there: acknowledged by Kafka, and fetched by a consumer
that waits for it. That instant, taken once per poll, ends the record's latency.
"""

import asyncio
import time
from types import TracebackType
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from station_load.tally import Tally
from station_load.trace import trace_of
from station_sim.errors import LabError

POLL_MS = 200
FETCH_WAIT_MS = 100
RECORDS_PER_POLL_MAX = 2000


class ResultReader:
    """Reads `topic` from its present end on; results of other runs are passed over."""

    def __init__(self, bootstrap: str, topic: str, partitions: int, *, run: int) -> None:
        self.tally = Tally()
        self.unreadable = 0
        self._run = run
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]
        self._consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id="station-lab-load-results",
            enable_auto_commit=False,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "ResultReader":
        try:
            await self._consumer.start()
            self._consumer.assign(self._partitions)
            await self._consumer.seek_to_end(*self._partitions)
            for each in self._partitions:
                await self._consumer.position(each)
        except KafkaError as error:
            await self._consumer.stop()
            raise LabError(f"could not read results: {type(error).__name__}: {error}") from error
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait([self._reading])
        # In a task of its own: when its broker is gone, aiokafka's `stop` raises the cancellation
        # of its own fetching, which must not look like ours.
        await asyncio.wait([asyncio.create_task(self._consumer.stop())])

    def check_alive(self) -> None:
        """Raises `LabError` when reading has ended."""
        if self._reading is not None and self._reading.done() and not self._reading.cancelled():
            error = self._reading.exception()
            raise LabError(f"could not read results any more: {error}") from error

    async def _read(self) -> None:
        while True:
            polled = await self._consumer.getmany(
                timeout_ms=POLL_MS, max_records=RECORDS_PER_POLL_MAX
            )
            seen_s = time.time()
            for records in polled.values():
                for record in records:
                    self._take(record.value, seen_s)
            await asyncio.sleep(0)

    def _take(self, value: bytes, seen_s: float) -> None:
        try:
            result = orjson.loads(value)
        except orjson.JSONDecodeError:
            self.unreadable += 1
            return
        trace = trace_of(result) if isinstance(result, dict) else None
        if trace is None:
            self.unreadable += 1
        elif trace.run == self._run:
            station = str(result.get("station_id"))
            self.tally.add(station, trace.seq, due_s=trace.due_s, seen_s=seen_s)
