"""Asks Kafka where partitions are read from, on the running loop.

What is asked, and what follows from the answers, is decided in `data_analysis.kafka.positions`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aiokafka.structs import TopicPartition

from data_analysis.clock import Clock
from data_analysis.engine import Engine
from data_analysis.failure import Failed, declare_end
from data_analysis.gaps import GapEvent
from data_analysis.kafka.async_consumer import AsyncGroupMember
from data_analysis.kafka.async_rereading import Rereader
from data_analysis.kafka.errors import CLIENT_ERRORS, UnansweredError, unanswered
from data_analysis.kafka.positions import SWEEP_SECONDS, Asking, Positions, Search, Settle
from data_analysis.kafka.requests import CommitNote, Committed, LogRange, Request
from data_analysis.kafka.warm_start import WarmStart

logger = logging.getLogger(__name__)


class AsyncPositions(Positions):
    """Finds the position of every assigned partition, and finds it again when it is lost.

    Args:
        consumer: the client to look up and seek with.
        engine: told of positions and gaps.
        clock: for the time of detection.
        report: called with every gap.
        moved: called when there is a position to commit.
        restarted: called with a partition whose log is another one now.
        failed: called with what nobody has foreseen.
    """

    def __init__(
        self,
        consumer: AsyncGroupMember,
        engine: Engine,
        clock: Clock,
        report: Callable[[GapEvent], None],
        moved: Callable[[], None],
        restarted: Callable[[TopicPartition], None],
        failed: Failed,
    ) -> None:
        policy = consumer.options.auto_offset_reset
        super().__init__(engine, clock, policy, consumer.seek, report, moved, restarted)
        self.changed = asyncio.Event()
        self._consumer = consumer
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._filling: asyncio.Task[None] | None = None
        self._stopped = False
        self._failed = failed

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """Find the positions of newly assigned partitions."""
        topics = self._consumer.topics
        counts = {topic: len(self._consumer.partitions_of(topic)) for topic in topics}
        if not self._stopped:
            self.begin(partitions, counts, _now())
            self._search()

    def revoked(self) -> None:
        """Forget all positions: the group reassigns everything."""
        self.forget()
        if self._filling is not None:
            self._filling.cancel()
        self.changed.set()

    def lost(self, tp: TopicPartition, wanted: int | None) -> None:
        """Find the position of a partition anew: Kafka has refused `wanted`."""
        if not self._stopped and self.refuse(tp, wanted, _now()):
            self._search()

    async def all_known(self) -> None:
        """Return when all are read from positions that are known, or the search was ended."""
        while self.searching and not self._stopped:
            self.changed.clear()
            await self.changed.wait()

    async def stop(self) -> None:
        """End the search."""
        self._stopped = True
        self.changed.set()
        tasks = [task for task in (self._task, self._filling) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _search(self) -> None:
        self._more.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._find_all())
            self._task.add_done_callback(partial(declare_end, "positions", self._failed))

    async def _find_all(self) -> None:
        while (next_due_at := self.next_due_at()) is not None:
            due = self.due(_now())
            if due:
                await self._sweep(due)
                continue
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_due_at):
                    await self._more.wait()

    async def _sweep(self, due: Sequence[tuple[TopicPartition, Search]]) -> None:
        """Find these one after another, and settle what was found at one instant.

        aiokafka walks in hash order through the partitions that have no position yet. Settled one
        by one, how far it had come would show; a partition that does not answer holds back those
        found before it no longer than `SWEEP_SECONDS`.
        """
        timer = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self.settle_found)
        try:
            for tp, _ in due:
                # It may have been lost anew meanwhile: the newest search counts.
                search = self._searches.get(tp)
                if search is not None:
                    await self._find(tp, search)
                if timer.when() <= _now():
                    self.settle_found()
            self.settle_found()
        finally:
            timer.cancel()

    def settle_found(self) -> None:
        """Settle all that was found, and tell whoever waits."""
        super().settle_found()
        self._fill_windows()
        self.changed.set()

    def _fill_windows(self) -> None:
        """Begin a warm start, if it is time for one."""
        warm_start = self.begin_warm_start()
        if warm_start is not None:
            self._filling = asyncio.create_task(self._fill(warm_start))

    async def _fill(self, warm_start: WarmStart) -> None:
        rereader = Rereader(self._consumer.options, self._consumer.lives)
        try:
            await rereader.drive(warm_start.run())
        except Exception:
            logger.exception("windows are not filled")
        finally:
            await rereader.close()
        self.end_warm_start(warm_start)
        self._fill_windows()
        self.changed.set()

    async def _find(self, tp: TopicPartition, search: Search) -> None:
        try:
            settle = await self._drive(self.ask(tp, search))
        except UnansweredError as error:
            self.failed(tp, search, error, _now())
        else:
            self.found(tp, search, settle)

    async def _drive(self, asking: Asking) -> Settle:
        """Answer what a search asks for until it is done."""
        try:
            request = next(asking)
            while True:
                try:
                    answer = await self._answer(request)
                except CLIENT_ERRORS as error:
                    request = asking.throw(unanswered(error))
                else:
                    request = asking.send(answer)
        except StopIteration as done:
            settle: Settle = done.value
            return settle

    async def _answer(self, request: Request) -> Any:
        tp = TopicPartition(*request.tp)
        if isinstance(request, Committed):
            return await self._consumer.committed(tp)
        if isinstance(request, CommitNote):
            return await self._consumer.committed_note(tp)
        if isinstance(request, LogRange):
            return await self._consumer.log_range(tp)
        return await self._consumer.first_since(tp, request.timestamp_ms)


def _now() -> float:
    return asyncio.get_running_loop().time()
