"""Rounds of the backlog: sorted, bounded per partition, nobody left behind."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_analysis.backlog import Backlog, crowded


def _round(backlog: Backlog, limit: int) -> list[Any]:
    """The records of the next round, one after another."""
    return [record for _, records in backlog.take(limit) for record in records]


def _run(backlog: Backlog, limit: int) -> list[Any]:
    """The records of the next run, which are of one partition."""
    runs = backlog.take_run(limit)
    assert 1 >= len(runs)
    return [record for _, records in runs for record in records]


TAKEN = st.sampled_from([_round, _run])


def test_a_round_is_sorted_and_bounded_per_partition() -> None:
    backlog = Backlog(2)
    backlog.add(("T", 1), ["b0", "b1", "b2"])
    backlog.add(("S", 5), ["s0"])
    backlog.add(("T", 0), ["a0", "a1", "a2"])
    assert ["s0", "a0", "a1", "b0", "b1"] == _round(backlog, 100)
    assert ["a2", "b2"] == _round(backlog, 100)
    assert ([], 0) == (backlog.take(100), len(backlog))


def test_a_small_limit_is_shared() -> None:
    backlog = Backlog(100)
    for partition in range(3):
        backlog.add(("T", partition), [f"{partition}{at}" for at in range(9)])
    assert ["00", "01", "10", "11", "20", "21"] == _round(backlog, 7)
    backlog.drop([("T", 0)])
    assert 14 == len(backlog)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=20),
    st.integers(1, 5),
    st.integers(1, 20),
    TAKEN,
)
def test_every_record_comes_out_once_and_in_order(
    added: list[tuple[int, int]],
    per_partition: int,
    limit: int,
    take: Callable[[Backlog, int], list[Any]],
) -> None:
    backlog = Backlog(per_partition)
    ends = [0] * 4
    for partition, count in added:
        start, ends[partition] = ends[partition], ends[partition] + count
        backlog.add(("T", partition), [(partition, at) for at in range(start, ends[partition])])
    out: list[tuple[int, int]] = []
    while backlog:
        round_ = take(backlog, limit)
        assert 1 <= len(round_) <= limit
        assert sorted(round_) == round_
        out.extend(round_)
    for partition, end in enumerate(ends):
        assert list(range(end)) == [at for where, at in out if where == partition]


def test_rounds_with_room_for_less_than_all_go_round() -> None:
    backlog = Backlog(100)
    for partition in range(3):
        backlog.add(("T", partition), [f"{partition}{at}" for at in range(9)])
    rounds = [_round(backlog, limit) for limit in (1, 1, 1, 2, 2)]
    assert [["00"], ["10"], ["20"], ["01", "11"], ["02", "21"]] == rounds


def test_runs_of_one_partition_go_round() -> None:
    backlog = Backlog(2)
    backlog.add(("T", 1), ["b0", "b1", "b2", "b3"])
    assert ["b0"] == _run(backlog, 1)
    backlog.add(("T", 0), ["a0", "a1", "a2"])
    backlog.add(("T", 2), ["c0"])
    runs = [_run(backlog, 3) for _ in range(6)]
    assert [["c0"], ["a0", "a1"], ["b1", "b2"], ["a2"], ["b3"], []] == runs


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 30)), min_size=1, max_size=20),
    st.integers(1, 5),
    st.lists(st.integers(1, 12), min_size=1, max_size=30),
    TAKEN,
)
def test_a_partition_that_waits_is_never_passed_over_for_long(
    added: list[tuple[int, int]],
    per_partition: int,
    limits: list[int],
    take: Callable[[Backlog, int], list[Any]],
) -> None:
    backlog = Backlog(per_partition)
    for where, count in added:
        backlog.add(("T", where), [where] * count)
    waiting = [sum(count for at, count in added if at == where) for where in range(4)]
    since = [[0] * 4 for _ in range(4)]
    while backlog:
        for limit in limits:
            for where in take(backlog, limit):
                waiting[where] -= 1
                since[where] = [0] * 4
                for other in range(4):
                    if other != where and waiting[other]:
                        since[other][where] += 1
                        assert since[other][where] <= per_partition + 1


def test_who_holds_its_share_is_crowded_and_who_holds_little_is_not() -> None:
    assert [("T", 0)] == crowded({("T", 0): 9, ("T", 1): 1}, 10)
    assert [("T", 0), ("T", 1)] == crowded({("T", 0): 5, ("T", 1): 5}, 10)
    assert [("T", 2)] == crowded({("T", at): at == 2 for at in range(3)}, 1)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.integers(1, 100))
def test_someone_is_crowded_when_all_together_hold_the_most(held: list[int], most: int) -> None:
    if sum(held) >= most:
        assert crowded({("T", at): count for at, count in enumerate(held)}, most)
