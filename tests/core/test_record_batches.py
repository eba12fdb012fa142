"""Batches in the engine: one handler call per record, and nothing is done before it."""

import json
from types import SimpleNamespace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_analysis import BatchResultAggregator, DataDispatcher, OffsetManager
from data_analysis.effects import Effect, Note, RunBatchHandler, RunCallback, RunHandlers, Upload
from data_analysis.engine import Engine
from data_analysis.engine_options import EngineOptions
from data_analysis.record_batches import BATCH_TOPIC, newest_send_time
from data_analysis.record_columns import runs_of

FIELDS = {"fields": ["stationId", "n"], "modules": ["m"], "window_size": 5}
CONFIG = SimpleNamespace(TOPIC_DETAIL={BATCH_TOPIC: FIELDS, "T": FIELDS}, MODULE_DEPENDENCIES={})
TP = (BATCH_TOPIC, 0)
OTHER = ("T", 0)
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class Shell:
    """An engine with a batch handler, and its effects, performed one by one."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.aggregator = BatchResultAggregator(print, clock=self.clock)
        self.engine = Engine(
            DataDispatcher(10_000, config=CONFIG, clock=self.clock),
            OffsetManager(clock=self.clock),
            EngineOptions(**{"module_name": "m", "output_topic": "OUT", **options}),
            self.aggregator,
        )
        self.engine.call(all_stations=True, handlers=True)
        for tp in (TP, OTHER):
            self.engine.assigned(tp, 0, None)
        self.open: list[Effect] = []
        self.ends = {TP: 0, OTHER: 0}
        self.handled: dict[int, list[list[str]]] = {}
        self.answering = True
        self.owed: set[int] = set()

    def receive(self, tp: tuple[str, int], *stations: str) -> None:
        """Records with these stations, one letter each, in one poll."""
        records = []
        for letters in stations:
            items = [
                {"stationId": each, "n": self.ends[tp], "sendTime": "2023-11-15 06:00:00"}
                for each in letters
            ]
            records.append(Record(*tp, self.ends[tp], 0, None, json.dumps(items).encode()))
            self.ends[tp] += 1
            if tp == TP and len(letters) > 1 and self.answering:
                self.owed.add(records[-1].offset)
        self.engine.taken(runs_of(records))
        self.take(self.engine.received(runs_of(records), self.clock.now))

    def take(self, effects: list[Effect]) -> None:
        self.open.extend(effects)
        busy = [each.work.station_id for each in self.open if isinstance(each, RunCallback)]
        assert len(set(busy)) == len(busy), "two callbacks at a time for one station"
        safe = self.committable().get(BATCH_TOPIC, 0)
        assert all(safe <= offset for offset in self.owed), "committable ahead of a batch"

    def step(self, choice: int) -> None:
        """Perform one open effect: some callbacks raise or return None, some handlers raise."""
        effect = self.open.pop(choice % len(self.open))
        engine, now = self.engine, self.clock.now
        if isinstance(effect, RunCallback):
            work = effect.work
            work.show("list")
            if choice % 5 == 0:
                self.take(engine.failed(work, ValueError("no")))
            else:
                self.take(engine.finished(work, None if choice % 7 == 0 else {"n": 1}, now))
        elif isinstance(effect, RunHandlers):
            self.take(engine.handled(effect.work))
        elif isinstance(effect, RunBatchHandler):
            batch: Any = effect.batch
            stations = [each["station_id"] for each in batch.results]
            self.handled.setdefault(batch.key.offset, []).append(stations)
            self.owed.discard(batch.key.offset)
            error = ValueError("no") if choice % 3 == 0 else None
            self.take(engine.batch_handled(batch, error))
        elif isinstance(effect, Upload):
            self.take(engine.acknowledged(effect.ticket, now))

    def drain(self, choice: int = 1) -> None:
        """Perform everything."""
        while self.open:
            self.step(choice)

    def committable(self) -> dict[str, int]:
        return {tp.topic: offset for tp, offset in self.engine.offsets.committable().items()}


STEPS = st.lists(
    st.one_of(
        st.sampled_from(("A", "AB", "ABC", "CB")).map(lambda letters: (TP, letters)),
        st.sampled_from(("A", "B")).map(lambda letters: (OTHER, letters)),
        st.integers(0, 209),
        st.sampled_from(("time", "remove B", "revoke")),
    ),
    max_size=40,
)


@pytest.mark.parametrize("coalesce", [False, True])
@given(steps=STEPS)
def test_every_batch_is_handled_once_and_its_record_is_done_with_it(
    coalesce: bool, steps: list[Any]
) -> None:
    shell = Shell(coalesce=coalesce)
    engine = shell.engine
    batches: dict[int, str] = {}
    revoked = False
    for step in steps:
        if isinstance(step, int):
            if shell.open:
                shell.step(step)
        elif step == "time":
            shell.clock.now += 3
            shell.take(engine.batches_due())
        elif step == "remove B":
            shell.take(engine.remove_station("B"))
        elif step == "revoke":
            engine.revoked([TP])
            revoked = True
        elif not (revoked and step[0] == TP):
            if step[0] == TP and len(step[1]) > 1:
                batches[shell.ends[TP]] = step[1]
            shell.receive(step[0], step[1])
    shell.drain(2)
    counters = engine.counters
    for offset, handled in shell.handled.items():
        (stations,) = handled
        assert len(set(stations)) == len(stations)
        assert set(batches[offset]) >= set(stations)
    opened = counters.batches_opened
    ended = counters.batches_completed + counters.batches_timed_out + counters.batches_dropped
    assert (opened, 0) == (ended, shell.aggregator.open_count)
    assert (0, True) == (engine.in_flight, engine.idle)
    if not revoked:
        assert 0 == counters.batches_dropped
        assert opened == len(shell.handled)
        ends = {tp[0]: end for tp, end in shell.ends.items() if end}
        assert ends == shell.committable()


def test_revoked_batches_are_dropped_and_their_handlers_not_called() -> None:
    shell = Shell(batch_handler_tries=3)
    shell.receive(TP, "AB", "AB")
    callbacks = [each for each in shell.open if isinstance(each, RunCallback)]
    shell.open.clear()
    for callback in callbacks:
        shell.take(shell.engine.finished(callback.work, {}, 0.0))
    (handler,) = [each for each in shell.open if isinstance(each, RunBatchHandler)]
    shell.engine.revoked([TP])
    shell.clock.now += 100
    assert [] == shell.engine.batches_due()
    (note,) = shell.engine.batch_handled(handler.batch, ValueError())
    assert isinstance(note, Note)
    assert ({}, 0, 1) == (
        shell.committable(),
        shell.engine.in_flight,
        shell.engine.counters.batches_dropped,
    )


def test_a_log_that_is_another_one_now_leaves_no_batch_behind() -> None:
    shell = Shell()
    shell.receive(TP, "AB")
    shell.engine.moved(TP, 0, 0)
    shell.drain()
    assert ({}, 0) == (shell.handled, shell.engine.in_flight)


def test_the_engine_says_when_it_wants_to_be_told_the_time() -> None:
    shell = Shell()
    assert None is shell.engine.next_due()
    shell.receive(TP, "AB")
    assert 5.0 == shell.engine.next_due()
    shell.clock.now = 5.0
    shell.take(shell.engine.batches_due())
    shell.drain()
    assert {0: [[]]} == shell.handled
    assert None is shell.engine.next_due()


def test_an_unused_topic_and_a_station_without_a_callback_open_no_batch() -> None:
    shell = Shell()
    shell.engine.call(all_stations=False, handlers=True)
    shell.answering = False
    shell.receive(TP, "AB")
    assert ([], {BATCH_TOPIC: 1}) == (shell.open, shell.committable())
    shell.engine.add_station("B", 0.0)
    shell.answering = True
    shell.receive(TP, "AB")
    shell.drain()
    assert {1: [["B"]]} == shell.handled


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["2023-11-15 06:00:00", "2023-11-15 05:00:00"], 1699999200),
        (["2023-11-15 05:00:00", "2023-11-15 06:00:00", None, 7, "zzz", {}], 1699999200),
        (["2023-11-15 06:00:00", "2023-13-01 00:00:00", "2023-11-15 24:00:00"], 1699999200),
        (["1970-01-01 08:00:00"], 0),
        (["2023-11-15", "20231115 060000", " 2023-11-15 06:00:00", "2023-11-15 06:00:00Z"], None),
        (["2023-11-15T06:00:00.000", "2023-11-15 05:59:59.999999"], 1699999200),
        (["２０２３-11-15 06:00:00"], None),
        (["0001-01-01 00:00:00"], -62135625943),
        (["9999-12-31 23:59:59"], 253402271999),
        ([], None),
    ],
)
def test_the_newest_time_that_can_be_read_counts(times: list[Any], expected: int | None) -> None:
    items = [{"sendTime": time} for time in times]
    found = newest_send_time({"A": items[::2], "B": [{}, *items[1::2]]}, SHANGHAI)
    assert expected == found


def test_a_dead_letter_of_a_lost_result_is_no_work_of_a_batch_that_is_done() -> None:
    shell = Shell(coalesce=True, dead_letter_topic="DEAD")
    items = [{"stationId": each, "n": 1, "sendTime": "2023-11-15 06:00:00"} for each in "AB"]
    single = Record(*TP, 0, 0, None, json.dumps(items[:1]).encode())
    batch = Record(*TP, 1, 0, None, json.dumps(items).encode())
    engine = shell.engine
    engine.taken(runs_of([single, batch]))
    callbacks = engine.received(runs_of([single, batch]), 0.0)
    effects: list[Effect] = []
    for callback in callbacks:
        assert isinstance(callback, RunCallback)
        effects += engine.finished(callback.work, {"n": 1}, 0.0)
    (upload,) = [each for each in effects if isinstance(each, Upload)]
    (handler,) = [each for each in effects if isinstance(each, RunBatchHandler)]
    engine.batch_handled(handler.batch)
    lost = engine.acknowledged(upload.ticket, 0.0, "too large")
    (dead,) = [each for each in lost if isinstance(each, Upload)]
    assert (1, {}) == (engine.in_flight, shell.committable())
    engine.acknowledged(dead.ticket, 0.0)
    assert (0, {BATCH_TOPIC: 2}) == (engine.in_flight, shell.committable())
