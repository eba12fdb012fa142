"""Sends records in batches of our own making: by partition, after a short wait, with retries.

One acknowledgement covers a batch. What may pass is tried again without end, for the service bounds
what is in flight; what cannot pass is reported for the one record that caused it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from data_analysis.clock import Clock
from data_analysis.effects import Results, Sent, Upload
from data_analysis.failure import Failed, declare_end
from data_analysis.kafka.async_producer import AsyncKafkaProducerClient
from data_analysis.kafka.errors import describe, is_vague, may_pass, producer_is_lost
from data_analysis.observe import Counters

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
LATE_SECONDS = 10.0
"""How long an acknowledgement may take until it is worth a line in `trouble`: aiokafka itself sends
again what may pass, and says nothing meanwhile."""

VAGUE_TRIES = 20
"""How often in a row an error that says nothing may pass; with the waits, more than a minute."""

LARGEST_REQUEST_BYTES = 1_048_576
"""aiokafka's own limit, which it checks for single records and not for batches."""


class Uploader:
    """Queues uploads and tells `settled(tickets, error)` what became of them.

    Args:
        producer: the client; it is replaced by a new one of the same kind if it is lost.
        settled: called with the tickets of uploads, once for each of these, and with None or the
            reason why they are lost.
        counters: where retries are counted.
        clock: how long an acknowledgement is waited for; `trouble` reads it in any thread.
        failed: called with what nobody has foreseen.
    """

    def __init__(
        self,
        producer: AsyncKafkaProducerClient,
        settled: Callable[[Sequence[Any], str | None], None],
        counters: Counters,
        clock: Clock,
        failed: Failed,
    ) -> None:
        self._failed = failed
        self._clock = clock
        self.last_error: str | None = None
        self._producer = producer
        self._settled = settled
        self._counters = counters
        self._linger_seconds = producer.options.linger_ms / 1000
        self._waiting: dict[str, list[Sent]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._places: dict[str, dict[bytes, int]] = {}
        self._counts: dict[str, int] = {}
        self._renewal: asyncio.Task[None] | None = None
        self._sent_at: dict[tuple[str, int], float] = {}

    def trouble(self) -> list[str]:
        """Return what is not as it should be, one line each."""
        now = self._clock.monotonic()
        trouble = [
            f"upload: no acknowledgement of {topic} partition {partition} for {now - sent_at:.0f} s"
            for (topic, partition), sent_at in sorted(self._sent_at.items())
            if now - sent_at > LATE_SECONDS
        ]
        if self.last_error is not None:
            trouble.append(f"upload: {self.last_error}")
        return trouble

    def submit(self, uploads: Sequence[Sent]) -> None:
        """Queue uploads; they go out with the next flush, after `linger_ms` at the latest."""
        for topic, some in groupby(uploads, attrgetter("topic")):
            waiting = self._waiting.get(topic)
            if waiting is None:
                self._waiting[topic] = [*some]
            else:
                waiting.extend(some)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._linger_seconds, self.flush)

    def flush(self) -> None:
        """Begin to send what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for topic in self._waiting:
            if topic not in self._tasks:
                task = self._tasks[topic] = asyncio.create_task(self._send_topic(topic))
                task.add_done_callback(partial(declare_end, "uploading", self._failed))

    async def stop(self, timeout_seconds: float) -> None:
        """Send what waits, within a limit; what is left then stays unacknowledged."""
        self.flush()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_seconds)
        if self._renewal is not None:
            tasks.append(self._renewal)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_topic(self, topic: str) -> None:
        try:
            while uploads := self._waiting.pop(topic, None):
                partitions = await self._partitions(topic, uploads)
                if partitions:
                    parts = self._by_partition(topic, uploads, partitions)
                    await asyncio.gather(
                        *(self._send_all(topic, number, parts[number]) for number in sorted(parts))
                    )
        finally:
            del self._tasks[topic]

    async def _partitions(self, topic: str, uploads: list[Sent]) -> list[int]:
        """Return the topic's partitions; with none to be had, the uploads are lost."""
        delay_seconds = FIRST_DELAY_SECONDS
        while True:
            try:
                return await self._producer.partitions_of(topic)
            except (KafkaError, OSError) as error:
                if not may_pass(error):
                    for upload in _one_by_one(uploads):
                        self._settle(upload, error)
                    return []
                delay_seconds = await self._wait(topic, error, delay_seconds)

    def _by_partition(
        self, topic: str, uploads: list[Sent], partitions: list[int]
    ) -> dict[int, list[Sent]]:
        if self._counts.get(topic) != len(partitions):
            self._counts[topic] = len(partitions)
            self._places[topic] = {}
        parts: dict[int, list[Sent]] = {}
        places = self._places[topic]
        for upload in uploads:
            keys = upload.keys if isinstance(upload, Results) else [upload.key]
            for key in keys:
                if key not in places:
                    places[key] = self._producer.partition_for(key, partitions)
            numbers = [places[key] for key in keys]
            if isinstance(upload, Results) and numbers.count(numbers[0]) < len(numbers):
                for number, some in _divided(upload, numbers).items():
                    parts.setdefault(number, []).append(some)
            else:
                parts.setdefault(numbers[0], []).append(upload)
        return parts

    async def _send_all(self, topic: str, partition: int, uploads: list[Sent]) -> None:
        delay_seconds = FIRST_DELAY_SECONDS
        vague = 0
        alone = False
        while uploads:
            sent: list[Sent] = []
            try:
                batch, sent, left = self._fill(uploads[:1] if alone else uploads)
                self._sent_at[topic, partition] = self._clock.monotonic()
                try:
                    await (await self._producer.send_batch(batch, topic, partition))
                finally:
                    del self._sent_at[topic, partition]
            except (KafkaError, OSError) as error:
                if producer_is_lost(error):
                    await self._renew(error)
                elif may_pass(error) or (is_vague(error) and vague < VAGUE_TRIES):
                    vague += is_vague(error)
                    delay_seconds = await self._wait(topic, error, delay_seconds)
                elif len(_one_by_one(sent)) > 1:
                    # One of them is refused: from here on each goes alone.
                    alone = True
                    uploads = [*_one_by_one(uploads)]
                else:
                    refused, *others = _one_by_one(uploads[:1])
                    self._settle(refused, error)
                    uploads = [*others, *uploads[1:]]
            else:
                self.last_error = None
                delay_seconds = FIRST_DELAY_SECONDS
                vague = 0
                self._settled([*map(_ticket, sent)], None)
                uploads = uploads[1:] if alone else left

    def _fill(self, uploads: list[Sent]) -> tuple[Any, list[Sent], list[Sent]]:
        """Return a batch with the first records, at least one, what went in, and what is left.

        Raises:
            MessageSizeTooLargeError: the first one is larger than any request may be.
        """
        if sum(map(len, _first(uploads[0]))) > LARGEST_REQUEST_BYTES:
            raise MessageSizeTooLargeError
        batch = self._producer.create_batch()
        append = batch.append
        for index, upload in enumerate(uploads):
            stamp_ms = upload.timestamp_ms
            if isinstance(upload, Results):
                for count, (key, value) in enumerate(zip(upload.keys, upload.values, strict=True)):
                    if append(timestamp=stamp_ms, key=key, value=value, headers=[]) is None:
                        some, others = upload.cut(count)
                        went_in = [*uploads[:index], some] if count else uploads[:index]
                        return batch, went_in, [others, *uploads[index + 1 :]]
            elif (
                append(
                    timestamp=stamp_ms,
                    key=upload.key,
                    value=upload.value,
                    headers=[*upload.headers],
                )
                is None
            ):
                return batch, uploads[:index], uploads[index:]
        return batch, uploads, []

    def _settle(self, upload: Upload, error: BaseException) -> None:
        self.last_error = describe(error)
        self._settled([upload.ticket], f"{upload.topic}: {describe(error)}")

    async def _wait(self, topic: str, error: BaseException, delay_seconds: float) -> float:
        self.last_error = describe(error)
        self._counters.uploads_retried += 1
        logger.warning("upload to %s is tried again in %g s: %s", topic, delay_seconds, error)
        await asyncio.sleep(delay_seconds)
        return min(2 * delay_seconds, LONGEST_DELAY_SECONDS)

    async def _renew(self, error: BaseException) -> None:
        """Replace the producer once, whoever finds it lost first."""
        if self._renewal is None:
            logger.error("the producer has ended and is replaced: %s", describe(error))
            self.last_error = describe(error)
            self._renewal = asyncio.create_task(self._replace_producer())
        await asyncio.shield(self._renewal)

    async def _replace_producer(self) -> None:
        delay_seconds = FIRST_DELAY_SECONDS
        try:
            await self._producer.stop()
            while True:
                try:
                    await self._producer.start()
                except Exception as error:
                    delay_seconds = await self._wait("Kafka", error, delay_seconds)
                else:
                    return
        finally:
            self._renewal = None


def _ticket(sent: Sent) -> Any:
    return sent if isinstance(sent, Results) else sent.ticket


def _first(sent: Sent) -> tuple[bytes, bytes]:
    """Return key and value of the first record."""
    return (sent.keys[0], sent.values[0]) if isinstance(sent, Results) else (sent.key, sent.value)


def _one_by_one(sent: Sequence[Sent]) -> list[Upload]:
    """Return each record for itself."""
    singles: list[Upload] = []
    for each in sent:
        singles += each.uploads() if isinstance(each, Results) else [each]
    return singles


def _divided(results: Results, numbers: Sequence[int]) -> dict[int, Results]:
    """Return results by the numbers that are given for each."""
    parts: dict[int, Results] = {}
    columns = zip(results.keys, results.values, results.origins, numbers, strict=True)
    for key, value, origin, number in columns:
        if number not in parts:
            parts[number] = results.blank()
        parts[number].add(key, value, origin)
    return parts
