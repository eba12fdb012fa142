"""The checker: told what was sent and what the service did, it says what must not have happened.

While the run goes on it explains every callback (`explaining.py`). At the end it judges what only
the end can tell: records left behind and gaps (`left_behind.py`), uploads, commits. It shares no
code with the library (semantics 46). The lives of the service under test do not overlap.
"""

from collections.abc import Iterable, Mapping

from station_scenarios.checker.commits import CommitSeen, judge_commits
from station_scenarios.checker.comparison import ModuleInput, newest_values
from station_scenarios.checker.explaining import Explainer, Finding, StationState
from station_scenarios.checker.gaps import CutHead, DeclaredGap
from station_scenarios.checker.left_behind import judge_left_behind
from station_scenarios.checker.payloads import EVERYONE, split
from station_scenarios.checker.plan import Plan
from station_scenarios.checker.queues import Part, Queue, SentRecord
from station_scenarios.checker.uploads import UploadsJudge
from station_scenarios.checker.violations import Violation, Violations
from station_scenarios.checker.work import Calls, Life, Parts

Committed = Mapping[tuple[str, int], int]
"""Committed offsets by (topic, partition)."""


class Checker:
    """Holds one service, through all its lives, against one ledger.

    All times are epoch seconds of one clock; they order evidence and appear in violations.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.violations = Violations()
        self.records_sent = 0
        self.parts = Parts()
        self.calls = Calls()
        self.lives: list[Life] = []
        self.gaps: list[DeclaredGap] = []
        self.cuts: list[CutHead] = []
        self._explainer = Explainer(plan)
        self._topics = {topic.name: topic for topic in plan.topics}
        self._globals = {topic.name for topic in plan.topics if topic.is_global}
        self._stations: dict[str, dict[str, Queue]] = {}
        self._for_everyone: list[tuple[SentRecord, dict[str, object], bool]] = []
        self._states: dict[str, StationState] = {}

    # What the world did

    def sent(self, record: SentRecord) -> None:
        """A record was handed to the producer; to be told in that order."""
        if record.topic not in self._topics:
            return
        self.records_sent += 1
        for station, payload in split(record.topic, record.wire):
            if station == EVERYONE:
                self._sent_to_everyone(record, payload)
            else:
                self._append(station, record, payload, repeats=False)

    def cut(self, cut: CutHead) -> None:
        """The story took the head of a log away."""
        self.cuts.append(cut)

    # What the service did

    def begins(self, committed: Committed) -> None:
        """A life of the service begins, going on from these offsets, with empty windows."""
        known = self.lives[-1].stations if self.lives else set()
        for station, queues in self._stations.items():
            for queue in queues.values():
                if queue.topic in self._globals and station not in known:
                    self._nobody_was_there(queue, committed)
                queue.rewind(committed)
        self.lives.append(Life(len(self.lives) + 1, dict(committed), dict(committed)))
        self._states.clear()

    def ends(self, *, crashed: bool = False) -> None:
        """The life is over; `crashed`: without a word, so work in flight may be lost."""
        self.lives[-1].crashed = crashed
        for station, state in self._states.items():
            self._look_once_more(station, state)
        self._states.clear()

    def called(self, station: str, given: ModuleInput, at_s: float) -> tuple[int, str | None]:
        """A callback was entered with this input; answers its number and the topic it was for."""
        life = self.lives[-1]
        queues = self._stations.get(station, {})
        state = self._states.get(station)
        if state is None:
            state = self._states[station] = self._explainer.new_state()
        life.stations.add(station)
        finding = self._explainer.explain(queues, state, given)
        state.last_input = given
        if finding.invariant is not None:
            self._report(finding, station, at_s)
        for each in finding.silent:
            self.parts.optional[each.number] = 1
        part = finding.part
        if part is not None:
            self.parts.handed[part.number] = 1
            queue = queues[part.topic]
            queue.hand(part)
            queue.prune(life.committed)
        number = -1 if part is None else part.number
        call = self.calls.entered(number, life.number, station, at_s)
        return call, None if finding.invariant or part is None else part.topic

    def newest(self, topic: str | None, given: ModuleInput) -> object:
        """The newest values of a topic in an input; without a topic, all that is no window.

        What else an input holds was equal to what the checker expected, when it named the topic.
        """
        if topic is not None:
            return newest_values(self._topics[topic], given)
        return sorted((key, value) for key, value in given.items() if not key.endswith("_window"))

    def returned(self, call: int, at_s: float) -> None:
        """The callback with this number returned its result to the service."""
        self.calls.returned_at_s[call] = at_s

    def gap(
        self, cause: str, topic: str, partition: int, offsets: range, at_s: float
    ) -> DeclaredGap:
        """The service declared records lost."""
        began_at = self.lives[-1].began_at.get((topic, partition), 0)
        gap = DeclaredGap(cause, topic, partition, offsets.start, offsets.stop, at_s, began_at)
        self.gaps.append(gap)
        return gap

    def committed(self, topic: str, partition: int, offset: int) -> None:
        """A commit was seen; only memory is spared by it, it is judged at the end."""
        if self.lives:
            self.lives[-1].committed[topic, partition] = offset

    # At the end

    def uploads_judge(self, output_topic: str) -> UploadsJudge:
        """Reads the output topic, once the last life has ended; `judge` takes it back."""
        return UploadsJudge(self.calls, self.plan.module, output_topic)

    def judge(
        self,
        uploads: UploadsJudge,
        commits: Iterable[CommitSeen],
        at_s: float,
        *,
        clock_skew_s: float = 0.0,
    ) -> None:
        """Judge what only the end can tell; `commits` are all that were seen.

        `clock_skew_s`: how far the clock that stamped uploads may be from the one of the commits.
        """
        global_topics = frozenset(self._globals)
        finished_at_s = uploads.finished_at_s(self.lives)
        for violation in (
            *judge_left_behind(self.parts, global_topics, self.lives, self.cuts, self.gaps, at_s),
            *uploads.violations,
            *uploads.missing(self.lives, at_s),
            *judge_commits(commits, self.parts, self.calls, finished_at_s, clock_skew_s),
        ):
            self.violations.add(violation)

    # Inside

    def _sent_to_everyone(self, record: SentRecord, payload: dict[str, object]) -> None:
        repeats = any(
            earlier.topic == record.topic and values == payload
            for earlier, values, _ in self._for_everyone[-1:]
        )
        self._for_everyone.append((record, payload, repeats))
        for station in self._stations:
            self._append(station, record, payload, repeats=repeats)

    def _append(
        self, station: str, record: SentRecord, payload: Mapping[str, object], *, repeats: bool
    ) -> None:
        queues = self._stations.get(station)
        if queues is None:
            queues = self._stations[station] = {name: Queue(name) for name in self._topics}
            for earlier, values, repeated in self._for_everyone:
                self._append(station, earlier, values, repeats=repeated)
        row = self._topics[record.topic].row(payload)
        number = self.parts.added(record, station, optional=repeats)
        queues[record.topic].append(Part(number, record, row))

    def _nobody_was_there(self, queue: Iterable[Part], committed: Committed) -> None:
        """Global records that were taken in while the station was unknown call nobody for it."""
        for part in queue:
            if not self.parts.handed[part.number] and part.is_below(committed):
                self.parts.optional[part.number] = 1

    def _look_once_more(self, station: str, state: StationState) -> None:
        """The whole windows of the last input: it was compared in its newest points only."""
        assert state.last_input is not None
        wrong = self._explainer.difference(state, state.last_input, deep=True)
        if wrong:
            self._report(Finding(None, "windows", wrong[1]), station, self.calls.called_at_s[-1])

    def _report(self, finding: Finding, station: str, at_s: float) -> None:
        assert finding.invariant is not None
        record = finding.part.record if finding.part else None
        self.violations.add(
            Violation(
                finding.invariant,
                f"{station}: {finding.message}",
                at_s,
                station=station,
                topic=record.topic if record else None,
                partition=record.partition if record else None,
                offset=record.offset if record else None,
            )
        )
