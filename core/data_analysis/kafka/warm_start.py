"""Warm start: fills the windows of assigned partitions before these are read.

What was handled before is read once more, up to where reading goes on, into an engine of its own
that calls nobody and commits nothing; its windows are handed over at one instant. How far back is
found out: first as far as a window may be old, then further, until every window is full or nothing
older can be in it. Each record counts as arrived at its own time. Time goes on with the next record
of its partition; where there is none yet, with the newest record of its topic.

Here is what is decided, as a generator of requests. Who asks Kafka is in `async_rereading` and
`sync_rereading`.
"""

import logging
from collections import deque
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import Any

from data_analysis.clock import Clock
from data_analysis.engine import Engine
from data_analysis.handover import MILLISECONDS
from data_analysis.kafka.errors import UnansweredError, lost_position
from data_analysis.kafka.requests import FirstSince, LogRange, Records, Wait, delay_seconds
from data_analysis.record_columns import Record, RecordColumns

logger = logging.getLogger(__name__)

CLIENT_ID = "data-analysis-warm-start"
"""What brokers see of who reads again."""

FETCHING = {"fetch_max_wait_ms": 50, "fetch_min_bytes": 1}
"""How it is read: there is nothing to wait for, and a wait would hold up all that comes next."""

PATIENCE_SECONDS = 300.0
"""How long Kafka may fail to answer until the partitions are read with the windows as they are."""

PROGRESS_SECONDS = 10.0
"""Time between two lines of the log about one topic."""

LASTING_TRIES = 5
"""Tries of what does not look as if it would pass."""

LAST_RECORDS = 32
"""Records whose newest time is taken for the end of what is read: not all come in order."""

MOST_WAITING_RECORDS = 2_000
"""Records of a partition that may wait for older ones of another."""

QUIET_SECONDS = 60.0
"""Time without a record, though the leader answers, after which none is taken to be left: the last
ones may be gone from a compacted log."""

LEAST_GROWTH = 1.5
MARGIN = 1.1
"""How much further back the next pass reaches: what the fullest short window lacks, and more."""

Asking = Generator[Any, Any, Any]


class _Part:
    """A partition of the topic that is being read: the offsets [first, position).

    `resumes_s` is the time, in epoch seconds, at which reading goes on; `behind` says whether there
    is something to read. `held` has records that wait for older ones, each with the newest time so
    far: one that is yet to come, after `now`, is a wrong one.
    """

    def __init__(self, tp: Any, start: int, position: int, now: float) -> None:
        self.tp = tp
        self.start = start
        self.position = position
        self.resumes_s = 0.0
        self.behind = False
        self._now = now
        self.begin(position)

    def begin(self, first: int) -> None:
        self.first = self.next = first
        self.held: deque[_Timed] = deque()
        self.quiet_since: float | None = None
        self.newest_s = -inf

    @property
    def done(self) -> bool:
        return self.next >= self.position

    def take(self, records: Iterable[Record], next_offset: int) -> None:
        if next_offset > self.next:
            self.quiet_since = None
        for record in records:
            if self.next <= record.offset < self.position:
                time_s = -1.0 if record.timestamp is None else record.timestamp / MILLISECONDS
                if self.newest_s < time_s <= self._now and time_s >= 0:
                    self.newest_s = time_s
                self.held.append((self.newest_s, self, record))
        self.next = max(self.next, next_offset)

    def arrival(self, time_s: float) -> float:
        """Return when what was written at a time came: at `resumes_s` is now."""
        return self._now if time_s == -inf else self._now - max(0.0, self.resumes_s - time_s)


_Timed = tuple[float, _Part, Record]


