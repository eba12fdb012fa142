"""One consumer of a running blocking service, with all that belongs to it alone: its positions, its
polls, its commits, and a thread for each.

A service has one, or in multi-consumer mode one per topic; what fails in one stays there.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence, Sized

from data_analysis.clock import Clock
from data_analysis.effects import Effect
from data_analysis.engine import Engine
from data_analysis.errors import KafkaConnectionError
from data_analysis.failure import Failed
from data_analysis.gaps import GapEvent
from data_analysis.kafka.sync_commits import Committer
from data_analysis.kafka.sync_member import GroupMember
from data_analysis.kafka.sync_positions import SyncPositions
from data_analysis.kafka.sync_rebalances import Rebalances
from data_analysis.offsets import Partition
from data_analysis.sync_polling import Poller
from data_analysis.sync_threads import guarded_thread, join

logger = logging.getLogger(__name__)

START_TIMEOUT_SECONDS = 60.0
"""How long the start waits for the positions of its partitions."""

REVOCATION_COMMIT_SECONDS = 5.0
"""How long a rebalance waits for the last commit of what it takes away."""


class Reader:
    """Reads with one group member.

    Args:
        member: not connected yet.
        engine: decides.
        lock: held by whoever touches the engine.
        clock: of the service.
        perform: does the engine's effects.
        report: called with every gap.
        nudge: called when there may be something to commit.
        begun: waits, within a limit in seconds, until callbacks that may run have begun.
        ticked: called after the engine's ticks.
        polled: called with this reader and what a poll of it brought.
        failed: called with what nobody has foreseen.
        most_pending: most records in work.
        shares: whether other readers read other topics for the same engine; `most_pending` is of
            this reader's records then, and commits are of its topics.
    """

    def __init__(
        self,
        member: GroupMember,
        engine: Engine,
        lock: threading.RLock,
        clock: Clock,
        *,
        perform: Callable[[Sequence[Effect]], None],
        report: Callable[[GapEvent], None],
        nudge: Callable[[], None],
        begun: Callable[[float], None],
        ticked: Callable[[], None],
        polled: Callable[["Reader", Mapping[Partition, Sized]], None],
        failed: Failed,
        most_pending: int,
        shares: bool,
    ) -> None:
        self.member = member
        self.committer = Committer(
            member, engine.offsets, engine.counters, lock, failed, shares=shares
        )
        self.positions = SyncPositions(
            member, engine, clock, lock, report, nudge, lambda tp: self.poller.forget(tp)
        )
        self.poller = Poller(
            member,
            engine,
            lock,
            self.positions,
            perform,
            clock,
            self._in_flight if shares else lambda: engine.in_flight,
            begun,
            most_pending,
            lambda records: polled(self, records),
            ticked,
            self._revoked,
        )
        self._engine = engine
        self._lock = lock
        self._closing = False
        self._polling = guarded_thread("polling", self.poller.run, failed)
        self._searching = guarded_thread("positions", self.positions.run, failed)
        member.listener = Rebalances(
            self._revoked, self._lost, self.positions.assigned, member.wake, failed
        )

    @property
    def name(self) -> str:
        """What tells readers apart."""
        return ",".join(self.member.topics)

    @property
    def polling(self) -> bool:
        """Whether the polling thread runs."""
        return self._polling.is_alive()

    def start(self) -> None:
        """Connect, begin to poll, return when the positions are found.

        Raises:
            KafkaConnectionError: Kafka cannot be reached, or does not say where to read from.
        """
        self.member.connect(self.poller.stopping)
        self._begin()
        if self.positions.wait_until_known(START_TIMEOUT_SECONDS, self._is_broken):
            return
        if self._is_broken():
            raise KafkaConnectionError(f"joining the group failed: {self.poller.last_error}")
        searching = [f"{tp.topic}/{tp.partition}" for tp in self.positions.lacking]
        raise KafkaConnectionError(
            f"no position found within {START_TIMEOUT_SECONDS:g} s for"
            f" {', '.join(searching) or ', '.join(self.member.topics)}"
        )

    def join_and_poll(self) -> None:
        """Go on after a start that failed: connect for as long as it takes, and poll."""
        if not self.polling:
            self.poller.rejoin_soon()
            self._begin()

    def stop_polling(self) -> None:
        """End the polling, and wait for its end; begin no more searches for positions."""
        self.poller.stop()
        self.positions.stop()
        join(self._polling)

    def stop_searching(self) -> None:
        """Wait for the end of a search that is under way, once polling has been stopped."""
        join(self._searching)

    def give_up(self) -> None:
        """Finish and commit what is in work within a limit, then leave the group."""
        self.stop_polling()
        with self._lock:
            held = [*self.positions.pollable(), *self.positions.searching]
        self._revoked(held)
        self.close()

    def let_go(self) -> None:
        """Have everything end, finishing nothing, and wait for nothing."""
        self._closing = True
        self.poller.stop()
        self.positions.stop()
        self.committer.stop()

    def close(self) -> None:
        """End everything, finishing nothing, and leave the group."""
        self.let_go()
        join(self._polling)
        join(self._searching)
        self.member.close()

    def trouble(self) -> list[str]:
        """Return what is not as it should be, one line each. The lock is held."""
        trouble = self.positions.trouble()
        if self.committer.last_error is not None:
            trouble.append(f"commit: {self.committer.last_error}")
        if self.poller.last_error is not None:
            trouble.append(f"poll: {self.poller.last_error}")
        if self.positions.held:
            trouble.append("paused: too many records in work")
        if not self.polling:
            trouble.append("polling has ended")
        return trouble

    def _begin(self) -> None:
        self._searching.start()
        self._polling.start()

    def _is_broken(self) -> bool:
        return self._closing or self.poller.failed_for_good or not self.polling

    def _revoked(self, partitions: list[Partition]) -> None:
        """Finish what is in work for these partitions, within a limit, commit it, give them up.

        The commit carries the generation that ends: once another member may own the partitions,
        Kafka refuses it. From the return on nothing is committed for them, and what is still in
        work counts no more: their next owner sees those records again.
        """
        if self._closing:
            return
        self.poller.revoked(partitions)
        with self._lock:
            owned = any(self._engine.offsets.owns(tp) for tp in partitions)
        if owned:
            self.committer.commit(tries=1, timeout_seconds=REVOCATION_COMMIT_SECONDS)
        self._lost(partitions)

    def _lost(self, partitions: list[Partition]) -> None:
        """Give partitions up that others own already."""
        with self._lock:
            self.positions.revoked()
            self._engine.revoked(partitions)
            self.poller.drop(partitions)

    def _in_flight(self) -> int:
        return self._engine.in_flight_of([*self.positions.pollable(), *self.positions.searching])
