"""Points that go straight: what is called and sent is as if every callback had taken its turn."""

import copy
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_analysis import DataDispatcher, OffsetManager
from data_analysis.effects import (
    AwaitAnswer,
    Effect,
    Note,
    Pending,
    Raised,
    Results,
    RunCallback,
    Upload,
)
from data_analysis.engine import Engine
from data_analysis.engine_options import EngineOptions
from data_analysis.handover import CALLS_AT_ONCE, SECONDS_AT_ONCE
from data_analysis.record_columns import runs_of
from tests.core.test_engine import Clock, Record

TOPIC = {"fields": ["stationId", "n", "x"], "modules": ["m"], "window_size": 3}
CONFIG = SimpleNamespace(
    TOPIC_DETAIL={
        "T": TOPIC,
        "LONG": {**TOPIC, "fields": ["stationId", "y"], "window_size": 40},
        "ONE": {**TOPIC, "fields": ["stationId", "z"], "window_size": 1},
    },
    MODULE_DEPENDENCIES={},
)

VALUES = st.sampled_from([0.5, 1, None, "text", [1, 2], {"a": 1}])
ITEMS = st.fixed_dictionaries(
    {"stationId": st.sampled_from(["A", "B", "raises", "waits", "odd", "", "gone"])},
    optional={"n": VALUES, "x": VALUES, "y": VALUES, "z": VALUES},
)
VALUE = st.one_of(ITEMS, st.lists(ITEMS, min_size=1, max_size=4), st.just("no object"))
RECORDS = st.lists(
    st.tuples(st.sampled_from(["T", "LONG", "ONE"]), st.integers(-1, 4), VALUE), max_size=25
)


class Side:
    """One engine, and a shell that calls back at once, or whenever it likes."""

    def __init__(self, straight: bool, **options: Any) -> None:
        clock = Clock()
        self.engine = Engine(
            DataDispatcher(config=CONFIG, clock=clock),
            OffsetManager(clock=clock),
            EngineOptions(**{"module_name": "m", "output_topic": "OUT", **options}),
        )
        self.engine.call(all_stations=True, handlers=False)
        for topic in CONFIG.TOPIC_DETAIL:
            self.engine.assigned((topic, 0), 0, None)
        self.engine.remove_station("gone")
        self.calls: dict[str, list[Any]] = {}
        self.sent: dict[bytes, list[Upload]] = {}
        self._straight = straight
        self._next: dict[str, int] = {}

    def answer(self, station_id: str, shown: dict[str, Any]) -> Any:
        self.calls.setdefault(station_id, []).append(copy.deepcopy(shown))
        number = len(self.calls[station_id])
        shown["n"] = "edited"
        for value in shown.values():
            if isinstance(value, list):
                value.append("edited")
        if station_id == "raises" and number % 2:
            return Raised(ValueError("no"))
        if station_id == "waits" and number % 2:
            return Pending({"number": number}, 0.0)
        if station_id == "odd" and number % 3 == 0:
            return object()
        return None if number % 4 == 0 else {"number": number}

    def feed(self, records: list[tuple[str, int, Any]]) -> None:
        made = []
        for topic, time_s, value in records:
            offset = self._next.get(topic, 0)
            self._next[topic] = offset + 1
            made.append(Record(topic, 0, offset, time_s * 1000, None, json.dumps(value).encode()))
        self.engine.taken(runs_of(made))
        call = self.answer if self._straight else None
        self._do(self.engine.received(runs_of(made), 9.0, call))
        while self.engine.has_gathered:
            self._do(self.engine.go_on(9.0, call))

    def _do(self, waiting: list[Effect]) -> None:
        while waiting:
            effect = waiting.pop(0)
            if isinstance(effect, RunCallback):
                work = effect.work
                answer = self.answer(work.station_id, work.show("list"))
                if isinstance(answer, Raised):
                    waiting += self.engine.failed(work, answer.error)
                else:
                    result = answer.answer if isinstance(answer, Pending) else answer
                    waiting += self.engine.finished(work, result, 9.0)
            elif isinstance(effect, AwaitAnswer):
                waiting += self.engine.finished(effect.work, effect.pending.answer, 9.0)
            elif isinstance(effect, Results):
                waiting[:0] = effect.uploads()
            elif isinstance(effect, Upload):
                self.sent.setdefault(effect.key, []).append(effect)

    def settle(self, error: str | None = None) -> None:
        """Have Kafka acknowledge, or refuse, whatever was sent."""
        sent, self.sent = self.sent, {}
        for uploads in sent.values():
            for upload in uploads:
                self._do(self.engine.acknowledged(upload.ticket, 9.0, error))

    def values(self) -> dict[bytes, list[bytes]]:
        return {key: [upload.value for upload in self.sent[key]] for key in sorted(self.sent)}


