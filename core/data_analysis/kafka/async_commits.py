"""Sends commits when they are due: one at a time, with retries; an answer may be lost."""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from data_analysis.gaps import write_commit_note
from data_analysis.kafka.async_consumer import AsyncGroupMember
from data_analysis.kafka.errors import describe
from data_analysis.observe import Counters
from data_analysis.offsets import OffsetManager, Partition

logger = logging.getLogger(__name__)

COMMIT_TIMEOUT_SECONDS = 15.0
"""How long one try waits for its answer: aiokafka itself would try for ever."""


class Committer:
    """Commits what the offset manager says is safe, as one member of a group.

    Args:
        consumer: the group member on whose behalf to commit.
        offsets: what is safe, and when a commit is due.
        counters: where commits are counted.
        shares: whether other members commit other topics of the same offset manager.
    """

    def __init__(
        self,
        consumer: AsyncGroupMember,
        offsets: OffsetManager,
        counters: Counters,
        *,
        shares: bool = False,
    ) -> None:
        self._consumer = consumer
        self._offsets = offsets
        self._counters = counters
        self._shares = shares
        self._one_at_a_time = asyncio.Lock()
        self._again = False
        self._task: asyncio.Task[None] | None = None

    async def commit(self, tries: int | None = None) -> bool:
        """Commit what is safe now; return whether it was acknowledged, or nothing was to do.

        `tries` is the manager's `max_commit_retries` unless given.
        """
        tries = self._offsets.max_commit_retries if tries is None else tries
        async with self._one_at_a_time:
            if not self._shares:
                self._offsets.attempted()
            for attempt in range(1, tries + 1):
                offsets = self._committable()
                if not offsets:
                    return True
                if await self._try(offsets):
                    return True
                if attempt < tries:
                    await asyncio.sleep(self._offsets.commit_retry_delay)
            logger.error(
                "commit of %d partitions given up after %d tries; it is tried again when next due",
                len(offsets),
                tries,
            )
            return False

    def commit_soon(self) -> None:
        """Commit without being waited for; once more after a commit that is under way."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_while_wanted())

    async def stop(self) -> None:
        """End what `commit_soon` began."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _commit_while_wanted(self) -> None:
        while self._again:
            self._again = False
            await self.commit()

    def _committable(self) -> dict[Partition, int]:
        offsets = self._offsets.committable()
        if self._shares:
            topics = self._consumer.topics
            return {tp: offset for tp, offset in offsets.items() if tp.topic in topics}
        return offsets

    async def _try(self, offsets: dict[Partition, int]) -> bool:
        noted = {
            TopicPartition(*tp): (offset, write_commit_note(self._offsets.last_record_ms(tp)))
            for tp, offset in offsets.items()
        }
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_SECONDS):
                await self._consumer.commit(noted)
        except TimeoutError:
            self._failed(offsets, f"no answer within {COMMIT_TIMEOUT_SECONDS:g} s")
            return False
        except (KafkaError, OSError) as error:
            self._failed(offsets, describe(error))
            return False
        self._counters.commits += 1
        self._offsets.confirmed(offsets)
        logger.info("成功提交 %d 个分区 offset", len(offsets))
        return True

    def _failed(self, offsets: dict[Partition, int], why: str) -> None:
        self._counters.commit_errors += 1
        self._offsets.unknown(offsets)
        logger.warning("commit of %d partitions is unknown: %s", len(offsets), why)


class Commits:
    """Sends commits when they are due, each member's without waiting for the others'.

    Args:
        offsets: when a commit is due.
        committers: one for each member; more may be added.
    """

    def __init__(self, offsets: OffsetManager, committers: Sequence[Committer]) -> None:
        self.committers = list(committers)
        self._offsets = offsets
        self._shared = len(self.committers) > 1
        self._wanted = asyncio.Event()
        self._at_once = asyncio.Event()

    def nudge(self) -> None:
        """Look again whether a commit is due: something was finished."""
        self._wanted.set()
        if self._offsets.full():
            self._at_once.set()

    async def run(self) -> None:
        """Commit for ever, whenever it is due."""
        while True:
            self._wanted.clear()
            self._at_once.clear()
            wait_seconds = self._offsets.seconds_until_due()
            if wait_seconds is None:
                await self._wanted.wait()
            elif wait_seconds > 0:
                try:
                    async with asyncio.timeout(wait_seconds):
                        await self._at_once.wait()
                except TimeoutError:
                    continue
            else:
                await self._send()

    async def commit(self) -> None:
        """Commit what is safe now, and wait for it."""
        await asyncio.gather(*(committer.commit() for committer in self.committers))

    async def stop(self) -> None:
        """End what is under way."""
        for committer in self.committers:
            await committer.stop()

    async def _send(self) -> None:
        if not self._shared:
            await self.committers[0].commit()
            return
        self._offsets.attempted()
        for committer in self.committers:
            committer.commit_soon()
