"""Asks Kafka in the background how far the group is behind, over a connection of its own.

On the consumer's connection the answer would wait behind a long poll. What the numbers mean is in
`data_analysis.lag`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from data_analysis.kafka.errors import describe
from data_analysis.kafka.options import KafkaOptions
from data_analysis.lag import NOT_REFRESHED, Ends, Lags, Progress, Starts, by_topic

logger = logging.getLogger(__name__)

LOOK_UP_TIMEOUT_MS = 5_000
"""How long one question may take; the numbers stay as they are until one is answered."""

IDLE_TICK_MS = 10_000
"""How often the client that asks looks round: it fetches nothing."""

ProgressOf = Callable[[TopicPartition], Awaitable[tuple[int | None, int | None]]]
"""Returns what is read next of a partition, and the group's committed offset."""


class LagWatch(Lags):
    """Refreshes in a task of its own.

    Args:
        options: where Kafka is.
        assigned: returns the partitions to ask for.
        progress: how far reading and committing have come.
        refresh_seconds: time between two refreshes.
    """

    def __init__(
        self,
        options: KafkaOptions,
        assigned: Callable[[], list[TopicPartition]],
        progress: ProgressOf,
        refresh_seconds: float,
    ) -> None:
        super().__init__()
        self._options = options
        self._assigned = assigned
        self._progress = progress
        self._refresh_seconds = refresh_seconds
        self._client: Any = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to refresh."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; a second call does nothing."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._disconnect()

    async def _run(self) -> None:
        while True:
            try:
                await self.refresh()
            except (KafkaError, OSError) as error:
                self.last_error = describe(error)
                logger.debug("lag is not refreshed: %s", self.last_error)
                await self._disconnect()
            except Exception as error:  # only numbers are missing: it is said, and tried again
                self.last_error = describe(error)
                logger.exception(NOT_REFRESHED)
                await self._disconnect()
            else:
                self.last_error = None
            await asyncio.sleep(self._refresh_seconds)

    async def refresh(self) -> None:
        """Ask for all partitions; those of a topic that cannot be answered for stay as they are.

        Raises:
            KafkaError: nothing could be asked.
            OSError: the same.
        """
        tps = self._assigned()
        if tps:
            client = await self._connected()
            try:
                await self._ask(client, tps)
            except KafkaError as error:
                await self._ask_by_topic(client, tps, error)
        self.keep(self._assigned())

    async def _ask_by_topic(
        self, client: Any, tps: Sequence[TopicPartition], error: KafkaError
    ) -> None:
        """Ask topic by topic; raise `error` if none is answered for."""
        answers = await asyncio.gather(
            *(self._ask(client, some) for some in by_topic(tps)), return_exceptions=True
        )
        if all(isinstance(answer, KafkaError) for answer in answers):
            raise error

    async def _ask(self, client: Any, tps: Sequence[TopicPartition]) -> None:
        asking = self.ask(tps)
        request = next(asking)
        while True:
            answer = await self._answer(client, request)
            try:
                request = asking.send(answer)
            except StopIteration:
                return

    async def _answer(
        self, client: Any, request: Progress | Ends | Starts
    ) -> Mapping[TopicPartition, Any]:
        if isinstance(request, Progress):
            return {tp: await self._progress(tp) for tp in request.tps}
        ask = client.end_offsets if isinstance(request, Ends) else client.beginning_offsets
        answer: Mapping[TopicPartition, Any] = await ask(list(request.tps))
        return answer

    async def _connected(self) -> Any:
        if self._client is None:
            client = AIOKafkaConsumer(
                group_id=None,
                enable_auto_commit=False,
                consumer_timeout_ms=IDLE_TICK_MS,
                request_timeout_ms=LOOK_UP_TIMEOUT_MS,
                **self._options.admin,
            )
            try:
                await client.start()
            except BaseException:
                await client.stop()
                raise
            self._client = client
        return self._client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.stop()
