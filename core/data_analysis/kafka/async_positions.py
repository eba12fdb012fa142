"""Where each partition is read from: the committed offset, or what is left when that is lost.

aiokafka runs without a reset policy here; it reports a lost position at every poll until a seek.
One partition at a time, its start and end are asked of its leader before anything is moved, and
what was lost becomes a `GapEvent`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from data_analysis.clock import Clock
from data_analysis.engine import MILLISECONDS, Engine
from data_analysis.gaps import GapCause, GapEvent, read_commit_note
from data_analysis.kafka.async_consumer import AsyncKafkaConsumerClient
from data_analysis.kafka.errors import describe

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Search:
    """A partition whose position is to be found; `wanted` is the offset that was refused."""

    ownership: int
    wanted: int | None = None


class Positions:
    """Finds the position of every assigned partition, and finds it again when it is lost.

    Args:
        consumer: the client to look up and seek with.
        engine: told of positions and gaps.
        clock: for the time of detection.
        report: awaited with every gap.
        moved: called when there is a position to commit.
    """

    def __init__(
        self,
        consumer: AsyncKafkaConsumerClient,
        engine: Engine,
        clock: Clock,
        report: Callable[[GapEvent], Awaitable[None]],
        moved: Callable[[], None],
    ) -> None:
        self.changed = asyncio.Event()
        self._consumer = consumer
        self._engine = engine
        self._clock = clock
        self._report = report
        self._moved = moved
        self._ownership = 0
        self._searches: dict[TopicPartition, _Search] = {}
        self._known: dict[TopicPartition, None] = {}
        self._at_start: dict[str, int] = {}
        self._committed_before: dict[TopicPartition, int] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def searching(self) -> list[TopicPartition]:
        """The partitions whose position is not known, sorted."""
        return sorted(self._searches)

    def pollable(self) -> list[TopicPartition]:
        """Return the partitions whose position is known, sorted."""
        return sorted(self._known)

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """Find the positions of newly assigned partitions."""
        for topic in sorted({tp.topic for tp in partitions}):
            self._at_start.setdefault(topic, len(self._consumer.partitions_of(topic)))
        for tp in sorted(partitions):
            self._search(tp, None)

    def revoked(self) -> None:
        """Forget all positions: the group reassigns everything."""
        self._ownership += 1
        for tp in self._known:
            committed = self._engine.offsets.committed(tp)
            if committed is not None:
                self._committed_before[tp] = committed
        self._searches.clear()
        self._known.clear()
        self.changed.set()

    def lost(self, tp: TopicPartition, wanted: int | None) -> None:
        """Find the position of a partition anew: Kafka has refused `wanted`."""
        if tp in self._known:
            del self._known[tp]
            self._search(tp, wanted)

    async def found(self) -> None:
        """Return when every position is known."""
        while self._searches:
            self.changed.clear()
            await self.changed.wait()

    async def stop(self) -> None:
        """End the search."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _search(self, tp: TopicPartition, wanted: int | None) -> None:
        self._searches[tp] = _Search(self._ownership, wanted)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._find_all())

    async def _find_all(self) -> None:
        while self._searches:
            tp = min(self._searches)
            await self._find(tp, self._searches[tp])

    async def _find(self, tp: TopicPartition, search: _Search) -> None:
        delay_seconds = FIRST_DELAY_SECONDS
        while self._searches.get(tp) is search:
            try:
                if search.wanted is None:
                    await self._begin(tp, search)
                else:
                    await self._recover(tp, search, search.wanted)
            except (KafkaError, OSError) as error:
                if self._searches.get(tp) is not search:
                    return
                logger.warning(
                    "position of %s partition %d not found, next try in %g s: %s",
                    tp.topic,
                    tp.partition,
                    delay_seconds,
                    describe(error),
                )
                await asyncio.sleep(delay_seconds)
                delay_seconds = min(2 * delay_seconds, LONGEST_DELAY_SECONDS)

    async def _begin(self, tp: TopicPartition, search: _Search) -> None:
        committed = await self._consumer.committed(tp)
        if committed is not None:
            if self._searches.get(tp) is search:
                self._engine.assigned(tp, committed, None)
                self._settle(tp)
            return
        start, end = await self._consumer.log_range(tp)
        if self._searches.get(tp) is not search:
            return
        appeared = tp.partition >= self._at_start[tp.topic]
        position = start if appeared or self._follows("earliest") else end
        before = self._committed_before.get(tp)
        first_lost = start if before is None or not start <= before <= position else before
        self._engine.assigned(tp, position, None)
        self._engine.moved(tp, first_lost, position)
        self._consumer.seek(tp, position)
        self._settle(tp)
        if first_lost < position or before is not None:
            await self._declare(GapCause.NO_COMMITTED_OFFSET, tp, first_lost, position, None)

    async def _recover(self, tp: TopicPartition, search: _Search, wanted: int) -> None:
        start, end = await self._consumer.log_range(tp)
        if start <= wanted <= end:
            if self._searches.get(tp) is search:
                self._consumer.seek(tp, wanted)
                self._settle(tp)
            return
        position = start if self._follows("earliest") else end
        last_ms = await self._last_record_ms(tp)
        span_seconds = await self._span_seconds(tp, last_ms, position < end)
        if self._searches.get(tp) is not search:
            return
        if wanted < start:
            cause, first_lost = GapCause.EXPIRED, wanted
        else:
            cause, first_lost = GapCause.TRUNCATED, start
        self._engine.moved(tp, first_lost, position, last_ms)
        self._consumer.seek(tp, position)
        self._settle(tp)
        await self._declare(cause, tp, first_lost, position, span_seconds)

    async def _last_record_ms(self, tp: TopicPartition) -> int | None:
        known = self._engine.offsets.last_record_ms(tp)
        if known is not None:
            return known
        return read_commit_note(await self._consumer.committed_note(tp))

    async def _span_seconds(
        self, tp: TopicPartition, last_ms: int | None, has_records: bool
    ) -> float | None:
        """Return the time from the last record before a gap to the first after it, or to now."""
        if last_ms is None:
            return None
        first_ms = None
        if has_records:
            first_ms = await self._consumer.first_since(tp, max(0, last_ms + 1))
        if first_ms is None:
            first_ms = int(self._clock.time() * MILLISECONDS)
        return max(0, first_ms - last_ms) / MILLISECONDS

    async def _declare(
        self,
        cause: GapCause,
        tp: TopicPartition,
        start: int,
        end: int,
        span_seconds: float | None,
    ) -> None:
        now = self._clock.time()
        gap = GapEvent(cause, tp.topic, tp.partition, start, end, span_seconds, now)
        self._engine.declared(gap)
        await self._report(gap)

    def _settle(self, tp: TopicPartition) -> None:
        del self._searches[tp]
        self._known[tp] = None
        self._moved()
        self.changed.set()

    def _follows(self, policy: str) -> bool:
        return self._consumer.options.auto_offset_reset == policy
