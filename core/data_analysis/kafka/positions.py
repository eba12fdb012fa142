"""Where each partition is read from: the committed offset, or what is left when that is lost.

The clients run without a reset policy; they report a lost position until a seek. One partition at a
time, its start and end are asked of its leader before anything is moved, and what was lost becomes
a `GapEvent`. A partition that cannot be answered for waits for its next try.

Here is what is decided, without I/O and without waiting: a search is a generator that yields
requests, is sent their answers (or thrown `UnansweredError`) and returns what settles the position.
Who asks Kafka is in `async_positions` and `sync_positions`.
"""

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data_analysis.clock import Clock
from data_analysis.engine import Engine
from data_analysis.gaps import GapCause, GapEvent, read_commit_note
from data_analysis.handover import MILLISECONDS
from data_analysis.kafka.errors import UnansweredError
from data_analysis.kafka.requests import (
    CommitNote,
    Committed,
    FirstSince,
    LogRange,
    Request,
    delay_seconds,
)
from data_analysis.kafka.warm_start import WarmStart

logger = logging.getLogger(__name__)

DATING_TRIES = 3
"""How often a search may fail over the time span of a gap, which is only an estimate."""

SWEEP_SECONDS = 1.0
"""Longest that a position which was found waits for others before it is settled."""


@dataclass(frozen=True, slots=True)
class Settle:
    """What settles a position that was found.

    `position` is given where a partition was assigned: its windows may be behind it.
    """

    go: Callable[[], None]
    position: int | None = None


Asking = Generator[Request, Any, Settle]


@dataclass(slots=True)
class Search:
    """A partition whose position is to be found; `wanted` is the offset that was refused.

    `due_at` is the time of the next try, by the clock of whoever asks.
    """

    wanted: int | None
    due_at: float
    failures: int = 0


