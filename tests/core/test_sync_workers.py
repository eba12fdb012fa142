"""Threads over one queue: as many as are of use, each thing once, nothing left unsaid."""

import threading
import time
from collections.abc import Callable

import pytest

from data_analysis.sync_threads import guarded_thread
from data_analysis.sync_workers import Workers

LIMIT_S = 20.0


def workers_of(
    most: int, do: Callable[[int], None], conclude: Callable[[], None] = lambda: None
) -> Workers[int]:
    """Return workers that are watched; what they do not foresee fails nobody's test silently."""
    workers = Workers("test", most, do, conclude, lambda what, error: pytest.fail(f"{error!r}"))
    guarded_thread("watching", workers.watch, lambda what, error: None).start()
    return workers


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_things_that_wait_are_done_side_by_side_by_as_many_threads_as_there_may_be() -> None:
    meeting = threading.Barrier(4)
    workers = workers_of(4, lambda thing: void(meeting.wait(LIMIT_S)))
    workers.add([1, 2, 3, 4])
    wait_for(lambda: meeting.n_waiting == 0 and workers._taking_part == 0)
    assert not meeting.broken
    workers.stop()


def test_never_more_threads_than_there_may_be() -> None:
    inside: list[int] = []
    most: list[int] = []

    def do(thing: int) -> None:
        inside.append(thing)
        most.append(len(inside))
        time.sleep(0.001)
        inside.remove(thing)

    workers = workers_of(3, do)
    workers.add(range(60))
    wait_for(lambda: len(most) == 60 and not inside)
    assert max(most) <= 3
    workers.stop()


def test_each_thing_is_done_once_in_the_order_in_which_it_was_added() -> None:
    done: list[int] = []
    workers = workers_of(1, done.append)
    for first in range(0, 1000, 10):
        workers.add(range(first, first + 10))
    wait_for(lambda: len(done) >= 1000)
    assert list(range(1000)) == done
    workers.stop()


@pytest.mark.parametrize("most", [1, 2])
def test_what_is_done_is_concluded_while_everyone_else_waits(most: int) -> None:
    held, done, concluded = threading.Event(), [], threading.Event()

    def do(thing: int) -> None:
        if thing:
            held.wait(LIMIT_S)
        done.append(thing)

    workers = workers_of(most, do, lambda: concluded.set() if done == [0] else None)
    workers.add([0, *range(1, most + 1)])
    assert concluded.wait(LIMIT_S), "the first thing is concluded though the others are not done"
    held.set()
    wait_for(lambda: len(done) == most + 1)
    workers.stop()


def test_waiting_until_all_has_begun_does_not_wait_for_the_end() -> None:
    held = threading.Event()
    workers = workers_of(2, lambda thing: void(held.wait(LIMIT_S)))
    workers.add([1, 2])
    workers.wait_until_begun(LIMIT_S)
    assert not workers._ready
    held.set()
    workers.stop()


def test_nothing_begins_after_the_end() -> None:
    done: list[int] = []
    workers = workers_of(2, done.append)
    workers.stop()
    workers.add([1])
    workers.wait_until_begun(LIMIT_S)
    assert [] == done


def void(_: object) -> None:
    """Say that a value is of no use."""
