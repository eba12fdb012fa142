"""Each thing that may not be is noticed, and an innocent run is not accused."""

from dataclasses import replace

from tests.core.kills.tally import Tally
from tests.core.kills.verdict import Commit, Evidence, Handled, Seen, judge

INNOCENT = Evidence(
    places={0: (0, 0), 1: (0, 1), 2: (1, 0)},
    handled=[Handled(1, 0, 10), Handled(1, 1, 11), Handled(2, 1, 20), Handled(2, 2, 21)],
    results={0: [(0, 0)], 1: [(0, 1), (1, 0)], 2: [(1, 1)]},
    seen=[Seen(1, {0: 1}, {0: 2, 1: 0})],
    commits=[Commit(0, 1, 12), Commit(0, 2, 22), Commit(1, 1, 22)],
)


def test_a_run_that_repeats_only_what_was_not_committed_is_innocent() -> None:
    assert [] == judge(INNOCENT)


def test_a_record_that_was_never_handled_is_noticed() -> None:
    (wrong,) = judge(replace(INNOCENT, handled=INNOCENT.handled[:3], commits=()))
    assert "record 2 at (1, 0) was never handled" == wrong


def test_a_record_without_a_result_is_noticed() -> None:
    (wrong,) = judge(replace(INNOCENT, results={0: [(0, 0)], 1: [(0, 1)]}))
    assert "record 2 at (1, 0) has no result" == wrong


def test_a_commit_before_its_record_was_handled_is_noticed() -> None:
    seen = [Seen(1, {1: 1}, {0: 2, 1: 2})]
    wrong, _ = judge(replace(INNOCENT, seen=seen))
    assert "life 1: 1/0 is committed and was not handled" == wrong


def test_a_commit_before_its_result_was_there_is_noticed() -> None:
    seen = [Seen(1, {0: 1}, {0: 0, 1: 0})]
    (wrong,) = judge(replace(INNOCENT, seen=seen))
    assert "life 1: 0/0 is committed and has no result yet" == wrong


def test_a_record_handled_below_a_commit_that_was_seen_is_noticed() -> None:
    seen = [Seen(1, {0: 2}, {0: 2, 1: 0})]
    (wrong,) = judge(replace(INNOCENT, seen=seen))
    assert "life 2 handled 0/1 below 2 again" == wrong


def test_a_stored_commit_ahead_of_its_work_is_noticed() -> None:
    wrong, *_ = judge(replace(INNOCENT, commits=[Commit(0, 2, 10)]))
    assert "partition 0: 2 committed before 1 was handled" == wrong


def test_a_stored_commit_that_goes_back_is_noticed() -> None:
    commits = [Commit(0, 2, 20), Commit(0, 1, 22)]
    (wrong,) = judge(replace(INNOCENT, commits=commits))
    assert "the commit of partition 0 goes back from 2 to 1" == wrong


def test_a_record_handled_after_a_stored_commit_is_noticed() -> None:
    (wrong,) = judge(replace(INNOCENT, commits=[Commit(0, 2, 12)]))
    assert "life 2 handled 0/1 after Commit(partition=0, offset=2, at_ms=12)" == wrong


def test_duplicates_are_counted_by_the_kill_that_caused_them() -> None:
    tally = Tally.of(2, 3, 4, [(1, 0), (1, 1), (2, 1), (2, 1), (2, 2), (3, 2), (3, 1), (3, 3)])
    assert (8, (1, 2), 1) == (tally.handled, tally.again, tally.twice)
    assert (4, 2) == (tally.duplicates, tally.largest)
