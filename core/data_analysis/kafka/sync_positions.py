"""Asks Kafka where partitions are read from, in a thread of its own.

What is asked, and what follows from the answers, is decided in `data_analysis.kafka.positions`. A
partition whose position is not known is parked: kafka-python reads nothing of it, nor does it look
for a position by itself.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from data_analysis.clock import WALL, Clock
from data_analysis.engine import Engine
from data_analysis.gaps import GapEvent
from data_analysis.kafka.errors import CLIENT_ERRORS, UnansweredError, unanswered
from data_analysis.kafka.positions import Asking, Positions, Search, Settle
from data_analysis.kafka.requests import CommitNote, Committed, LogRange, Request
from data_analysis.kafka.sync_member import GroupMember
from data_analysis.kafka.sync_rereading import Rereader
from data_analysis.kafka.warm_start import WarmStart
from data_analysis.offsets import Partition
from data_analysis.sync_threads import ends_with_process

logger = logging.getLogger(__name__)


class SyncPositions(Positions):
    """Finds the position of every assigned partition, and finds it again when it is lost.

    Args:
        consumer: the client to look up and seek with.
        engine: told of positions and gaps.
        clock: for the time of detection.
        lock: held by whoever touches the engine or the positions.
        report: called with every gap.
        moved: called when there is a position to commit.
        restarted: called with a partition whose log is another one now.
    """

    def __init__(
        self,
        consumer: GroupMember,
        engine: Engine,
        clock: Clock,
        lock: threading.RLock,
        report: Callable[[GapEvent], None],
        moved: Callable[[], None],
        restarted: Callable[[Any], None],
    ) -> None:
        policy = consumer.options.auto_offset_reset
        super().__init__(engine, clock, policy, self._read_from, report, moved, restarted)
        self.assigned_once = False
        self.held = False
        """Whether nothing is to be read at all, because there is too much in work."""
        self._consumer = consumer
        self._lock = lock
        self._changed = threading.Condition(lock)
        self._rereader: Rereader | None = None
        self._stopped = False

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """Find the positions of newly assigned partitions."""
        topics = self._consumer.topics
        counts = {topic: len(self._consumer.partitions_of(topic)) for topic in topics}
        with self._lock:
            for tp in partitions:
                self._park(tp)
            self.begin(partitions, counts, WALL.monotonic())
            self.assigned_once = True
            self._changed.notify_all()

    def revoked(self) -> None:
        """Forget all positions: the group reassigns everything. The lock is held."""
        self.forget()
        self._fill_no_more()
        self._changed.notify_all()

    def lost(self, tp: Partition, wanted: int | None) -> None:
        """Find the position of a partition anew: Kafka has refused `wanted`."""
        with self._lock:
            if self.refuse(tp, wanted, WALL.monotonic()):
                self._consumer.pause([tp])
                self._changed.notify_all()

    def hold(self) -> None:
        """Read nothing for now. The lock is held."""
        self.held = True
        self._consumer.pause(self.pollable())

    def let_go(self) -> None:
        """Read again what is known. The lock is held."""
        self.held = False
        self._consumer.resume(self.pollable())

    def wait_until_known(self, timeout_seconds: float, broken: Callable[[], bool]) -> bool:
        """Wait for the first assignment and its positions; False if that takes too long.

        Windows are waited for too, but that may go on behind the limit.
        """
        with self._lock:
            self._changed.wait_for(
                lambda: broken() or (self.assigned_once and not self.searching), timeout_seconds
            )
            return self.assigned_once and not self.lacking

    def look_again(self) -> None:
        """Have `wait_until_known` ask again whether something is broken."""
        with self._lock:
            self._changed.notify_all()

    def run(self) -> None:
        """Search, whenever there is something to find, until the end."""
        while True:
            with self._lock:
                if self._stopped:
                    return
                now = WALL.monotonic()
                due = self.due(now)
                if not due:
                    next_due_at = self.next_due_at()
                    self._changed.wait(None if next_due_at is None else next_due_at - now)
            for tp, search in due:
                if not self._stopped:
                    self._find(tp, search)

    def stop(self) -> None:
        """End the search."""
        with self._lock:
            self._stopped = True
            self._fill_no_more()
            self._changed.notify_all()

    def _find(self, tp: Partition, search: Search) -> None:
        try:
            settle = self._drive(self.ask(tp, search))
        except UnansweredError as error:
            with self._lock:
                self.failed(tp, search, error, WALL.monotonic())
                self._fill_windows()
            return
        with self._lock:
            self.found(tp, search, settle)
            self.settle_found()
            self._fill_windows()
            self._changed.notify_all()

    def _fill_windows(self) -> None:
        """Begin a warm start, if it is time for one. The lock is held."""
        warm_start = None if self._stopped else self.begin_warm_start()
        if warm_start is not None:
            options = self._consumer.options
            rereader = Rereader(options, lambda: self.wants_warm_start(warm_start))
            self._rereader = rereader
            arguments = (warm_start, rereader)
            threading.Thread(
                target=self._fill, args=arguments, name="data-analysis-warm-start", daemon=True
            ).start()

    def _fill(self, warm_start: WarmStart, rereader: Rereader) -> None:
        try:
            rereader.drive(warm_start.run())
        except BaseException as error:
            if ends_with_process(error):
                raise
            logger.exception("windows are not filled")
        with self._lock:
            self.end_warm_start(warm_start)
            self._fill_windows()
            self._changed.notify_all()

    def _fill_no_more(self) -> None:
        if self._rereader is not None:
            self._rereader.wake()

    def _drive(self, asking: Asking) -> Settle:
        """Answer what a search asks for until it is done."""
        try:
            request = self._step(lambda: next(asking))
            while True:
                try:
                    answer = self._answer(request)
                except CLIENT_ERRORS as error:
                    ours = unanswered(error)
                    request = self._step(lambda ours=ours: asking.throw(ours))  # type: ignore[misc]  # bound now
                else:
                    request = self._step(lambda answer=answer: asking.send(answer))  # type: ignore[misc]  # bound now
        except StopIteration as done:
            settle: Settle = done.value
            return settle

    def _step(self, step: Callable[[], Request]) -> Request:
        """Decisions read the engine."""
        with self._lock:
            return step()

    def _answer(self, request: Request) -> Any:
        tp = request.tp
        if isinstance(request, Committed | CommitNote):
            found = self._consumer.committed(tp)
            if isinstance(request, CommitNote):
                return "" if found is None else found[1]
            return None if found is None else found[0]
        if isinstance(request, LogRange):
            return self._consumer.log_range(tp)
        return self._consumer.first_since(tp, request.timestamp_ms)

    def _park(self, tp: Partition) -> None:
        self._consumer.pause([tp])
        self._consumer.seek(tp, 0)

    def _read_from(self, tp: Partition, offset: int) -> None:
        self._consumer.seek(tp, offset)
        if not self.held:
            self._consumer.resume([tp])
