"""Polls, and hands records to the engine: a bounded number at a time, in an order of their own.

Whatever a poll returns first, records are handled sorted by (topic, partition, offset).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from data_analysis.backlog import Backlog, crowded
from data_analysis.clock import Clock
from data_analysis.effects import Effect
from data_analysis.engine import Engine
from data_analysis.errors import KafkaConnectionError
from data_analysis.handover import CALLS_AT_ONCE, Call
from data_analysis.kafka.async_consumer import AsyncGroupMember
from data_analysis.kafka.async_positions import AsyncPositions
from data_analysis.kafka.errors import describe, lost_position
from data_analysis.record_columns import RecordColumns, Run

logger = logging.getLogger(__name__)

POLL_TIMEOUT_MS = 5000
"""Longest wait of one poll; data ends it at once."""

SEARCH_POLL_TIMEOUT_MS = 200
"""The same while partitions are left out because their positions are being found."""

TICK_SECONDS = 30.0
"""How often expired windows are given up; reading one never shows expired points."""

ERROR_DELAY_SECONDS = 1.0
LONGEST_ERROR_DELAY_SECONDS = 30.0
ERRORS_TO_REJOIN = 3
"""Polls that fail in a row until the consumer is taken for dead: aiokafka's fetcher and coordinator
end on some errors, a refused authorisation among them, and repeat them for ever after."""

ROOM_WAIT_SECONDS = 1.0
"""How long nothing may end, with as much in work as may be, until partitions are paused."""

POLL_EVERY_SECONDS = 1.0
"""How long the records of a poll, whose callbacks are called at once, may hold up the next one."""

LEFT_RECORDS = 500
"""How many of these are left when the next poll has the client fetch more."""

ROUND_RECORDS = 1000
"""Most records that are handed over at once, unless they are one callback the more there are: what
they need stays in the processor's cache."""

WORK_LIMIT_SECONDS = 5.0
"""How long a revocation waits for work in flight."""