class WarmStart:
    """Fills windows, topic by topic.

    Args:
        engine: whose windows they are.
        clock: tells how old they are, and how long Kafka has not answered.
        positions: of the partitions whose windows are to be filled.
        waiting: all partitions that are not read until that is done.
    """

    def __init__(
        self, engine: Engine, clock: Clock, positions: Mapping[Any, int], waiting: Collection[Any]
    ) -> None:
        self.waiting = waiting
        self.told = "warm start: windows are being filled"
        """How far it has come, in one line."""
        self._engine = engine
        self._clock = clock
        self._positions = positions
        self._blank = engine.apart()
        self._filled: list[Engine] = []
        self._began_at = clock.time()
        self._unanswered_since: float | None = None
        self._next_line_at = 0.0

    def run(self) -> Asking:
        """Read everything that is to be read; what cannot be is said in the log."""
        for topic, tps in groupby(sorted(self._positions), lambda tp: tp[0]):
            self._next_line_at = self._clock.monotonic() + PROGRESS_SECONDS
            try:
                filled = yield from self._fill(topic, list(tps))
            except UnansweredError as error:
                logger.error("warm start: windows of %s are not filled: %s", topic, error)
            else:
                self._filled += [] if filled is None else [filled]

    def hand_over(self) -> None:
        """Put what was read into the windows; partitions are at their positions."""
        now = self._clock.time()
        for filled in self._filled:
            self._engine.adopt(filled, now, now - self._began_at)

    def _fill(self, topic: str, tps: Sequence[Any]) -> Asking:
        """Return an engine with the topic's windows, None if there is nothing to read."""
        parts: list[_Part] = []
        for tp in tps:
            start, end = yield from self._ask(LogRange(tp))
            # Beyond the end is another log than the one that was read.
            if start < self._positions[tp] <= end:
                part = _Part(tp, start, self._positions[tp], self._began_at)
                yield from self._date(part, end)
                parts.append(part)
        if not parts:
            return None
        newest_s = max(part.resumes_s for part in parts)
        for part in parts:
            if not part.behind:
                part.resumes_s = newest_s
        limit_s = span_s = self._blank.dispatcher.feed(topic).limit_s
        while True:
            for part in parts:
                part.begin((yield from self._first_offset(part, span_s)))
            filled = yield from self._read(topic, parts)
            growth = _growth(filled, topic, parts, span_s, limit_s)
            if growth is None or all(part.first == part.start for part in parts):
                self._say_filled(topic, parts, filled)
                return filled
            span_s *= growth

    def _date(self, part: _Part, end: int) -> Asking:
        """Find the time at which reading goes on: of the next record, or of the last one."""
        last_s = yield from self._last_time_s(part)
        next_s = -inf
        if part.position < end:
            following = _Part(part.tp, part.position, end, self._began_at)
            following.begin(part.position)
            answer = yield from self._ask(Records({part.tp: part.position}))
            following.take(*answer[part.tp])
            next_s = following.held[0][0] if following.held else -inf
        part.behind = next_s > -inf
        part.resumes_s = max(last_s, next_s) if last_s > -inf else self._began_at

    def _last_time_s(self, part: _Part) -> Asking:
        """Return the newest time of the last records before the position."""
        back = LAST_RECORDS
        while True:
            part.begin(max(part.start, part.position - back))
            while not part.done:
                yield from self._fetch([part])
                part.held.clear()
            if part.newest_s > -inf or part.first == part.start:
                return part.newest_s
            back *= LAST_RECORDS

    def _first_offset(self, part: _Part, span_s: float) -> Asking:
        """Return where what came in the last `span_s` seconds begins."""
        since_ms = (part.resumes_s - span_s) * MILLISECONDS
        if since_ms <= 0:
            return part.start
        found = yield from self._ask(FirstSince(part.tp, int(since_ms)))
        first = part.position if found is None else found[0]
        return min(max(part.start, first), part.position)

    # One pass.

    def _read(self, topic: str, parts: Sequence[_Part]) -> Asking:
        """Return an engine that was given all records in the order of their times."""
        filled = self._blank.apart()
        for part in parts:
            filled.assigned(part.tp, part.first, None)
        while True:
            while any(not part.held and not part.done for part in parts):
                wanted = [each for each in parts if len(each.held) < MOST_WAITING_RECORDS]
                yield from self._fetch([each for each in wanted if not each.done])
                self._say_how_far(topic, parts)
            timed = _oldest(parts)
            if not timed:
                return filled
            for (now, tp), some in groupby(
                timed, lambda each: (each[1].arrival(each[0]), each[1].tp)
            ):
                filled.received([(tp, RecordColumns.of([each for _, _, each in some]))], now)

    def _fetch(self, parts: Sequence[_Part]) -> Asking:
        """Read on in some of these partitions, or wait."""
        try:
            answer = yield from self._ask(Records({part.tp: part.next for part in parts}))
        except _OutOfRangeError:
            for part in parts:
                start, _ = yield from self._ask(LogRange(part.tp))
                part.take((), max(start, part.next))
            return
        now = self._clock.monotonic()
        for part in parts:
            part.take(*answer[part.tp])
            if part.quiet_since is None:
                part.quiet_since = now
            elif now - part.quiet_since > QUIET_SECONDS and not part.done:
                yield from self._look_whether_all_was_read(part)

    def _look_whether_all_was_read(self, part: _Part) -> Asking:
        """Take the rest of a partition for gone, if its leader is there at once."""
        part.quiet_since = None
        yield from self._ask(LogRange(part.tp))
        if self._unanswered_since is None:
            logger.warning(
                "warm start: nothing comes of %s partition %d from %d to before %d",
                *part.tp,
                part.next,
                part.position,
            )
            part.next = part.position

    def _ask(self, request: Any) -> Asking:
        """Ask until there is an answer, within a limit.

        Raises:
            UnansweredError: Kafka has not answered for too long, or refuses to.
        """
        failures = 0
        while True:
            try:
                answer = yield request
            except UnansweredError as error:
                now = self._clock.monotonic()
                if self._unanswered_since is None:
                    self._unanswered_since = now
                late = now - self._unanswered_since > PATIENCE_SECONDS
                out_of_range = _is_out_of_range(error)
                failures += 1
                lasting = not (error.passing or out_of_range) and failures >= LASTING_TRIES
                if late or lasting:
                    raise
                yield Wait(delay_seconds(failures))
                if out_of_range:
                    raise _OutOfRangeError from error
            else:
                if not isinstance(request, LogRange):
                    self._unanswered_since = None
                return answer

    # What is told.

    def _say_how_far(self, topic: str, parts: Sequence[_Part]) -> None:
        wanted = sum(part.position - part.first for part in parts)
        done = sum(min(part.next, part.position) - part.first for part in parts)
        self.told = f"warm start: {topic}, {done} of {wanted} offsets read again"
        if self._clock.monotonic() >= self._next_line_at:
            self._next_line_at = self._clock.monotonic() + PROGRESS_SECONDS
            logger.info("warm start: %s, %d of %d offsets read again", topic, done, wanted)

    def _say_filled(self, topic: str, parts: Sequence[_Part], filled: Engine) -> None:
        records = filled.counters.records_received
        stations = len(filled.dispatcher.station_ids())
        logger.info(
            "warm start: %s has the windows of %d stations, from %d records of %d partitions",
            topic,
            stations,
            records,
            len(parts),
        )


