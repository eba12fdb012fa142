"""Where each partition is read from: the committed offset, or what is left when that is lost.

aiokafka runs without a reset policy here; it reports a lost position at every poll until a seek.
One partition at a time, its start and end are asked of its leader before anything is moved, and
what was lost becomes a `GapEvent`. A partition that cannot be answered for waits for its next try;
the others do not wait for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from data_analysis.clock import Clock
from data_analysis.engine import MILLISECONDS, Engine
from data_analysis.gaps import GapCause, GapEvent, read_commit_note
from data_analysis.kafka.async_consumer import AsyncGroupMember
from data_analysis.kafka.errors import describe, may_pass

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
DATING_TRIES = 3
"""How often a search may fail over the time span of a gap, which is only an estimate."""


SWEEP_SECONDS = 1.0
"""Longest that a position which was found waits for others before it is settled."""


@dataclass(slots=True)
class _Search:
    """A partition whose position is to be found; `wanted` is the offset that was refused.

    `due_at` is the loop's time of the next try.
    """

    wanted: int | None
    due_at: float
    failures: int = 0


class Positions:
    """Finds the position of every assigned partition, and finds it again when it is lost.

    Args:
        consumer: the client to look up and seek with.
        engine: told of positions and gaps.
        clock: for the time of detection.
        report: called with every gap.
        moved: called when there is a position to commit.
        restarted: called with a partition whose log is another one now.
    """

    def __init__(
        self,
        consumer: AsyncGroupMember,
        engine: Engine,
        clock: Clock,
        report: Callable[[GapEvent], None],
        moved: Callable[[], None],
        restarted: Callable[[TopicPartition], None],
    ) -> None:
        self.changed = asyncio.Event()
        self._consumer = consumer
        self._engine = engine
        self._clock = clock
        self._report = report
        self._moved = moved
        self._restarted = restarted
        self._searches: dict[TopicPartition, _Search] = {}
        self._known: dict[TopicPartition, None] = {}
        self._refusals: dict[TopicPartition, tuple[int | None, int]] = {}
        self._at_start: dict[str, int] = {}
        self._committed_before: dict[TopicPartition, int] = {}
        self._found: list[tuple[TopicPartition, _Search, Callable[[], None]]] = []
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def searching(self) -> list[TopicPartition]:
        """The partitions whose position is not known, sorted."""
        return sorted(self._searches)

    @property
    def refused(self) -> list[TopicPartition]:
        """Those of them whose offset Kafka has refused, sorted."""
        return sorted(tp for tp, search in self._searches.items() if search.wanted is not None)

    def pollable(self) -> list[TopicPartition]:
        """Return the partitions whose position is known, sorted."""
        return sorted(self._known)

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """Find the positions of newly assigned partitions."""
        # Partitions beyond these counts have appeared later, whoever gets them.
        for topic in self._consumer.topics:
            self._at_start.setdefault(topic, len(self._consumer.partitions_of(topic)))
        for tp in sorted(partitions):
            self._search(tp, None, 0.0)

    def revoked(self) -> None:
        """Forget all positions: the group reassigns everything."""
        for tp in self._known:
            committed = self._engine.offsets.committed(tp)
            if committed is not None:
                self._committed_before[tp] = committed
        self._searches.clear()
        self._found.clear()
        self._known.clear()
        self._refusals.clear()
        self.changed.set()

    def lost(self, tp: TopicPartition, wanted: int | None) -> None:
        """Find the position of a partition anew: Kafka has refused `wanted`."""
        if tp in self._known:
            del self._known[tp]
            before, times = self._refusals.get(tp, (None, 0))
            times = times + 1 if before == wanted else 0
            self._refusals[tp] = (wanted, times)
            self._search(tp, wanted, _delay_seconds(times))

    async def found(self) -> None:
        """Return when every position is known."""
        while self._searches:
            self.changed.clear()
            await self.changed.wait()

    async def stop(self) -> None:
        """End the search."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _search(self, tp: TopicPartition, wanted: int | None, delay_seconds: float) -> None:
        if self._stopped:
            return
        due_at = asyncio.get_running_loop().time() + delay_seconds
        self._searches[tp] = _Search(wanted, due_at)
        self._more.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._find_all())

    async def _find_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._searches:
            now = loop.time()
            due = sorted(tp for tp, search in self._searches.items() if search.due_at <= now)
            if due:
                await self._sweep(due)
                continue
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(s.due_at for s in self._searches.values())):
                    await self._more.wait()

    async def _sweep(self, due: Sequence[TopicPartition]) -> None:
        """Find these one after another, and settle what was found at one instant.

        aiokafka walks in hash order through the partitions that have no position yet. Settled one
        by one, how far it had come would show; a partition that does not answer holds back those
        found before it no longer than `SWEEP_SECONDS`.
        """
        timer = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._settle_found)
        try:
            for tp in due:
                search = self._searches.get(tp)
                if search is not None:
                    await self._find(tp, search)
                if timer.when() <= asyncio.get_running_loop().time():
                    self._settle_found()
            self._settle_found()
        finally:
            timer.cancel()

    def _settle_found(self) -> None:
        found, self._found = self._found, []
        for tp, search, settle in found:
            if self._searches.get(tp) is search:
                settle()

    async def _find(self, tp: TopicPartition, search: _Search) -> None:
        try:
            if search.wanted is None:
                settle = await self._begin(tp, search)
            else:
                settle = await self._recover(tp, search, search.wanted)
        except (KafkaError, OSError) as error:
            search.failures += 1
            delay_seconds = _delay_seconds(search.failures)
            search.due_at = asyncio.get_running_loop().time() + delay_seconds
            if self._searches.get(tp) is search:
                logger.warning(
                    "position of %s partition %d not found, next try in %g s: %s",
                    tp.topic,
                    tp.partition,
                    delay_seconds,
                    describe(error),
                )
        else:
            self._found.append((tp, search, settle))

    async def _begin(self, tp: TopicPartition, search: _Search) -> Callable[[], None]:
        """Return what settles a partition that was assigned."""
        committed = await self._consumer.committed(tp)
        if committed is not None:
            return lambda: self._go_on(tp, committed)
        start, end = await self._consumer.log_range(tp)

        def settle() -> None:
            appeared = tp.partition >= self._at_start[tp.topic]
            position = start if appeared or self._follows("earliest") else end
            before = self._committed_before.get(tp)
            first_lost = start if before is None or not start <= before <= position else before
            self._go_on(tp, position)
            self._engine.moved(tp, first_lost, position)
            if first_lost < position or before is not None:
                self._declare(GapCause.NO_COMMITTED_OFFSET, tp, first_lost, position, None)
            self._moved()

        return settle

    async def _recover(
        self, tp: TopicPartition, search: _Search, wanted: int
    ) -> Callable[[], None]:
        """Return what settles a partition whose position Kafka has refused."""
        start, end = await self._consumer.log_range(tp)
        if start <= wanted <= end:
            return lambda: self._settle(tp, wanted)
        position = start if self._follows("earliest") else end
        last_ms, span_seconds = await self._date(tp, search, position < end)

        def settle() -> None:
            self._settle(tp, position)
            if wanted < start:
                cause, first_lost = GapCause.EXPIRED, wanted
            else:
                cause, first_lost = GapCause.TRUNCATED, start
                self._restarted(tp)
            self._engine.moved(tp, first_lost, position, last_ms)
            self._declare(cause, tp, first_lost, position, span_seconds)
            self._moved()

        return settle

    async def _date(
        self, tp: TopicPartition, search: _Search, has_records: bool
    ) -> tuple[int | None, float | None]:
        """Return the time of the last record before a gap, and how long the gap is in seconds."""
        last_ms = None
        try:
            last_ms = await self._last_record_ms(tp)
            return last_ms, await self._span_seconds(tp, last_ms, has_records)
        except (KafkaError, OSError) as error:
            if may_pass(error) and search.failures < DATING_TRIES:
                raise
            logger.warning("a gap cannot be dated: %s", describe(error))
            return last_ms, None

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

    def _declare(
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
        self._report(gap)

    def _go_on(self, tp: TopicPartition, position: int) -> None:
        self._settle(tp, position)
        self._engine.assigned(tp, position, None)

    def _settle(self, tp: TopicPartition, position: int) -> None:
        """Read from here. What was fetched before the position was known is fetched again."""
        self._consumer.seek(tp, position)
        del self._searches[tp]
        self._known[tp] = None
        self.changed.set()

    def _follows(self, policy: str) -> bool:
        return self._consumer.options.auto_offset_reset == policy


def _delay_seconds(failures: int) -> float:
    """Return the wait after so many failures in a row: none, then doubling up to a bound."""
    if not failures:
        return 0.0
    return min(FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_DELAY_SECONDS)
