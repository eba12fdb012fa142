"""Records to a Kafka broker, by a real producer, keyed by station, as fast as it takes them.

A record over the topic's size limit is refused before it is sent, with the numbers; so is one
outside the limits that a topic which is not ours has for times. How fast is `pacing`'s.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from station_sim.brokers import TopicSpec
from station_sim.brokers.remote import RemoteBroker
from station_sim.errors import LabError
from station_sim.outputs.topic_limits import TopicLimits, limits_of
from station_sim.streams.record import Record

PARTITIONS = 3
UNACKNOWLEDGED_MAX = 20_000
"""Records on their way to the broker: about 10 MB; then sending waits."""

BATCH_BYTES = 512 * 1024
MISSED_TOLD_MAX = 10


@dataclass
class KafkaOutput:
    """Sends records to `bootstrap`; use as `async with`. `sent` counts acknowledged records.

    `allow_remote` and `use_existing_topics` are the user's word. Raises `LabError` when nobody
    answers, or for topics that must not be used.
    """

    bootstrap: str
    topics: Collection[str]
    allow_remote: bool = False
    use_existing_topics: bool = False
    partitions: int = PARTITIONS
    options: Mapping[str, Any] = field(default_factory=dict)
    sent: int = 0
    bytes_written: int = 0
    failures: list[str] = field(default_factory=list)
    failed: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        broker = RemoteBroker(
            self.bootstrap,
            allow_remote=self.allow_remote,
            use_existing_topics=self.use_existing_topics,
        )
        await broker.start()
        existing = set(await broker.topic_names())
        wanted = sorted(self.topics)
        found = [name for name in wanted if name in existing]
        if found and not self.use_existing_topics:
            raise LabError(
                f"{self.bootstrap} has {', '.join(found)} already; allow their use with"
                " --use-existing-topics"
            )
        missing = [name for name in wanted if name not in existing]
        await broker.make_topics(*(TopicSpec(name, self.partitions) for name in missing))
        self._limits: dict[str, TopicLimits] = await limits_of(self.bootstrap, wanted, set(found))
        self._room = asyncio.Semaphore(UNACKNOWLEDGED_MAX)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            max_request_size=max(each.record_bytes for each in self._limits.values()),
            linger_ms=5,
            **self.options,
        )
        try:
            await self._producer.start()
        except KafkaError as error:
            await self._producer.stop()
            raise LabError(f"no Kafka answers at {self.bootstrap} ({error!r})") from error
        return self

    @property
    def record_bytes_max(self) -> int:
        """What every topic takes: records of many stations are to be split under it."""
        return min(each.record_bytes for each in self._limits.values())

    async def write(self, records: list[Record]) -> None:
        """Hand records over; waits while too many are unacknowledged."""
        for record in records:
            reason = self._limits[record.topic].why_not(record)
            if reason is not None:
                self._refuse(reason)
                continue
            await self._room.acquire()
            try:
                future = await self._producer.send(
                    record.topic,
                    record.value,
                    key=None if record.key is None else record.key.encode(),
                    timestamp_ms=record.timestamp_ms,
                )
            except MessageSizeTooLargeError:
                self._room.release()
                self._refuse(f"{record.topic}: {len(record.value)} bytes are too many to send")
                continue
            except KafkaError as error:
                self._room.release()
                self._fail(error)
                continue
            self.bytes_written += len(record.value)
            future.add_done_callback(self._settle)

    async def flush(self) -> None:
        """Returns when everything is acknowledged or has failed."""
        await self._producer.flush()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._producer.stop()

    def _settle(self, future: "asyncio.Future[Any]") -> None:
        self._room.release()
        error = None if future.cancelled() else future.exception()
        if error is not None or future.cancelled():
            self._fail(error)
        else:
            self.sent += 1

    def _fail(self, error: BaseException | None) -> None:
        self.failed += 1
        if len(self.failures) < MISSED_TOLD_MAX:
            self.failures.append(repr(error))

    def _refuse(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
