"""What a batch expects, takes and drops, and when it ends."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_analysis import (
    BatchCollector,
    BatchError,
    BatchResultAggregator,
    ConfigurationError,
    DataAnalysisError,
)
from station_sim.clock import run_virtual

Uploads = list[tuple[str, list[dict[str, Any]]]]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return self.now


class Lone:
    """An aggregator by itself, and what its handler got."""

    def __init__(self, **options: Any) -> None:
        self.uploads: Uploads = []
        self.clock = Clock()
        self.aggregator = BatchResultAggregator(self._upload, clock=self.clock, **options)

    def _upload(self, batch_id: str, results: list[dict[str, Any]]) -> None:
        self.uploads.append((batch_id, results))


def test_a_batch_ends_with_its_last_result_and_its_handler_runs_once() -> None:
    lone = Lone()
    collector = lone.aggregator.open("b", ["A", "B"])
    assert lone.aggregator.add_result(collector, "B", {"power": 2.0})
    assert ([], 0.5, False) == (lone.uploads, collector.progress, collector.complete)
    assert lone.aggregator.add_result("b", "A", {"power": 1.0})
    expected = [{"power": 2.0, "station_id": "B"}, {"power": 1.0, "station_id": "A"}]
    assert [("b", expected)] == lone.uploads
    assert (1.0, True, ("B", "A")) == (
        collector.progress,
        collector.complete,
        collector.arrived,
    )
    assert (("A", "B"), expected) == (collector.expected_stations, collector.results)
    assert not lone.aggregator.add_result("b", "A", {"power": 1.0})
    lone.clock.now += 1000
    assert 0 == lone.aggregator.cleanup_expired()
    assert 1 == len(lone.uploads)


def test_none_is_an_answer_without_a_result() -> None:
    lone = Lone()
    collector = lone.aggregator.open("b", ["A", "B"])
    lone.aggregator.add_result(collector, "A", None)
    lone.aggregator.add_result(collector, "B", None)
    assert [("b", [])] == lone.uploads
    assert collector.complete


def test_a_result_keeps_its_own_dict_and_gets_the_true_station() -> None:
    lone = Lone()
    given_result = {"station_id": "wrong", "n": [1]}
    collector = lone.aggregator.open("b", ["A", "B", "C"])
    lone.aggregator.add_result(collector, "A", given_result)
    lone.aggregator.add_result(collector, "B", 7.5)
    lone.aggregator.add_result(collector, "C", [])
    assert {"station_id": "wrong", "n": [1]} == given_result
    assert [
        {"station_id": "A", "n": [1]},
        {"station_id": "B", "result": 7.5},
        {"station_id": "C", "result": []},
    ] == lone.uploads[0][1]


def test_a_batch_times_out_with_what_is_there_and_drops_what_comes_later() -> None:
    lone = Lone(batch_timeout=2.0)
    collector = lone.aggregator.open("b", ["A", "B"])
    lone.aggregator.add_result(collector, "A", {})
    lone.clock.now += 2.0
    assert not lone.aggregator.add_result(collector, "B", {"late": True})
    assert [("b", [{"station_id": "A"}])] == lone.uploads
    assert (0.5, False, True) == (collector.progress, collector.complete, collector.timed_out)
    assert [{"station_id": "A"}] == collector.results


def test_batches_with_the_same_id_are_told_apart() -> None:
    lone = Lone()
    first = lone.aggregator.open("b", ["A", "B"])
    second = lone.aggregator.open("b", ["A", "B"])
    lone.aggregator.add_result(second, "A", {"n": 2})
    for n in (1, 3):
        lone.aggregator.add_result("b", "B", {"n": n})
    lone.aggregator.add_result("b", "A", {"n": 4})
    assert [2, 3] == [result["n"] for result in second.results]
    assert [1, 4] == [result["n"] for result in first.results]
    assert 2 == len(lone.uploads)


def test_the_timeout_can_be_changed_while_a_batch_is_open() -> None:
    lone = Lone()
    aggregator = lone.aggregator
    aggregator.open("b", ["A"])
    assert 105.0 == aggregator.next_due()
    aggregator.batch_timeout = 1.5
    assert 101.5 == aggregator.next_due()
    lone.clock.now = 101.5
    aggregator.expire()
    assert [("b", [])] == lone.uploads


def test_batches_that_timed_out_are_forgotten_at_a_cleanup() -> None:
    lone = Lone(batch_timeout=1.0)
    aggregator = lone.aggregator
    aggregator.open("b", ["A"])
    lone.clock.now = 101.0
    aggregator.expire()
    assert 161.0 == aggregator.next_due()
    aggregator.cleanup_interval = 400.0
    assert 501.0 == aggregator.next_due()
    lone.clock.now = 501.0
    aggregator.expire()
    assert None is aggregator.next_due()
    assert 0 == aggregator.cleanup_expired(0)


def test_a_cleanup_ends_what_has_been_open_for_too_long() -> None:
    lone = Lone(batch_timeout=1000.0)
    lone.aggregator.open("old", ["A", "B"])
    lone.aggregator.add_result("old", "A", {})
    lone.clock.now += 200
    lone.aggregator.open("new", ["A"])
    lone.clock.now += 100
    assert 1 == lone.aggregator.cleanup_expired()
    assert [("old", [{"station_id": "A"}])] == lone.uploads
    assert 0 == lone.aggregator.cleanup_expired()
    assert 1 == lone.aggregator.cleanup_expired(max_age_seconds=50)


def test_the_time_of_a_batch_that_waits_begins_with_its_callback_or_as_the_oldest() -> None:
    lone = Lone()
    first, second, third = (lone.aggregator.open(name, ["A"], waits=True) for name in "123")
    lone.clock.now += 3
    lone.aggregator.begin(third)
    lone.clock.now += 2
    lone.aggregator.expire()
    assert ["1"] == [batch_id for batch_id, _ in lone.uploads]
    assert (100.0, 105.0, 103.0) == (first.begun_at, second.begun_at, third.begun_at)
    lone.clock.now = 108.0
    lone.aggregator.expire()
    assert ["1", "3"] == [batch_id for batch_id, _ in lone.uploads]


def test_misuse_is_refused_with_the_next_move() -> None:
    aggregator = Lone().aggregator
    with pytest.raises(BatchError, match="must expect a station, got none; name one"):
        aggregator.open("b", [])
    with pytest.raises(BatchError, match="expected_stations must be a list of ids, got 'A1'"):
        aggregator.open("b", "A1")
    with pytest.raises(ConfigurationError, match="batch_upload_handler must be callable, got 5"):
        BatchResultAggregator(5)  # type: ignore[arg-type]  # refused
    collector = aggregator.open("b", ["A"], key=("T", 0, 7))
    with pytest.raises(BatchError, match="is open; end it or give another key"):
        aggregator.open("b", ["A"], key=("T", 0, 7))
    with pytest.raises(BatchError, match="does not expect station X; it expects A"):
        aggregator.add_result(collector, "X", {})
    for wrong in (0, -1, None, "5", True, float("nan")):
        with pytest.raises(ConfigurationError, match="batch_timeout must be a number > 0"):
            aggregator.batch_timeout = wrong  # type: ignore[assignment]  # refused
        with pytest.raises(ConfigurationError, match="cleanup_interval must be a number > 0"):
            aggregator.cleanup_interval = wrong  # type: ignore[assignment]  # refused
    assert (5.0, 60.0) == (aggregator.batch_timeout, aggregator.cleanup_interval)
    assert issubclass(BatchError, DataAnalysisError)


def test_a_handler_that_raises_does_not_harm_who_adds_results() -> None:
    calls: list[str] = []

    def fails(batch_id: str, results: list[dict[str, Any]]) -> None:
        calls.append(batch_id)
        raise ValueError("no")

    aggregator = BatchResultAggregator(fails)
    for name in ("1", "2"):
        assert aggregator.add_result(aggregator.open(name, ["A"]), "A", {})
    assert ["1", "2"] == calls


def test_by_itself_it_keeps_time_and_awaits_handlers_where_a_loop_runs() -> None:
    uploads: list[tuple[float, str]] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def upload(batch_id: str, results: list[dict[str, Any]]) -> None:
            await asyncio.sleep(1)
            uploads.append((round(loop.time() - began), batch_id))

        aggregator = BatchResultAggregator(upload)
        aggregator.open("in vain", ["A"])
        aggregator.add_result(aggregator.open("at once", ["A"]), "A", {})
        await asyncio.sleep(10)

    run_virtual(story, seed=1)
    assert [(1, "at once"), (6, "in vain")] == uploads


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.sampled_from(("A", "AB", "ABC", "BC"))),
        st.tuples(st.just("answer"), st.integers(0, 20), st.sampled_from("ABC")),
        st.tuples(st.just("pass"), st.integers(0, 4)),
    ),
    max_size=40,
)


@given(ACTIONS)
def test_every_batch_ends_once_complete_or_at_its_time(actions: list[Any]) -> None:
    """Against a naive model: per batch a deadline, what is missing, what came in time."""
    lone = Lone(batch_timeout=5.0)
    opened: list[tuple[BatchCollector, float, list[str], list[str]]] = []
    for action, *details in [*actions, ("pass", 5.0)]:
        if action == "open":
            stations = list(details[0])
            collector = lone.aggregator.open(str(len(opened)), stations)
            opened.append((collector, lone.clock.now + 5.0, list(stations), []))
        elif action == "pass":
            lone.clock.now += details[0]
            lone.aggregator.expire()
        elif opened:
            collector, deadline, missing, taken = opened[details[0] % len(opened)]
            awaited = details[1] in missing and lone.clock.now < deadline
            if details[1] in collector.expected_stations:
                assert awaited == lone.aggregator.add_result(collector, details[1], {})
            if awaited:
                missing.remove(details[1])
                taken.append(details[1])
    shown = {batch_id: [each["station_id"] for each in got] for batch_id, got in lone.uploads}
    assert {str(at): taken for at, (_, _, _, taken) in enumerate(opened)} == shown
    assert len(opened) == len(lone.uploads)
    assert 0 == lone.aggregator.open_count
