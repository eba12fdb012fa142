"""Asks Kafka in the background how far the group is behind, over a connection of its own.

On the consumer's connection the answer would wait behind a long poll. What the numbers mean is in
`data_analysis.lag`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from data_analysis.kafka.errors import describe
from data_analysis.kafka.options import KafkaOptions
from data_analysis.lag import PartitionLag, needs_start

logger = logging.getLogger(__name__)

LOOK_UP_TIMEOUT_MS = 5_000
"""How long one question may take; the numbers stay as they are until one is answered."""

IDLE_TICK_MS = 10_000
"""How often the client that asks looks round: it fetches nothing."""

Progress = Callable[[TopicPartition], Awaitable[tuple[int | None, int | None]]]
"""Returns what is read next of a partition, and the group's committed offset."""


class LagWatch:
    """The lag of every assigned partition, as of the last refresh.

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
        progress: Progress,
        refresh_seconds: float,
    ) -> None:
        self.lags: dict[TopicPartition, PartitionLag] = {}
        self.last_error: str | None = None
        self._options = options
        self._assigned = assigned
        self._progress = progress
        self._refresh_seconds = refresh_seconds
        self._unread_since: dict[TopicPartition, float] = {}
        self._client: Any = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to refresh."""
        self._loop = asyncio.get_running_loop()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; a second call does nothing."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._disconnect()

    def unread(self, tps: Sequence[TopicPartition]) -> int | None:
        """Return how many offsets behind the positions are there, None while that is not known."""
        if not all(tp in self.lags for tp in tps):
            return None
        return sum(self.lags[tp].unread for tp in tps)

    def unread_seconds(self, tps: Sequence[TopicPartition]) -> float:
        """Return for how long one of these has been seen to have something unread."""
        if self._loop is None:
            return 0.0
        now = self._loop.time()
        return max((now - self._unread_since.get(tp, now) for tp in tps), default=0.0)

    async def _run(self) -> None:
        while True:
            try:
                await self.refresh()
            except (KafkaError, OSError) as error:
                self.last_error = describe(error)
                logger.debug("lag is not refreshed: %s", self.last_error)
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
        owned = dict.fromkeys(self._assigned())
        self.lags = {tp: lag for tp, lag in self.lags.items() if tp in owned}

    async def _ask_by_topic(
        self, client: Any, tps: Sequence[TopicPartition], error: KafkaError
    ) -> None:
        """Ask topic by topic, for one may be gone; raise `error` if none is answered for."""
        topics = list(dict.fromkeys(tp.topic for tp in tps))
        answers = await asyncio.gather(
            *(self._ask(client, [tp for tp in tps if tp.topic == topic]) for topic in topics),
            return_exceptions=True,
        )
        failed = [answer for answer in answers if isinstance(answer, KafkaError)]
        if len(failed) == len(topics):
            raise error

    async def _ask(self, client: Any, tps: Sequence[TopicPartition]) -> None:
        # Progress first: what is committed then is not above an end that was asked for later.
        progress = {tp: await self._progress(tp) for tp in tps}
        ends = await client.end_offsets(list(tps))
        behind = [tp for tp in tps if needs_start(progress[tp][1], ends[tp])]
        starts = await client.beginning_offsets(behind) if behind else {}
        now = asyncio.get_running_loop().time()
        for tp in tps:
            lag = PartitionLag(*progress[tp], starts.get(tp), ends[tp])
            self.lags[tp] = lag
            if lag.unread:
                self._unread_since.setdefault(tp, now)
            else:
                self._unread_since.pop(tp, None)

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
