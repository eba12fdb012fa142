"""Finds the record that explains a callback: the one after which the input is what it should be.

Tried in this order: the next record of each topic; nothing new (handed over twice); one that was
jumped over earlier in this life (out of order); later ones of the same topic (a jump); ones
committed before this life began (handed over twice); and, where the windows themselves are wrong,
whichever record the newest values belong to. A topic whose window was found wrong is *suspect*:
it is reported once, judged by its newest values alone, and trusted again once it is right.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from station_scenarios.checker.comparison import (
    DEEP_EVERY,
    ModuleInput,
    newest_values,
    quality_difference,
    topic_difference,
)
from station_scenarios.checker.naive import NaiveWindow
from station_scenarios.checker.plan import Plan, TopicPlan
from station_scenarios.checker.queues import Part, Queue

TRIED_BLINDLY = 64
"""Farther ahead than this, only records whose values are the input's newest are tried."""

QUALITY = "_data_quality"

Queues = Mapping[str, Queue]


@dataclass(slots=True)
class StationState:
    """What one life should hold of one station."""

    windows: dict[str, NaiveWindow]
    calls: int = 0
    suspect: set[str] = field(default_factory=set)
    last_input: ModuleInput | None = None


class Finding(NamedTuple):
    """The part a callback is for (None: nobody's), and what was wrong with it, if anything."""

    part: Part | None
    invariant: str | None = None
    message: str = ""
    silent: Sequence[Part] = ()
    """Parts that went into the windows before, without a callback, and rightly so."""


