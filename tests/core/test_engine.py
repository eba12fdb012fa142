"""The engine by itself: order per station, at least once, one thing after another."""

import json
from types import SimpleNamespace
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from data_analysis import DataDispatcher, OffsetManager
from data_analysis.effects import Effect, RunCallback, RunHandlers, Upload
from data_analysis.engine import Engine
from data_analysis.engine_options import EngineOptions
from data_analysis.record_columns import runs_of

CONFIG = SimpleNamespace(
    TOPIC_DETAIL={"T": {"fields": ["stationId", "n"], "modules": ["m"], "window_size": 5}},
    MODULE_DEPENDENCIES={"other": []},
)


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Clock:
    """A clock that stands still."""

    def time(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0


def _record(partition: int, offset: int, stations: list[str]) -> Record:
    items = [{"stationId": station, "n": [partition, offset]} for station in stations]
    return Record("T", partition, offset, 0, None, json.dumps(items).encode())


def _engine(**options: Any) -> Engine:
    clock = Clock()
    given_options = {"module_name": "m", "output_topic": "OUT", **options}
    engine = Engine(
        DataDispatcher(config=CONFIG, clock=clock),
        OffsetManager(clock=clock),
        EngineOptions(**given_options),
    )
    engine.call(all_stations=True, handlers=True)
    for partition in range(2):
        engine.assigned(("T", partition), 0, None)
    return engine


class Shell:
    """Performs effects in whatever order it is told to, and checks what must always hold."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.open: list[Effect] = []
        self.called: dict[str, list[list[int]]] = {}
        self.owed: dict[str, list[list[int]]] = {}

    def receive(self, records: list[Record]) -> None:
        for record in records:
            for item in json.loads(record.value or b""):
                self.owed.setdefault(item["stationId"], []).append(item["n"])
        self.engine.taken(runs_of(records))
        self.take(self.engine.received(runs_of(records), 0.0))

    def take(self, effects: list[Effect]) -> None:
        self.open.extend(effects)
        busy = [
            effect.work.station_id
            for effect in self.open
            if isinstance(effect, RunCallback | RunHandlers)
        ]
        assert len(set(busy)) == len(busy), "two things at a time for one station"
        safe = {tp.partition: end for tp, end in self.engine.offsets.committable().items()}
        for partition, offset in self._unfinished():
            assert safe.get(partition, 0) <= offset, "committable ahead of work"

    def step(self, choice: int) -> None:
        effect = self.open.pop(choice % len(self.open))
        engine = self.engine
        if isinstance(effect, RunCallback):
            station = effect.work.station_id
            shown = effect.work.show("list")
            assert self.owed[station].pop(0) == shown["n"]
            self.called.setdefault(station, []).append(shown["n"])
            if choice % 5 == 0:
                self.take(engine.failed(effect.work, ValueError("no")))
            else:
                self.take(engine.finished(effect.work, None, 0.0))
        elif isinstance(effect, RunHandlers):
            self.take(engine.handled(effect.work))
        elif isinstance(effect, Upload):
            error = "too large" if choice % 7 == 0 else None
            self.take(engine.acknowledged(effect.ticket, 0.0, error))

    def _unfinished(self) -> list[tuple[int, int]]:
        """The records that callbacks are owed for, or that an open effect belongs to."""
        owed = [(place[0], place[1]) for places in self.owed.values() for place in places]
        works = [
            effect.work if isinstance(effect, RunCallback | RunHandlers) else effect.ticket
            for effect in self.open
            if isinstance(effect, RunCallback | RunHandlers | Upload)
        ]
        return owed + [(each.partition, each.offset) for work in works for each in work.flights()]


STATIONS = st.lists(st.sampled_from("ABC"), min_size=1, max_size=3, unique=True)


@given(
    st.lists(st.tuples(st.integers(0, 1), STATIONS), max_size=25),
    st.lists(st.integers(0, 100), min_size=1, max_size=30),
    st.integers(1, 6),
)
def test_stations_see_their_records_in_order_and_nothing_is_done_too_early(
    planned: list[tuple[int, list[str]]], choices: list[int], per_poll: int
) -> None:
    engine = _engine()
    shell = Shell(engine)
    ends = [0, 0]
    polls = [planned[at : at + per_poll] for at in range(0, len(planned), per_poll)]
    for number, poll in enumerate(polls):
        records = []
        for partition, stations in poll:
            records.append(_record(partition, ends[partition], stations))
            ends[partition] += 1
        shell.receive(sorted(records))
        for at in range(choices[number % len(choices)] % 7):
            if shell.open:
                shell.step(choices[(number + at) % len(choices)])
    while shell.open:
        shell.step(choices[len(shell.open) % len(choices)])
    assert [] == [place for places in shell.owed.values() for place in places]
    assert sum(len(stations) for _, stations in planned) == sum(map(len, shell.called.values()))
    assert (0, True) == (engine.in_flight, engine.idle)
    done = {tp.partition: offset for tp, offset in engine.offsets.committable().items()}
    assert {at: end for at, end in enumerate(ends) if end} == done


def test_a_record_of_a_topic_the_module_does_not_use_calls_nobody() -> None:
    engine = _engine(module_name="other", output_topic=None)
    engine.taken(runs_of([_record(0, 0, ["A"])]))
    assert [] == engine.received(runs_of([_record(0, 0, ["A"])]), 0.0)
    assert {("T", 0): 1} == engine.offsets.committable()
    assert 1 == len(engine.dispatcher.get_topic_window("A", "T"))


def test_a_result_that_cannot_be_written_is_counted_and_the_rest_goes_on() -> None:
    engine = _engine()
    shell = Shell(engine)
    engine.taken(runs_of([_record(0, 0, ["A"])]))
    (effect,) = engine.received(runs_of([_record(0, 0, ["A"])]), 0.0)
    assert isinstance(effect, RunCallback)
    shell.take(engine.finished(effect.work, object(), 0.0))
    assert 1 == engine.counters.results_unserialisable
    assert {("T", 0): 1} == engine.offsets.committable()


def test_revoked_work_that_waits_is_dropped_and_commits_nothing() -> None:
    engine = _engine()
    records = [_record(0, 0, ["A"]), _record(0, 1, ["A"])]
    engine.taken(runs_of(records))
    (running,) = engine.received(runs_of(records), 0.0)
    assert isinstance(running, RunCallback)
    engine.revoked([("T", 0)])
    assert [] == engine.finished(running.work, {}, 0.0)
    assert (0, {}) == (engine.in_flight, engine.offsets.committable())
    assert engine.idle


def test_windows_are_kept_at_the_same_position_and_dropped_at_another() -> None:
    engine = _engine()
    records = [_record(0, 0, ["A"]), _record(0, 1, ["A"])]
    engine.taken(runs_of(records))
    engine.received(runs_of(records), 0.0)
    engine.revoked([("T", 0)])
    engine.assigned(("T", 0), 2, None)
    assert 2 == len(engine.dispatcher.get_topic_window("A", "T"))
    engine.revoked([("T", 0)])
    engine.assigned(("T", 0), 7, None)
    assert [] == engine.dispatcher.get_topic_window("A", "T")


def test_a_partition_that_is_found_anew_leaves_nothing_in_flight() -> None:
    engine = _engine()
    engine.taken(runs_of([_record(0, 0, ["A"])]))
    engine.received(runs_of([_record(0, 0, ["A"])]), 0.0)
    assert 1 == engine.in_flight
    engine.assigned(("T", 0), 0, None)
    assert 0 == engine.in_flight


def test_records_without_a_time_are_appended_and_date_nothing() -> None:
    for timestamp in (-1, None):
        engine = _engine()
        record = _record(0, 0, ["A"])._replace(timestamp=timestamp)  # type: ignore[arg-type]  # as clients do
        engine.taken(runs_of([record]))
        (callback,) = engine.received(runs_of([record]), 0.0)
        assert isinstance(callback, RunCallback)
        engine.failed(callback.work, ValueError())
        assert 1 == engine.counters.points_appended
        assert (1, None) == (
            engine.offsets.committable()["T", 0],  # type: ignore[index]  # equal to a Partition
            engine.offsets.last_record_ms(("T", 0)),
        )


def test_a_removed_station_is_not_tried_again() -> None:
    engine = _engine(callback_tries=3)
    engine.taken(runs_of([_record(0, 0, ["A"])]))
    (callback,) = engine.received(runs_of([_record(0, 0, ["A"])]), 0.0)
    assert isinstance(callback, RunCallback)
    engine.remove_station("A")
    effects = engine.failed(callback.work, ValueError())
    assert not any(isinstance(effect, RunCallback) for effect in effects)
    assert (0, 1) == (engine.in_flight, engine.counters.records_finished)


def test_a_dispatcher_that_was_reloaded_by_itself_is_followed() -> None:
    engine = _engine()
    detail = {"U": {"fields": ["n"], "modules": ["m"], "window_size": 5}}
    engine.dispatcher.reload_config(SimpleNamespace(TOPIC_DETAIL=detail, MODULE_DEPENDENCIES={}))
    engine.taken(runs_of([_record(0, 0, ["A"])]))
    assert [] == engine.received(runs_of([_record(0, 0, ["A"])]), 0.0)
    assert {("T", 0): 1} == engine.offsets.committable()


def test_stations_that_are_gone_leave_nothing() -> None:
    engine = _engine()
    for offset, station in enumerate(("A", "B", "C")):
        engine.taken(runs_of([_record(0, offset, [station])]))
        (callback,) = engine.received(runs_of([_record(0, offset, [station])]), float(offset))
        assert isinstance(callback, RunCallback)
        engine.failed(callback.work, ValueError())
    engine.remove_station("B")
    engine.ticked(601.5)
    assert ["C"] == engine.dispatcher.station_ids()
    assert {("T", 0): {"C": None}} == engine._intake._fed