class Positions:
    """Which positions are known, which are searched for, and how a search goes.

    Args:
        engine: told of positions and gaps.
        clock: for the time of detection.
        policy: the user's `auto_offset_reset`.
        seek: reads a partition from an offset on.
        report: called with every gap.
        moved: called when there is a position to commit.
        restarted: called with a partition whose log is another one now.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        policy: str,
        seek: Callable[[Any, int], None],
        report: Callable[[GapEvent], None],
        moved: Callable[[], None],
        restarted: Callable[[Any], None],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._policy = policy
        self._seek = seek
        self._report = report
        self._moved = moved
        self._restarted = restarted
        self._searches: dict[Any, Search] = {}
        self._known: dict[Any, None] = {}
        self._refusals: dict[Any, tuple[int | None, int]] = {}
        self._at_start: dict[str, int] = {}
        self._committed_before: dict[Any, int] = {}
        self._found: list[tuple[Any, Search, Settle]] = []
        self._cold: dict[Any, tuple[Search, Settle]] = {}
        self._warm_start: WarmStart | None = None

    @property
    def searching(self) -> list[Any]:
        """The partitions whose position is not known, sorted."""
        return sorted(self._searches)

    @property
    def refused(self) -> list[Any]:
        """Those of them whose offset Kafka has refused, sorted."""
        return sorted(tp for tp, search in self._searches.items() if search.wanted is not None)

    def pollable(self) -> list[Any]:
        """Return the partitions whose position is known, sorted."""
        return sorted(self._known)

    @property
    def lacking(self) -> list[Any]:
        """Those that are searched for and do not only wait for their windows to be filled."""
        return [tp for tp in self.searching if tp not in self._cold]

    def trouble(self) -> list[str]:
        """Return what keeps partitions from being read, one line each."""
        trouble = [] if self._warm_start is None else [self._warm_start.told]
        return trouble + [
            f"position of {topic} partition {partition} is not known"
            for topic, partition in self.lacking
        ]

    # What happens to partitions; `now` is by the clock of whoever asks.

    def begin(self, partitions: Sequence[Any], counts: Mapping[str, int], now: float) -> None:
        """Search for newly assigned partitions; `counts` says how many each topic has."""
        # Partitions beyond the first counts have appeared later, whoever gets them.
        for topic, count in counts.items():
            self._at_start.setdefault(topic, count)
        for tp in sorted(partitions):
            self._searches[tp] = Search(None, now)

    def forget(self) -> None:
        """Forget all positions: the group reassigns everything."""
        for tp in self._known:
            committed = self._engine.offsets.committed(tp)
            if committed is not None:
                self._committed_before[tp] = committed
        self._searches.clear()
        self._found.clear()
        self._cold.clear()
        self._warm_start = None
        self._known.clear()
        self._refusals.clear()

    def refuse(self, tp: Any, wanted: int | None, now: float) -> bool:
        """Search anew for a partition: Kafka has refused `wanted`; False if that is known."""
        if tp not in self._known:
            return False
        del self._known[tp]
        before, times = self._refusals.get(tp, (None, 0))
        times = times + 1 if before == wanted else 0
        self._refusals[tp] = (wanted, times)
        self._searches[tp] = Search(wanted, now + delay_seconds(times))
        return True

    # How the searches go on.

    def due(self, now: float) -> list[tuple[Any, Search]]:
        """Return what is to be tried now, in the order of the partitions."""
        return [(tp, self._searches[tp]) for tp in self.lacking if self._searches[tp].due_at <= now]

    def next_due_at(self) -> float | None:
        """Return when something is to be tried next, None with nothing to find."""
        return min((self._searches[tp].due_at for tp in self.lacking), default=None)

    def wants(self, tp: Any, search: Search) -> bool:
        """Return whether this search is still the one for its partition."""
        return self._searches.get(tp) is search

    def ask(self, tp: Any, search: Search) -> Asking:
        """Return one try as a generator of requests."""
        if search.wanted is None:
            return self._begin(tp)
        return self._recover(tp, search, search.wanted)

    def failed(self, tp: Any, search: Search, error: UnansweredError, now: float) -> None:
        """A try was not answered: the next one waits."""
        search.failures += 1
        wait_seconds = delay_seconds(search.failures)
        search.due_at = now + wait_seconds
        if self.wants(tp, search):
            logger.warning(
                "position of %s partition %d not found, next try in %g s: %s",
                *tp,
                wait_seconds,
                error,
            )

    def found(self, tp: Any, search: Search, settle: Settle) -> None:
        """A try has an answer, to be settled with others."""
        self._found.append((tp, search, settle))

    def settle_found(self) -> None:
        """Settle all that was found and is still wanted, once the windows are filled."""
        found, self._found = self._found, []
        wanted = {tp: (search, settle) for tp, search, settle in found if self.wants(tp, search)}
        if self._cold or any(self._is_cold(tp, settle) for tp, (_, settle) in wanted.items()):
            # A callback sees the windows of all topics: none is read before all are filled.
            self._cold.update(wanted)
        else:
            for _, settle in wanted.values():
                settle.go()

    # Windows that are filled first.

    def begin_warm_start(self) -> WarmStart | None:
        """Return what fills windows, if there are any to fill and no position is to come first."""
        untried = any(not self._searches[tp].failures for tp in self.lacking)
        if untried or not self._cold or self._warm_start is not None:
            return None
        waiting = dict(self._cold)
        positions = {
            tp: settle.position
            for tp, (_, settle) in waiting.items()
            if settle.position is not None and self._is_cold(tp, settle)
        }
        self._warm_start = WarmStart(self._engine, self._clock, positions, list(waiting))
        return self._warm_start

    def wants_warm_start(self, warm_start: WarmStart) -> bool:
        """Return whether this is still what fills the windows."""
        return self._warm_start is warm_start

    def end_warm_start(self, warm_start: WarmStart) -> None:
        """Read what has waited for it, unless the group has reassigned everything meanwhile."""
        if self._warm_start is not warm_start:
            return
        self._warm_start = None
        for tp in warm_start.waiting:
            search, settle = self._cold.pop(tp)
            if self.wants(tp, search):
                settle.go()
        warm_start.hand_over()

    def _is_cold(self, tp: Any, settle: Settle) -> bool:
        return (
            self._engine.warm_start
            and settle.position is not None
            and not self._engine.reflects(tp, settle.position)
        )

    # One try.

    def _begin(self, tp: Any) -> Asking:
        """Settle a partition that was assigned."""
        committed = yield Committed(tp)
        if committed is not None:
            return Settle(lambda: self._go_on(tp, committed), committed)
        start, end = yield LogRange(tp)
        appeared = tp[1] >= self._at_start[tp[0]]
        position = start if appeared or self._policy == "earliest" else end

        def settle() -> None:
            before = self._committed_before.get(tp)
            first_lost = start if before is None or not start <= before <= position else before
            self._go_on(tp, position)
            self._engine.moved(tp, first_lost, position)
            if first_lost < position or before is not None:
                self._declare(GapCause.NO_COMMITTED_OFFSET, tp, first_lost, position, None)
            self._moved()

        return Settle(settle, position)

    def _recover(self, tp: Any, search: Search, wanted: int) -> Asking:
        """Settle a partition whose position Kafka has refused."""
        start, end = yield LogRange(tp)
        if start <= wanted <= end:
            return Settle(lambda: self._settle(tp, wanted))
        position = start if self._policy == "earliest" else end
        last_ms, span_seconds = yield from self._date(tp, search, position < end)

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

        return Settle(settle)

    def _date(
        self, tp: Any, search: Search, has_records: bool
    ) -> Generator[Request, Any, tuple[int | None, float | None]]:
        """Return the time of the last record before a gap, and how long the gap is in seconds."""
        last_ms = self._engine.offsets.last_record_ms(tp)
        try:
            if last_ms is None:
                last_ms = read_commit_note((yield CommitNote(tp)))
            if last_ms is None:
                return None, None
            first = (yield FirstSince(tp, max(0, last_ms + 1))) if has_records else None
        except UnansweredError as error:
            if error.passing and search.failures < DATING_TRIES:
                raise
            logger.warning("a gap cannot be dated: %s", error)
            return last_ms, None
        first_ms = int(self._clock.time() * MILLISECONDS) if first is None else first[1]
        return last_ms, max(0, first_ms - last_ms) / MILLISECONDS

    # What settles.

    def _declare(
        self, cause: GapCause, tp: Any, start: int, end: int, span_seconds: float | None
    ) -> None:
        gap = GapEvent(cause, tp[0], tp[1], start, end, span_seconds, self._clock.time())
        self._engine.declared(gap)
        self._report(gap)

    def _go_on(self, tp: Any, position: int) -> None:
        self._settle(tp, position)
        self._engine.assigned(tp, position, None)

    def _settle(self, tp: Any, position: int) -> None:
        """Read from here. What was fetched before the position was known is fetched again."""
        self._seek(tp, position)
        del self._searches[tp]
        self._known[tp] = None