class Explainer:
    """Explains callbacks under one plan; states and queues are its caller's."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._topics = {topic.name: topic for topic in plan.topics}

    def new_state(self) -> StationState:
        """Empty windows, as a service has them when it starts (semantics 24)."""
        return StationState(
            {topic.name: NaiveWindow(topic.window_points) for topic in self._plan.topics}
        )

    def explain(self, queues: Queues, state: StationState, given: ModuleInput) -> Finding:
        """Find the part and leave its record in the state's windows."""
        silent = [] if state.calls else self._came_silently(queues, state, given)
        upcoming = _in_send_order(queue.upcoming() for queue in queues.values())
        deep = state.calls % DEEP_EVERY == DEEP_EVERY - 1
        for part in upcoming:
            if self._try(part, state, given, deep=deep):
                finding = Finding(part, silent=silent)
                break
        else:
            finding = self._search(queues, upcoming, state, given)._replace(silent=silent)
        if state.suspect:
            self._trust_again(state, given)
        state.calls += 1
        return finding

    def difference(
        self, state: StationState, given: ModuleInput, *, deep: bool, judged: str = ""
    ) -> tuple[str, str] | None:
        """The first topic (or `_data_quality`) that is wrong and not suspect, and how.

        `judged` is a topic that was looked at already.
        """
        for topic in self._plan.topics:
            if topic.name != judged and topic.name not in state.suspect:
                wrong = topic_difference(topic, state.windows[topic.name], given, deep=deep)
                if wrong:
                    return topic.name, wrong
        if QUALITY not in state.suspect:
            wrong = quality_difference(self._plan, state.windows, given)
            if wrong:
                return QUALITY, wrong
        return None

    def _search(
        self, queues: Queues, upcoming: list[Part], state: StationState, given: ModuleInput
    ) -> Finding:
        return (
            self._nothing_new(state, given)
            or self._came_after_all(queues, state, given)
            or self._jumped(queues, state, given)
            or self._came_again(queues, state, given)
            or self._stale(queues, given)
            or self._wrong(queues, upcoming, state, given)
        )

    def _nothing_new(self, state: StationState, given: ModuleInput) -> Finding | None:
        if state.suspect or not state.calls or self.difference(state, given, deep=True):
            return None
        return Finding(None, "handed-once", "a callback came again with nothing new in its input")

    def _came_after_all(
        self, queues: Queues, state: StationState, given: ModuleInput
    ) -> Finding | None:
        for part in _in_send_order(part for queue in queues.values() for part in queue.skipped):
            if self._try(part, state, given, deep=True):
                return Finding(part, "order", "handed over after a later record of its partition")
        return None

    def _jumped(self, queues: Queues, state: StationState, given: ModuleInput) -> Finding | None:
        for queue in queues.values():
            found = self._jump(queue, state, given, stored_on_the_way=False)
            found = found or self._jump(queue, state, given, stored_on_the_way=True)
            if found:
                return Finding(found)
        return None

    def _jump(
        self, queue: Queue, state: StationState, given: ModuleInput, *, stored_on_the_way: bool
    ) -> Part | None:
        """A later part that fits, with those before it either unseen or stored without a call."""
        first = queue.upcoming()
        if first is None:
            return None
        newest = newest_values(self._topics[queue.topic], given)
        window = state.windows[queue.topic]
        undo = [window.put(first.stamp_ms, first.row)] if stored_on_the_way else []
        for depth, part in enumerate(islice(queue.outstanding(), 1, None)):
            likely = depth < TRIED_BLINDLY or part.row == newest
            if likely and self._try(part, state, given, deep=True):
                return part
            if stored_on_the_way:
                undo.append(window.put(part.stamp_ms, part.row))
        for placement in reversed(undo):
            window.take_back(placement)
        return None

    def _came_again(
        self, queues: Queues, state: StationState, given: ModuleInput
    ) -> Finding | None:
        for queue in queues.values():
            for part in queue.before_this_life():
                if self._try(part, state, given, deep=True):
                    message = "handed over again though it was committed before the restart"
                    return Finding(part, "handed-once", message)
        return None

    def _stale(self, queues: Queues, given: ModuleInput) -> Finding | None:
        """A skipped record, with its input as it was when its turn had been."""
        for queue in queues.values():
            newest = newest_values(self._topics[queue.topic], given) if queue.skipped else ()
            for part in queue.skipped:
                if part.row == newest:
                    message = "handed over after a later record of its partition, with an old input"
                    return Finding(part, "order", message)
        return None

    def _wrong(
        self, queues: Queues, upcoming: list[Part], state: StationState, given: ModuleInput
    ) -> Finding:
        part = self._by_newest_values(queues, upcoming, given)
        if part:
            state.windows[part.topic].put(part.stamp_ms, part.row)
        wrong = self.difference(state, given, deep=True)
        if wrong is None:
            return Finding(part)
        message = wrong[1]
        while wrong is not None:
            state.suspect.add(wrong[0])
            wrong = self.difference(state, given, deep=True)
        return Finding(part, "windows", message if part else f"no record explains it: {message}")

    def _by_newest_values(
        self, queues: Queues, upcoming: list[Part], given: ModuleInput
    ) -> Part | None:
        newest = {name: newest_values(topic, given) for name, topic in self._topics.items()}
        for part in upcoming:
            if part.row == newest[part.topic]:
                return part
        for queue in queues.values():
            for part in queue.outstanding():
                if part.row == newest[part.topic]:
                    return part
        return upcoming[0] if upcoming else None

    def _came_silently(self, queues: Queues, state: StationState, given: ModuleInput) -> list[Part]:
        """Global records the service took in before it knew the station (semantics 14)."""
        taken: list[Part] = []
        for topic in self._plan.topics:
            queue = queues.get(topic.name)
            if not topic.is_global or queue is None:
                continue
            window, count = NaiveWindow(topic.window_points), 0
            parts = list(queue.outstanding())
            while self._topic_difference(topic, window, given) and count < len(parts):
                window.put(parts[count].stamp_ms, parts[count].row)
                count += 1
            if not self._topic_difference(topic, window, given):
                state.windows[topic.name] = window
                taken += parts[:count]
                for part in parts[:count]:
                    queue.take_silently(part)
        return taken

    def _try(self, part: Part, state: StationState, given: ModuleInput, *, deep: bool) -> bool:
        window = state.windows[part.topic]
        placement = window.put(part.stamp_ms, part.row)
        if self._fits(part, state, given, deep=deep or not placement.at_the_end):
            return True
        window.take_back(placement)
        return False

    def _fits(self, part: Part, state: StationState, given: ModuleInput, *, deep: bool) -> bool:
        topic = self._topics[part.topic]
        if part.topic in state.suspect:
            if newest_values(topic, given) != part.row:
                return False
        elif topic_difference(topic, state.windows[part.topic], given, deep=deep):
            return False
        return self.difference(state, given, deep=deep, judged=part.topic) is None

    def _trust_again(self, state: StationState, given: ModuleInput) -> None:
        for topic in self._plan.topics:
            window = state.windows[topic.name]
            if topic.name in state.suspect and not self._topic_difference(topic, window, given):
                state.suspect.discard(topic.name)
        if not quality_difference(self._plan, state.windows, given):
            state.suspect.discard(QUALITY)

    def _topic_difference(
        self, topic: TopicPlan, window: NaiveWindow, given: ModuleInput
    ) -> str | None:
        return topic_difference(topic, window, given, deep=True)


def _in_send_order(parts: Iterable[Part | None]) -> list[Part]:
    return sorted((part for part in parts if part), key=lambda part: part.number)
