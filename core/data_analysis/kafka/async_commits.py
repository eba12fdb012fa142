"""Sends commits when they are due: one at a time, with retries; an answer may be lost.

What is sent, and what an answer means, is decided in `data_analysis.kafka.commits`.
"""

import asyncio
from collections.abc import Sequence

from aiokafka.structs import TopicPartition

from data_analysis.kafka.async_consumer import AsyncGroupMember
from data_analysis.kafka.commits import (
    COMMIT_TIMEOUT_SECONDS,
    Committing,
    SendCommit,
    commit_safe,
)
from data_analysis.kafka.errors import CLIENT_ERRORS, UnansweredError, unanswered
from data_analysis.observe import Counters
from data_analysis.offsets import OffsetManager


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
        self.last_error: str | None = None
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
        topics = self._consumer.topics if self._shares else None
        async with self._one_at_a_time:
            return await self._drive(commit_safe(self._offsets, self._counters, tries, topics))

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

    async def _drive(self, committing: Committing) -> bool:
        """Send what a commit asks for until it is done."""
        error: UnansweredError | None = None
        while True:
            try:
                step = next(committing) if error is None else committing.throw(error)
            except StopIteration as done:
                return bool(done.value)
            error = None
            if isinstance(step, SendCommit):
                error = await self._send(step)
                self.last_error = None if error is None else str(error)
            else:
                await asyncio.sleep(step.seconds)

    async def _send(self, commit: SendCommit) -> UnansweredError | None:
        noted = {TopicPartition(*tp): offset for tp, offset in commit.offsets.items()}
        try:
            # aiokafka itself would try for ever.
            async with asyncio.timeout(COMMIT_TIMEOUT_SECONDS):
                await self._consumer.commit(noted)
        except TimeoutError:
            return UnansweredError(f"no answer within {COMMIT_TIMEOUT_SECONDS:g} s", passing=True)
        except CLIENT_ERRORS as error:
            return unanswered(error)
        return None


class Commits:
    """Sends commits when they are due, each member's without waiting for the others'.

    Args:
        offsets: when a commit is due.
        committers: one for each member; more may be added.
    """

    def __init__(self, offsets: OffsetManager, committers: Sequence[Committer]) -> None:
        self.committers = list(committers)
        self._offsets = offsets
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
        self._offsets.attempted()
        if len(self.committers) == 1:
            await self.committers[0].commit()
            return
        for committer in self.committers:
            committer.commit_soon()