class Poller:
    """Moves records from the consumer to the engine.

    Args:
        consumer: what to poll.
        engine: gets the records.
        positions: which partitions may be polled.
        perform: does the engine's effects.
        clock: time of arrival.
        in_flight: returns how many records are in work.
        most_pending: most records in work; beyond, partitions are paused while polling goes on.
        polled: called with what each poll brought.
        ticked: called after the engine's tick.
        give_up: awaited to finish and commit what is in work for partitions that are given up.
        begun: awaited, with a limit in seconds, until callbacks that need not wait have run.
        answering: returns what calls back at once, None where callbacks take turns.
    """

    def __init__(
        self,
        consumer: AsyncGroupMember,
        engine: Engine,
        positions: AsyncPositions,
        perform: Callable[[Sequence[Effect]], None],
        clock: Clock,
        in_flight: Callable[[], int],
        most_pending: int,
        polled: Callable[[Mapping[TopicPartition, RecordColumns]], None],
        ticked: Callable[[], None],
        give_up: Callable[[list[TopicPartition]], Awaitable[None]],
        begun: Callable[[float], Awaitable[None]],
        answering: Callable[[], Call] | None,
    ) -> None:
        self.last_error: str | None = None
        self.paused: list[TopicPartition] = []
        self._consumer = consumer
        self._engine = engine
        self._positions = positions
        self._perform = perform
        self._clock = clock
        self._in_flight = in_flight
        self.most_pending = most_pending
        self._polled = polled
        self._ticked = ticked
        self._give_up = give_up
        self._begun = begun
        self._answering = answering
        self._handing: asyncio.Task[None] | None = None
        self._at_once = CALLS_AT_ONCE
        self._rejoin_wanted = False
        self._errors_in_a_row = 0
        self._backlog = Backlog(consumer.options.max_poll_records)
        self._progress = asyncio.Event()
        self._next_tick = clock.monotonic() + TICK_SECONDS

    async def run(self) -> None:
        """Poll for ever."""
        try:
            while True:
                await self._round()
        finally:
            if self._handing is not None:
                self._handing.cancel()
                await asyncio.gather(self._handing, return_exceptions=True)
            if self._engine.has_gathered:
                self._perform(self._engine.go_on(self._clock.time()))

    @property
    def has_more(self) -> bool:
        """Whether records were polled that are still to be handed over."""
        return bool(self._backlog)

    def rejoin_soon(self) -> None:
        """Leave the group in good order and join it again, with the next poll."""
        self._rejoin_wanted = True

    def progressed(self) -> None:
        """Something was finished: there may be room."""
        self._progress.set()

    def forget(self, tp: TopicPartition) -> None:
        """Hand no more of what was read of this partition over: its log is another one now."""
        self._backlog.drop([tp])

    async def revoked(self, tps: Sequence[Any], flush: Callable[[], None]) -> None:
        """Hand no more of these partitions over; wait for their work within a limit."""
        self._backlog.drop(tps)
        self.paused = []
        try:
            async with asyncio.timeout(WORK_LIMIT_SECONDS):
                while self._engine.busy(tps):
                    flush()
                    self._progress.clear()
                    await self._progress.wait()
        except TimeoutError:
            logger.warning("work for revoked partitions did not end in %g s", WORK_LIMIT_SECONDS)

    async def _round(self) -> None:
        if self._rejoin_wanted:
            self._rejoin_wanted = False
            await self._give_up(self._positions.pollable())
            await self._rejoin()
        before = len(self._backlog)
        polled = await self._poll() if self._has_room() or self.paused else False
        if self._answering is not None and (self._backlog or self._handing is not None):
            more_may_come = len(self._backlog) > before and not self._engine.coalesces
            left = LEFT_RECORDS if more_may_come else 0
            await self._hand_over_for_a_while(self._answering, left)
            return
        room = self.most_pending - self._in_flight()
        runs = self._backlog.take(room if self._engine.coalesces else min(room, ROUND_RECORDS))
        if runs:
            self._perform(self._engine.received(runs, self._clock.time()))
        self._resume()
        self._tick()
        if runs:
            await self._begun(ROOM_WAIT_SECONDS)
        elif not self._has_room():
            await self._wait_for_room()
        elif not polled:
            await asyncio.sleep(0)

    async def _hand_over_for_a_while(self, answering: Callable[[], Call], left: int) -> None:
        """Return when so many records are left, or when it is time for another poll."""
        if self._handing is None:
            self._handing = asyncio.create_task(self._hand_over(answering, left))
        await asyncio.wait([self._handing], timeout=POLL_EVERY_SECONDS)
        if self._handing.done():
            done, self._handing = self._handing, None
            done.result()

    async def _hand_over(self, answering: Callable[[], Call], left: int) -> None:
        """Hand over what was polled, some records at a time, whose callbacks are called at once."""
        call = answering()
        while len(self._backlog) > left or self._engine.has_gathered:
            goes_on = self._engine.has_gathered
            runs = [] if goes_on else self._next_runs()
            if goes_on:
                self._perform(self._engine.go_on(self._clock.time(), call))
            elif runs:
                self._perform(self._engine.received(runs, self._clock.time(), call))
                asked, records = self._engine.asked, len(runs[0][1])
                fitting = CALLS_AT_ONCE * records // max(1, asked)
                self._at_once = max(1, min(CALLS_AT_ONCE, fitting))
            self._resume()
            self._tick()
            if runs or goes_on:
                await self._begun(ROOM_WAIT_SECONDS)
            else:
                await self._wait_for_room()

    def _next_runs(self) -> Sequence[Run]:
        """Take what goes to the engine next: with `coalesce` all of a round."""
        room = self.most_pending - self._in_flight()
        if self._engine.coalesces:
            return self._backlog.take(room)
        return self._backlog.take_run(min(room, self._at_once))

    async def _poll(self) -> bool:
        """Take what is there into the backlog; return whether there was something to wait for."""
        known = self._positions.pollable()
        searching = self._positions.searching
        if searching and not known:
            self._positions.changed.clear()
            await self._positions.changed.wait()
            return True
        longest_ms = SEARCH_POLL_TIMEOUT_MS if searching else POLL_TIMEOUT_MS
        timeout_ms = 0 if self._backlog else longest_ms
        some: Sequence[TopicPartition] = known if searching else ()
        records, errors = await self._consumer.drain(timeout_ms, some, self._share(len(known)))
        for tp in sorted(records):
            if self._engine.offsets.owns(tp):
                self._engine.taken([(tp, records[tp])])
                self._backlog.add(tp, records[tp])
        self._polled(records)
        for error in errors:
            await self._trouble(error)
        if all(lost_position(error) is not None for error in errors):
            self.last_error = None
            self._errors_in_a_row = 0
        return timeout_ms > 0

    async def _trouble(self, error: BaseException) -> None:
        tp = lost_position(error)
        if tp is not None:
            wanted = error.args[0][tp] if isinstance(error.args[0], dict) else None
            self._positions.lost(tp, wanted)
            return
        self._engine.counters.poll_errors += 1
        self.last_error = describe(error)
        delay_seconds = min(
            ERROR_DELAY_SECONDS * 2.0 ** min(self._errors_in_a_row, 10), LONGEST_ERROR_DELAY_SECONDS
        )
        self._errors_in_a_row += 1
        logger.error("polling failed, next try in %g s: %s", delay_seconds, self.last_error)
        await asyncio.sleep(delay_seconds)
        # aiokafka wraps what ends its coordinator in a plain KafkaError.
        if type(error) is KafkaError or self._errors_in_a_row >= ERRORS_TO_REJOIN:
            logger.error("the consumer has ended and joins the group again")
            await self._rejoin()

    async def _rejoin(self) -> None:
        """Replace the consumer."""
        self._backlog.clear()
        self.paused = []
        self._engine.revoked(self._positions.pollable())
        self._positions.revoked()
        await self._consumer.stop()
        while True:
            try:
                await self._consumer.start()
            except KafkaConnectionError as error:
                self.last_error = str(error)
                logger.error("%s; trying again", error)
                await asyncio.sleep(ERROR_DELAY_SECONDS)
            else:
                return

    def _share(self, partitions: int) -> int:
        """Return how many records a poll takes from one partition: its share of the room."""
        room = self.most_pending - self._in_flight() - len(self._backlog)
        return max(1, min(self._consumer.options.max_poll_records, room // max(1, partitions)))

    def _has_room(self) -> bool:
        return self._in_flight() + len(self._backlog) < self.most_pending

    def _resume(self) -> None:
        pending = self._in_flight() + len(self._backlog)
        if self.paused and pending <= self.most_pending // 2:
            owned = [tp for tp in self.paused if self._engine.offsets.owns(tp)]
            self.paused = []
            self._consumer.resume(owned)

    def _crowded(self) -> list[TopicPartition]:
        """Return what is to be paused: what is so already, and what holds its share of the room."""
        held = {
            tp: self._backlog.waiting(tp) + self._engine.in_flight_of([tp])
            for tp in self._positions.pollable()
        }
        full = crowded(held, self.most_pending)
        return [tp for tp in held if tp in self.paused or tp in full]

    def _tick(self) -> None:
        if self._clock.monotonic() >= self._next_tick:
            self._next_tick = self._clock.monotonic() + TICK_SECONDS
            self._perform(self._engine.ticked(self._clock.time()))
            self._ticked()

    async def _wait_for_room(self) -> None:
        """Wait, within a limit, for work to end; without that, pause, so that polls go on.

        Pausing at once would have the client throw away, over and over, what it has fetched.
        """
        self._progress.clear()
        if self._in_flight() < self.most_pending:
            return
        try:
            async with asyncio.timeout(ROOM_WAIT_SECONDS):
                await self._progress.wait()
        except TimeoutError:
            self.paused = self._crowded()
            self._consumer.pause(self.paused)
