"""One consumer of a running service, with all that belongs to it alone: positions, polls, commits.

A service has one, or in multi-consumer mode one per topic; what fails in one stays there.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence, Sized
from functools import partial
from typing import Any

from aiokafka.structs import TopicPartition

from data_analysis.async_polling import Poller
from data_analysis.clock import Clock
from data_analysis.effects import Effect
from data_analysis.engine import Engine
from data_analysis.errors import KafkaConnectionError
from data_analysis.failure import Failed, declare_end
from data_analysis.gaps import GapEvent
from data_analysis.handover import Call
from data_analysis.kafka.async_commits import Committer
from data_analysis.kafka.async_consumer import AsyncGroupMember
from data_analysis.kafka.async_positions import AsyncPositions
from data_analysis.kafka.async_rebalances import Rebalances

logger = logging.getLogger(__name__)

START_TIMEOUT_SECONDS = 60.0
"""How long the start waits for the positions of its partitions."""

REVOCATION_COMMIT_SECONDS = 5.0
"""How long a rebalance waits for the last commit of what it takes away."""


class Reader:
    """Reads with one group member.

    Args:
        member: not started yet.
        engine: decides.
        clock: of the service.
        perform: does the engine's effects.
        report: called with every gap.
        nudge: called when there may be something to commit.
        flush: sends the uploads that wait.
        begun: awaited, with a limit in seconds, until callbacks that need not wait have run.
        answering: returns what calls back at once, None where callbacks take turns.
        ticked: called after the engine's ticks.
        polled: called with this reader and what a poll of it brought.
        failed: called with what nobody has foreseen.
        most_pending: most records in work.
        shares: whether other readers read other topics for the same engine; `most_pending` is of
            this reader's records then, and commits are of its topics.
    """

    def __init__(
        self,
        member: AsyncGroupMember,
        engine: Engine,
        clock: Clock,
        *,
        perform: Callable[[Sequence[Effect]], None],
        report: Callable[[GapEvent], None],
        nudge: Callable[[], None],
        flush: Callable[[], None],
        begun: Callable[[float], Awaitable[None]],
        answering: Callable[[], Call] | None,
        ticked: Callable[[], None],
        polled: Callable[["Reader", Mapping[TopicPartition, Sized]], None],
        failed: Failed,
        most_pending: int,
        shares: bool,
    ) -> None:
        self.member = member
        self.committer = Committer(member, engine.offsets, engine.counters, shares=shares)
        self.positions = AsyncPositions(
            member, engine, clock, report, nudge, lambda tp: self.poller.forget(tp), failed
        )
        self.poller = Poller(
            member,
            engine,
            self.positions,
            perform,
            clock,
            self._in_flight if shares else lambda: engine.in_flight,
            most_pending,
            lambda records: polled(self, records),
            ticked,
            self._revoked,
            begun,
            answering,
        )
        self._engine = engine
        self._flush = flush
        self._failed = failed
        self._polling: asyncio.Task[None] | None = None
        member.listener = Rebalances(self._revoked, self.positions.assigned)

    @property
    def name(self) -> str:
        """What tells readers apart."""
        return ",".join(self.member.topics)

    @property
    def polling(self) -> bool:
        """Whether the polling task runs."""
        return self._polling is not None and not self._polling.done()

    async def start(self) -> None:
        """Connect, find the positions and fill the windows; the latter may go on behind a limit.

        Raises:
            KafkaConnectionError: Kafka cannot be reached, or does not say where to read from.
        """
        await self.member.start()
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                await self.positions.all_known()
        except TimeoutError:
            lacking = [f"{tp.topic}/{tp.partition}" for tp in self.positions.lacking]
            if lacking:
                raise KafkaConnectionError(
                    f"no position found within {START_TIMEOUT_SECONDS:g} s for {', '.join(lacking)}"
                ) from None

    def poll(self) -> None:
        """Begin to poll."""
        self._polling = asyncio.create_task(self.poller.run())
        self._polling.add_done_callback(partial(declare_end, "polling", self._failed))

    def join_and_poll(self) -> None:
        """Begin to poll, connecting first for as long as it takes."""
        self.poller.rejoin_soon()
        self.poll()

    async def stop_polling(self) -> None:
        """End the polling."""
        await end(self._polling)

    async def close(self) -> None:
        """Leave the group."""
        await self.member.stop()

    async def give_up(self) -> None:
        """Finish and commit what is in work within a limit, then leave the group."""
        await self.stop_polling()
        await self._revoked([*self.positions.pollable(), *self.positions.searching])
        await self.positions.stop()
        await self.close()

    def trouble(self) -> list[str]:
        """Return what is not as it should be, one line each."""
        trouble = self.positions.trouble()
        if self.committer.last_error is not None:
            trouble.append(f"commit: {self.committer.last_error}")
        if self.poller.last_error is not None:
            trouble.append(f"poll: {self.poller.last_error}")
        if self.poller.paused:
            trouble.append("paused: too many records in work")
        if not self.polling:
            trouble.append("polling has ended")
        return trouble

    async def _revoked(self, partitions: list[Any]) -> None:
        """Finish what is in work for these partitions, within a limit, commit it, give them up.

        The commit carries the generation that ends: once another member may own the partitions,
        Kafka refuses it. From the return on nothing is committed for them, and what is still in
        work counts no more: their next owner sees those records again.
        """
        await self.poller.revoked(partitions, self._flush)
        if any(self._engine.offsets.owns(tp) for tp in partitions):
            try:
                async with asyncio.timeout(REVOCATION_COMMIT_SECONDS):
                    await self.committer.commit(tries=1)
            except TimeoutError:
                logger.warning(
                    "last commit of revoked partitions not known within %g s",
                    REVOCATION_COMMIT_SECONDS,
                )
        self.positions.revoked()
        self._engine.revoked(partitions)

    def _in_flight(self) -> int:
        return self._engine.in_flight_of([*self.positions.pollable(), *self.positions.searching])


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait for its end."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