class _OutOfRangeError(Exception):
    """Retention has passed the offset that was asked for."""


def _is_out_of_range(error: UnansweredError) -> bool:
    cause = error.__cause__
    return cause is not None and lost_position(cause) is not None


def _oldest(parts: Sequence[_Part]) -> list[_Timed]:
    """Take the records before which no others will come, in the order of their times.

    Every partition that is not done holds some.
    """
    known_s = min((part.held[-1][0] for part in parts if not part.done), default=inf)
    oldest: list[_Timed] = []
    for part in parts:
        held = part.held
        while held and held[0][0] <= known_s:
            oldest.append(held.popleft())
    oldest.sort(key=itemgetter(0))
    return oldest


def _growth(
    filled: Engine, topic: str, parts: Sequence[_Part], span_s: float, limit_s: float
) -> float | None:
    """Return how many times further back to look, None where nothing older matters.

    A window that is not full has all it may have if nothing came before its oldest point for so
    long that it would have expired.
    """
    lacks = []
    for part in parts:
        settled_s = part.resumes_s - span_s + limit_s
        for station_id in filled.fed(part.tp):
            short = filled.dispatcher.shortage(station_id, topic)
            if short is not None and short.oldest_s <= settled_s:
                lacks.append(short.size / short.count)
    return max(LEAST_GROWTH, MARGIN * min(lacks)) if lacks else None