@given(
    st.lists(RECORDS, max_size=4),
    st.booleans(),
    st.sampled_from([None, "too large"]),
    st.integers(1, 2),
    st.booleans(),
)
def test_it_brings_about_what_turns_bring_about(
    polls: list[Any], uploads: bool, error: str | None, tries: int, coalesce: bool
) -> None:
    options: dict[str, Any] = {"callback_tries": tries, "dead_letter_topic": "DEAD"}
    options["coalesce"] = coalesce
    if not uploads:
        options["output_topic"] = None
    straight, turns = Side(True, **options), Side(False, **options)
    for records in polls:
        for side in (straight, turns):
            side.feed(records)
        assert turns.calls == straight.calls
        assert turns.values() == straight.values()
        for side in (straight, turns):
            side.settle(error)
            side.settle()
    assert turns.engine.counters.shown() == straight.engine.counters.shown()
    assert turns.engine.offsets.committable() == straight.engine.offsets.committable()
    assert (0, 0) == (straight.engine.in_flight, turns.engine.in_flight)
    assert straight.engine.idle
    for station_id in turns.engine.dispatcher.station_ids():
        inputs = [side.engine.dispatcher.get_all_inputs(station_id) for side in (turns, straight)]
        assert inputs[0] == inputs[1]


def test_nothing_is_done_before_its_result_is_acknowledged() -> None:
    side = Side(True)
    side.feed([("T", 1, {"stationId": "A", "n": 1}), ("T", 2, [{"stationId": "A"}] * 2)])
    assert {} == side.engine.offsets.committable()
    side.settle()
    assert {("T", 0): 2} == side.engine.offsets.committable()


def test_more_callbacks_than_others_should_wait_for_take_turns() -> None:
    side = Side(True)
    items = [{"stationId": f"S{number}", "n": 1} for number in range(CALLS_AT_ONCE + 5)]
    record = Record("T", 0, 0, 0, None, json.dumps(items).encode())
    side.engine.taken(runs_of([record]))
    effects = side.engine.received(runs_of([record]), 9.0, side.answer)
    results, *others = effects
    assert isinstance(results, Results)
    assert CALLS_AT_ONCE == len(results.origins)
    assert [RunCallback] * 5 == [type(effect) for effect in others]
    assert len(items) == side.engine.asked


def test_no_more_are_called_at_once_than_others_may_wait_for() -> None:
    side = Side(True)
    takes_s = 0.4 * SECONDS_AT_ONCE

    def slow(station_id: str, shown: dict[str, Any]) -> Any:
        side.engine.callback_durations.held_seconds += takes_s
        return side.answer(station_id, shown)

    items = [{"stationId": f"S{number}", "n": 1} for number in range(9)]
    record = Record("T", 0, 0, 0, None, json.dumps(items).encode())
    side.engine.taken(runs_of([record]))
    results, *others = side.engine.received(runs_of([record]), 9.0, slow)
    assert isinstance(results, Results)
    assert 3 == len(results.origins)
    assert [RunCallback] * 6 == [type(effect) for effect in others]


def test_no_more_of_what_is_gathered_is_called_for_than_others_may_wait_for() -> None:
    side = Side(True, coalesce=True, output_topic=None)

    def slow(station_id: str, shown: dict[str, Any]) -> Any:
        side.engine.callback_durations.held_seconds += SECONDS_AT_ONCE
        return side.answer(station_id, shown)

    records = [
        Record("T", 0, at, 1000, None, b'{"stationId": "S%d", "n": 1}' % at) for at in range(5)
    ]
    side.engine.taken(runs_of(records))
    assert [] == side.engine.received(runs_of(records), 9.0, slow)
    assert 2 == len(side.calls)
    for expected in (4, 5):
        assert side.engine.has_gathered
        side.engine.go_on(9.0, slow)
        assert expected == len(side.calls)
    assert not side.engine.has_gathered


def many(side: Side, stations: int) -> list[Effect]:
    """Have a poll of one record for each of so many stations received."""
    records = [
        Record("T", 0, at, 1000, None, b'{"stationId": "S%d", "n": 1}' % at)
        for at in range(stations)
    ]
    side.engine.taken(runs_of(records))
    return side.engine.received(runs_of(records), 9.0, side.answer)


def test_what_a_poll_has_gathered_is_called_for_some_at_a_time() -> None:
    side = Side(True, coalesce=True, output_topic=None)
    assert [] == many(side, CALLS_AT_ONCE + 5)
    assert CALLS_AT_ONCE == len(side.calls)
    engine = side.engine
    assert engine.has_gathered
    assert not engine.idle
    next_one = f"S{CALLS_AT_ONCE}"
    assert (next_one in side.calls, engine.works_for(next_one)) == (False, True)
    assert {("T", 0): CALLS_AT_ONCE} == engine.offsets.committable()
    assert [] == engine.go_on(9.0, side.answer)
    assert (CALLS_AT_ONCE + 5, False, True) == (len(side.calls), engine.has_gathered, engine.idle)
    assert {("T", 0): CALLS_AT_ONCE + 5} == engine.offsets.committable()


