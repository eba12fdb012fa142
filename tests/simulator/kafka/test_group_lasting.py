"""What of a group outlives its members' clients, and the broker."""

import pytest
from tests.simulator.kafka.group_bench import (
    GROUP,
    REBALANCE_MS,
    SESSION_MS,
    Actor,
    Bench,
    join_errors,
    settle,
    sync_errors,
)

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group_messages import Identity


def static(bench: Bench, *names: str, may_skip: bool = False) -> list[Actor]:
    """Return static members of a stable group."""
    actors = [
        bench.member(name, instance_id=f"i-{name}", may_skip_assignment=may_skip) for name in names
    ]
    for actor in actors:
        actor.join()
    bench.advance(0)
    settle(actors)
    return actors


def test_a_static_member_joins_at_once_under_its_instance_id() -> None:
    bench = Bench()
    a, b = static(bench, "a", "b")
    assert a.member_id.startswith("i-a-")
    assert a.joined is not None
    assert [m.instance_id for m in a.joined.members] == ["i-a", "i-b"]
    assert b.heartbeat() is ErrorCode.NONE


def test_a_static_member_that_comes_back_keeps_its_assignment_without_a_rebalance() -> None:
    bench = Bench()
    a, b = static(bench, "a", "b")
    again = bench.member("b", instance_id="i-b")
    again.join()
    assert join_errors([again]) == ["NONE"]
    assert bench.state == "Stable"
    assert again.generation_id == 1
    again.sync()
    assert again.synced is not None
    assert again.synced.assignment == b"for b"
    assert b.heartbeat() is ErrorCode.FENCED_INSTANCE_ID
    assert a.heartbeat() is ErrorCode.NONE


@pytest.mark.parametrize("may_skip", [True, False])
def test_a_static_leader_that_comes_back_does_not_assign_anew(may_skip: bool) -> None:
    bench = Bench()
    a, _ = static(bench, "a", "b", may_skip=may_skip)
    again = bench.member("a", instance_id="i-a", may_skip_assignment=may_skip)
    again.join()
    assert again.joined is not None
    assert may_skip == again.joined.skip_assignment
    assert (again.member_id if may_skip else a.member_id) == again.joined.leader_id
    assert (2 if may_skip else 0) == len(again.joined.members)


def test_a_static_member_that_comes_back_while_completing_rebalances() -> None:
    bench = Bench()
    a, b = static(bench, "a", "b")
    a.join()
    b.join()
    b.sync()
    again = bench.member("b", instance_id="i-b")
    again.join()
    assert sync_errors([b]) == ["FENCED_INSTANCE_ID"]
    assert bench.state == "PreparingRebalance"
    a.join()
    assert join_errors([a, again]) == ["NONE", "NONE"]


def test_a_static_member_that_is_late_stays_in_the_generation() -> None:
    bench = Bench()
    a, b = static(bench, "a", "b")
    a.join()
    for _ in range(6):
        assert join_errors([a]) == [None]
        bench.advance(REBALANCE_MS / 6)
        b.heartbeat()
    assert a.joined is not None
    assert [m.instance_id for m in a.joined.members] == ["i-a", "i-b"]


def test_a_static_member_that_is_silent_is_removed() -> None:
    bench = Bench()
    a, b = static(bench, "a", "b")
    a.join()
    bench.advance(SESSION_MS)
    assert b.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    assert join_errors([a]) == ["NONE"]


def test_an_administrator_removes_a_static_member_by_its_instance_id() -> None:
    bench = Bench()
    _, b = static(bench, "a", "b")
    errors = bench.groups.leave(GROUP, [Identity("", "i-b"), Identity("", "i-x")])
    assert errors == [ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID]
    assert b.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_stable_group_outlives_a_broker() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    bench.groups.close()
    assert bench.scheduler.pending() == 0
    bench.advance(10 * SESSION_MS)
    bench.groups.open()
    assert [ErrorCode.NONE] * 2 == [a.heartbeat(), b.heartbeat()]
    b.sync()
    assert b.synced is not None
    assert b.synced.assignment == b"for b"


def test_sessions_begin_anew_with_the_broker() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    bench.groups.close()
    bench.groups.open()
    bench.advance(SESSION_MS - 1)
    a.heartbeat()
    bench.advance(1)
    assert b.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_rebalance_under_way_is_forgotten_with_the_broker() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    c = bench.member("c")
    c.ask_id()
    c.join()
    a.join()
    b.join()
    assert bench.group.generation_id == 2
    bench.groups.close()
    bench.groups.open()
    assert bench.state == "Stable"
    assert bench.group.generation_id == 1
    assert a.heartbeat(generation_id=1) is ErrorCode.NONE
    assert c.heartbeat(generation_id=2) is ErrorCode.UNKNOWN_MEMBER_ID
    a.join()
    b.join()
    assert [2, 2] == [a.generation_id, b.generation_id]


def test_an_empty_group_outlives_a_broker() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    a.commit(5)
    a.leave()
    bench.groups.close()
    bench.groups.open()
    assert bench.state == "Empty"
    assert [("t", 0, 5)] == [(t, p, c.offset) for t, p, c in bench.groups.offsets(GROUP)]
