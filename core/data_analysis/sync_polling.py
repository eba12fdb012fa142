"""Polls with kafka-python, and hands records to the engine: a bounded number at a time, in order.

Whatever a poll returns first, records are handled sorted by (topic, partition, offset). All of this
runs in one thread, but for `revoked`, which a rebalance calls while that thread waits in its poll.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from data_analysis.backlog import Backlog
from data_analysis.clock import Clock
from data_analysis.effects import Effect
from data_analysis.engine import Engine
from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.errors import CLIENT_ERRORS, describe, lost_position, may_pass
from data_analysis.kafka.sync_member import GroupMember
from data_analysis.kafka.sync_positions import SyncPositions
from data_analysis.offsets import Partition
from data_analysis.record_columns import RecordColumns

logger = logging.getLogger(__name__)

POLL_TIMEOUT_MS = 1000
"""Longest wait of one poll, how long a stop may have to wait for it, and longest time from one to
the next; data ends it at once."""

ROUND_RECORDS = 1_000
"""Most records that are applied at once: what more of them need does not fit into a processor's
cache."""

BEGUN_SECONDS = 0.1
"""How long a round waits until the callbacks of the last one have begun."""

ROOM_SECONDS = 0.1
"""How long a round waits for more room than there is, where there is little."""

TICK_SECONDS = 30.0
"""How often expired windows are given up; reading one never shows expired points."""

ERROR_DELAY_SECONDS = 1.0
LONGEST_ERROR_DELAY_SECONDS = 30.0
ERRORS_TO_REJOIN = 3
"""Polls that fail in a row until the consumer is taken for dead."""

WORK_LIMIT_SECONDS = 5.0
"""How long a revocation waits for work in flight."""


class Poller:
    """Moves records from the consumer to the engine.

    Args:
        consumer: what to poll.
        engine: gets the records.
        lock: held by whoever touches the engine.
        positions: which partitions may be read.
        perform: does the engine's effects, under the lock.
        clock: time of arrival.
        in_flight: returns how many records are in work.
        begun: waits, within a limit in seconds, until callbacks that may run have begun.
        most_pending: most records in work; beyond, partitions are paused while polling goes on.
        polled: called with what each poll brought, under the lock.
        ticked: called after the engine's tick, under the lock.
        give_up: finishes and commits what is in work for partitions that are given up.
    """

    def __init__(
        self,
        consumer: GroupMember,
        engine: Engine,
        lock: threading.RLock,
        positions: SyncPositions,
        perform: Callable[[Sequence[Effect]], None],
        clock: Clock,
        in_flight: Callable[[], int],
        begun: Callable[[float], None],
        most_pending: int,
        polled: Callable[[Mapping[Partition, Sequence[Any]]], None],
        ticked: Callable[[], None],
        give_up: Callable[[list[Partition]], None],
    ) -> None:
        self.last_error: str | None = None
        self.failed_for_good = False
        """Whether the last poll met an error that will not pass."""
        self._consumer = consumer
        self._engine = engine
        self._lock = lock
        self._positions = positions
        self._perform = perform
        self._clock = clock
        self._in_flight = in_flight
        self._begun = begun
        self.most_pending = most_pending
        self._polled = polled
        self._ticked = ticked
        self._give_up = give_up
        self._rejoin_wanted = False
        self._errors_in_a_row = 0
        self._backlog = Backlog(consumer.options.max_poll_records)
        self._progress = threading.Condition(lock)
        self.stopping = threading.Event()
        """Set at the end, which ends all waiting."""
        self._next_poll = clock.monotonic()
        self._next_tick = clock.monotonic() + TICK_SECONDS

    @property
    def paused(self) -> list[Partition]:
        """The partitions that are not read because there is too much in work."""
        return self._positions.pollable() if self._positions.held else []

    def run(self) -> None:
        """Poll until the end."""
        while not self.stopping.is_set():
            self._round()

    def stop(self) -> None:
        """Have `run` end with the poll that is under way."""
        self.stopping.set()
        with self._lock:
            self._progress.notify_all()

    def rejoin_soon(self) -> None:
        """Leave the group in good order and join it again, with the next poll."""
        self._rejoin_wanted = True

    def progressed(self) -> None:
        """Something was finished: there may be room. The lock is held."""
        self._progress.notify_all()

    def forget(self, tp: Partition) -> None:
        """Hand no more of what was read of this partition over: its log is another one now."""
        self.drop([tp])

    def drop(self, tps: Sequence[Partition]) -> None:
        """Hand no more of these partitions over. The lock is held."""
        self._backlog.drop(tps)

    def revoked(self, tps: Sequence[Partition]) -> None:
        """Hand no more of these partitions over; wait for their work within a limit."""
        with self._lock:
            self._backlog.drop(tps)
            ended = self._progress.wait_for(lambda: not self._engine.busy(tps), WORK_LIMIT_SECONDS)
        if not ended:
            logger.warning("work for revoked partitions did not end in %g s", WORK_LIMIT_SECONDS)

    def _round(self) -> None:
        if self._rejoin_wanted:
            self._rejoin_wanted = False
            with self._lock:
                given_up = self._positions.pollable()
            self._give_up(given_up)
            self._rejoin()
        # What is polled before it is needed only adds to what is searched for garbage.
        if len(self._backlog) < ROUND_RECORDS or self._clock.monotonic() >= self._next_poll:
            self._next_poll = self._clock.monotonic() + POLL_TIMEOUT_MS / 1000
            self._poll()
        if self._backlog:
            self._begun(BEGUN_SECONDS)
        with self._lock:
            self._progress.wait_for(self._has_enough_room, ROOM_SECONDS)
            room = self.most_pending - self._in_flight()
            records = self._backlog.take(min(room, ROUND_RECORDS))
            if records:
                self._perform(self._engine.received(records, self._clock.time()))
            self._hold_or_let_go()
            self._tick()
            if not records and (self._backlog or self._positions.held):
                self._wait_for_room()

    def _poll(self) -> None:
        """Take what is there into the backlog."""
        with self._lock:
            waits = not self._backlog and not self._positions.held
            most = self._consumer.options.max_poll_records * max(1, len(self._positions.pollable()))
        try:
            polled = self._consumer.fetch(POLL_TIMEOUT_MS if waits else 0, most)
        except CLIENT_ERRORS as error:
            self._trouble(error)
            with self._lock:
                self._polled({})
            return
        with self._lock:
            for tp in sorted(polled):
                if self._engine.offsets.owns(tp):
                    records = RecordColumns.of(polled[tp])
                    self._engine.taken([(tp, records)])
                    self._backlog.add(tp, records)
            self._polled(polled)
            self.last_error = None
            self._errors_in_a_row = 0

    def _trouble(self, error: BaseException) -> None:
        tp = lost_position(error)
        if tp is not None:
            self._positions.lost(Partition(*tp), error.args[0][tp])
            return
        self._engine.counters.poll_errors += 1
        self.last_error = describe(error)
        self.failed_for_good = not may_pass(error)
        self._positions.look_again()
        delay_seconds = min(
            ERROR_DELAY_SECONDS * 2.0 ** min(self._errors_in_a_row, 10), LONGEST_ERROR_DELAY_SECONDS
        )
        self._errors_in_a_row += 1
        logger.error("polling failed, next try in %g s: %s", delay_seconds, self.last_error)
        if self.stopping.wait(delay_seconds):
            return
        if self._errors_in_a_row >= ERRORS_TO_REJOIN:
            logger.error("the consumer has ended and joins the group again")
            self._rejoin()

    def _rejoin(self) -> None:
        """Replace the consumer."""
        with self._lock:
            self._backlog.clear()
            self._engine.revoked(self._positions.pollable())
            self._positions.revoked()
        self._consumer.close()
        while not self.stopping.is_set():
            try:
                self._consumer.connect(self.stopping)
            except KafkaConnectionError as error:
                if self.stopping.is_set():
                    return
                self.last_error = str(error)
                logger.error("%s; trying again", error)
                self.stopping.wait(ERROR_DELAY_SECONDS)
            else:
                return

    # The lock is held from here on.

    def _hold_or_let_go(self) -> None:
        pending = self._in_flight() + len(self._backlog)
        if pending >= self.most_pending:
            self._positions.hold()
        elif self._positions.held and pending <= self.most_pending // 2:
            self._positions.let_go()

    def _tick(self) -> None:
        if self._clock.monotonic() >= self._next_tick:
            self._next_tick = self._clock.monotonic() + TICK_SECONDS
            self._perform(self._engine.ticked(self._clock.time()))
            self._ticked()

    def _has_enough_room(self) -> bool:
        """Return whether there is room for what waits, or for so much that a round is worth it."""
        room = self.most_pending - self._in_flight()
        worth_it = min(ROUND_RECORDS, self.most_pending // 4)
        return room >= min(len(self._backlog), worth_it) or self.stopping.is_set()

    def _wait_for_room(self) -> None:
        most = self._in_flight() - 1 if self._backlog else self.most_pending // 2
        self._progress.wait_for(
            lambda: self._in_flight() <= most or self.stopping.is_set(), POLL_TIMEOUT_MS / 1000
        )
        self._hold_or_let_go()