def test_what_is_gathered_can_take_turns_instead() -> None:
    side = Side(True, coalesce=True)
    many(side, CALLS_AT_ONCE + 5)
    assert [RunCallback] * 5 == [type(effect) for effect in side.engine.go_on(9.0)]
    assert not side.engine.has_gathered


def test_nobody_is_called_for_what_is_gathered_of_a_station_that_is_removed() -> None:
    side = Side(True, coalesce=True, output_topic=None)
    many(side, CALLS_AT_ONCE + 1)
    side.engine.remove_station(f"S{CALLS_AT_ONCE}")
    assert (1, False) == (side.engine.counters.works_dropped, side.engine.has_gathered)
    assert {("T", 0): CALLS_AT_ONCE + 1} == side.engine.offsets.committable()


def test_nobody_is_called_for_what_is_gathered_of_a_partition_that_is_revoked() -> None:
    side = Side(True, coalesce=True, output_topic=None)
    many(side, CALLS_AT_ONCE + 3)
    side.engine.revoked([("T", 0)])
    assert (3, False) == (side.engine.counters.works_dropped, side.engine.has_gathered)
    assert (CALLS_AT_ONCE, 0) == (len(side.calls), side.engine.in_flight)


def test_a_station_that_is_busy_waits_in_its_lane() -> None:
    side = Side(True)
    records = [
        Record("T", 0, at, 0, None, b'{"stationId": "waits", "n": %d}' % at) for at in (0, 1)
    ]
    side.engine.taken(runs_of(records))
    (waiting,) = side.engine.received(runs_of(records), 9.0, side.answer)
    assert isinstance(waiting, AwaitAnswer)
    assert 1 == len(side.calls["waits"])
    first, following = side.engine.finished(waiting.work, {}, 9.0)
    assert isinstance(first, Upload)
    assert isinstance(following, RunCallback)
    assert 1 == following.work.show("list")["n"]


def test_an_input_that_cannot_be_made_is_an_error_of_its_callback() -> None:
    side = Side(True)

    def broken(*arguments: Any, **named: Any) -> Any:
        raise OverflowError("too large")

    inputs = SimpleNamespace(assemble=broken)
    side.engine.dispatcher.inputs = lambda module: inputs  # type: ignore[method-assign,assignment,return-value]
    record = Record("T", 0, 0, 0, None, b'{"stationId": "A", "n": 1}')
    side.engine.taken(runs_of([record]))
    (note,) = side.engine.received(runs_of([record]), 9.0, side.answer)
    assert isinstance(note, Note)
    assert ({}, 1) == (side.calls, side.engine.counters.callback_errors)
    assert {("T", 0): 1} == side.engine.offsets.committable()


@pytest.mark.parametrize("single", [True, False])
def test_a_callback_may_change_the_topics(single: bool) -> None:
    side = Side(True)
    other = SimpleNamespace(
        TOPIC_DETAIL={"T": {**TOPIC, "fields": ["stationId", "x"]}}, MODULE_DEPENDENCIES={}
    )
    seen: list[Any] = []

    def changes(station_id: str, shown: dict[str, Any]) -> None:
        seen.append(sorted(shown))
        side.engine.dispatcher.reload_config(other)

    def value(number: int) -> bytes:
        item = {"stationId": "A", "n": number, "x": number}
        return json.dumps(item if single else [item]).encode()

    records = [Record("T", 0, at, at * 1000, None, value(at)) for at in range(3)]
    side.engine.taken(runs_of(records))
    side.engine.received(runs_of(records), 9.0, changes)
    after = ["_data_quality", "stationId", "x", "x_window"]
    assert [after, after] == seen[1:]
    assert [0, 1, 2] == side.engine.dispatcher.get_module_input("A", "m")["x_window"]


def test_topics_may_change_while_it_is_called_for_what_a_poll_has_gathered() -> None:
    side = Side(True, coalesce=True, output_topic=None)
    topic = {"fields": ["stationId", "x"], "modules": ["m"], "window_size": 3}
    other = SimpleNamespace(TOPIC_DETAIL={"T": topic}, MODULE_DEPENDENCIES={})
    seen: list[Any] = []

    def changes(station_id: str, shown: dict[str, Any]) -> None:
        seen.append(sorted(shown))
        side.engine.dispatcher.reload_config(other)

    records = [
        Record("T", 0, at, 1000, None, b'{"stationId": "S%d", "n": 1, "x": 2}' % at)
        for at in range(3)
    ]
    side.engine.taken(runs_of(records))
    side.engine.received(runs_of(records), 9.0, changes)
    after = ["_data_quality", "stationId", "x", "x_window"]
    assert [after, after] == seen[1:]
    assert after != seen[0]
