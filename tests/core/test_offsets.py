"""OffsetManager against a naive model: the set of everything tracked and not done."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_analysis import ConfigurationError, OffsetManager
from data_analysis.offsets import Partition

TP = Partition("T", 0)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("track"), st.integers(1, 3)),
        st.tuples(st.just("done"), st.integers(0, 30)),
        st.tuples(st.just("gap"), st.integers(1, 5)),
        st.tuples(st.just("commit"), st.booleans()),
        st.tuples(st.just("reassign"), st.just(0)),
    ),
    max_size=60,
)


@given(ACTIONS)
def test_what_is_committable_is_what_the_naive_model_says(actions: list[Any]) -> None:
    manager = OffsetManager(clock=Clock())
    manager.assign(TP, 0)
    position, committed, moved, in_work = 0, 0, False, set[int]()
    for action, number in actions:
        if action == "track":
            offset = position + number - 1
            manager.track(TP, offset)
            in_work.add(offset)
            position = offset + 1
        elif action == "done":
            manager.done(TP, number)
            known = number in in_work
            in_work.discard(number)
            moved = moved or (known and min(in_work, default=position) != committed)
        elif action == "gap":
            manager.gap(TP, position, position + number)
            position += number
            committed, moved = -1, True
        elif action == "commit":
            offsets = manager.committable()
            manager.attempted()
            if number:
                manager.confirmed(offsets)
                committed, moved = offsets.get(TP, committed), False
            else:
                manager.unknown(offsets)
        else:
            manager.revoke([TP])
            assert {} == manager.committable()
            position = committed = max(committed, 0)
            moved = False
            in_work.clear()
            manager.assign(TP, position)
        lowest = min(in_work, default=position)
        assert ({TP: lowest} if moved and lowest != committed else {}) == manager.committable()


RUNS = st.lists(
    st.lists(st.tuples(st.integers(0, 12), st.none() | st.integers(0, 99)), max_size=5), max_size=8
)


@given(RUNS, st.lists(st.integers(0, 12), max_size=20))
def test_tracking_many_at_once_is_tracking_each(
    runs: list[list[tuple[int, int | None]]], done: list[int]
) -> None:
    one, other = (OffsetManager(clock=Clock()) for _ in range(2))
    one.assign(TP, 0)
    other.assign(TP, 0)
    steps = iter(done)
    for run in runs:
        for offset, stamp in run:
            one.track(TP, offset, stamp)
        other.track_all(TP, [offset for offset, _ in run], [stamp for _, stamp in run])
        for manager, offset in (
            (each, step) for step in (next(steps, 0),) for each in (one, other)
        ):
            manager.done(TP, offset)
        assert one.committable() == other.committable()
        assert (one.position(TP), one.last_record_ms(TP)) == (
            other.position(TP),
            other.last_record_ms(TP),
        )


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60))
def test_records_that_are_read_again_are_in_work_again(steps: list[tuple[bool, int]]) -> None:
    manager = OffsetManager(clock=Clock())
    manager.assign(TP, 0)
    position, in_work = 0, set[int]()
    for tracked, offset in steps:
        if tracked:
            manager.track(TP, offset)
            in_work.add(offset)
            position = max(position, offset + 1)
        else:
            manager.done(TP, offset)
            in_work.discard(offset)
        manager.unknown({TP: 0})
        lowest = min(in_work, default=position)
        assert ({TP: lowest} if lowest else {}) == manager.committable()


def test_a_commit_is_due_by_count_by_time_and_at_once_behind_a_gap() -> None:
    clock = Clock()
    manager = OffsetManager(5.0, 3, clock=clock)
    manager.assign(TP, 0)
    assert None is manager.seconds_until_due()
    for offset in range(3):
        manager.track(TP, offset)
    manager.done(TP, 0)
    clock.now += 2
    assert (3.0, False) == (manager.seconds_until_due(), manager.due())
    manager.done(TP, 1)
    manager.done(TP, 2)
    assert manager.due()
    manager.confirmed(manager.committable())
    manager.attempted()
    assert not manager.due()
    manager.gap(TP, 3, 9)
    assert manager.due()
    assert {TP: 9} == manager._pending_offsets


def test_work_of_an_earlier_ownership_finishes_nothing() -> None:
    manager = OffsetManager(clock=Clock())
    old = manager.assign(TP, 0)
    manager.track(TP, 0)
    manager.revoke([TP])
    new = manager.assign(TP, 0)
    manager.track(TP, 0)
    manager.done(TP, 0, generation=old)
    assert {} == manager.committable()
    manager.done(TP, 0, generation=new)
    assert {TP: 1} == manager.committable()


def test_a_gap_below_what_was_read_begins_another_log() -> None:
    manager = OffsetManager(clock=Clock())
    manager.assign(TP, 90)
    manager.track(TP, 95)
    manager.gap(TP, 0, 40)
    assert {TP: 40} == manager.committable()
    manager.done(TP, 95)
    assert {TP: 40} == manager.committable()


def test_the_commit_dates_the_last_record_before_it() -> None:
    manager = OffsetManager(clock=Clock())
    manager.assign(TP, 0, last_record_ms=5)
    for offset in range(3):
        manager.track(TP, offset, 1000 + offset)
    assert 5 == manager.last_record_ms(TP)
    manager.done(TP, 0)
    manager.done(TP, 2)
    assert 1000 == manager.last_record_ms(TP)
    manager.done(TP, 1)
    assert 1002 == manager.last_record_ms(TP)


def test_ten_thousand_records_done_backwards_take_no_scans() -> None:
    manager = OffsetManager(clock=Clock())
    manager.assign(TP, 0)
    for offset in range(10_000):
        manager.track(TP, offset)
    for offset in reversed(range(1, 10_000)):
        manager.done(TP, offset)
        assert 0 == manager.committed(TP)
    assert {} == manager.committable()
    manager.done(TP, 0)
    assert {TP: 10_000} == manager.committable()


@pytest.mark.parametrize(
    ("arguments", "key"),
    [((0,), "commit_interval_seconds"), ((1, 0), "commit_batch_size"), ((1, 1, 0), "retries")],
)
def test_settings_out_of_range_are_refused_by_name(arguments: tuple[Any, ...], key: str) -> None:
    with pytest.raises(ConfigurationError, match=key):
        OffsetManager(*arguments)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("track"), st.lists(st.integers(0, 12), max_size=6)),
            st.tuples(st.just("done"), st.lists(st.integers(0, 12), max_size=6, unique=True)),
            st.tuples(st.just("commit"), st.just([0])),
            st.tuples(st.just("reassign"), st.just([0])),
        ),
        max_size=30,
    )
)
def test_runs_are_tracked_and_done_as_one_by_one(actions: list[Any]) -> None:
    by_run, one_by_one = OffsetManager(clock=Clock()), OffsetManager(clock=Clock())
    for manager in (by_run, one_by_one):
        manager.assign(TP, 0)
    for action, offsets in actions:
        stamps = [None if offset % 3 == 0 else 100 + offset for offset in offsets]
        if action == "track":
            by_run.track_all(TP, offsets, stamps)
            for offset, stamp in zip(offsets, stamps, strict=True):
                one_by_one.track(TP, offset, stamp)
        elif action == "done":
            by_run.done_all(TP, offsets, generation=by_run.generation(TP))
            for offset in offsets:
                one_by_one.done(TP, offset, generation=one_by_one.generation(TP))
        else:
            for manager in (by_run, one_by_one):
                if action == "reassign":
                    manager.assign(TP, offsets[0])
                else:
                    manager.confirmed(manager.committable())
        for asked in (_state, lambda manager: manager.last_record_ms(TP)):
            assert asked(one_by_one) == asked(by_run)


def _state(manager: OffsetManager) -> tuple[Any, ...]:
    return manager.committable(), manager.position(TP), manager.due(), manager.full()
