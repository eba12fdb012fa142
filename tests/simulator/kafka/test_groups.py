"""Groups of two and three members through their rebalances, without a wire."""

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
from station_sim.kafka.group_messages import NO_GENERATION, Identity

NEW_MEMBER_MS = 300_000


def joined_members(actor: Actor) -> list[bytes]:
    assert actor.joined is not None
    return [member.metadata for member in actor.joined.members]


def test_an_empty_member_id_is_answered_with_a_fresh_one() -> None:
    bench = Bench()
    a = bench.member("a")
    answer = a.ask_id()
    assert answer.member_id.startswith("a-")
    assert answer.generation_id == NO_GENERATION
    assert len("a-") + 36 == len(answer.member_id)
    assert bench.state == "Empty"


def test_an_old_client_joins_at_once_without_an_id() -> None:
    bench = Bench()
    a = bench.member("a", needs_member_id=False)
    a.join()
    bench.advance(0)
    assert join_errors([a]) == ["NONE"]
    assert a.leads


def test_the_same_seed_gives_the_same_ids() -> None:
    first, second = (Bench().member("a").ask_id() for _ in range(2))
    assert first == second


def test_two_members_share_a_generation() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    assert bench.state == "Stable"
    assert [a.generation_id, b.generation_id] == [1, 1]
    assert [True, False] == [a.leads, b.leads]
    assert joined_members(a) == [b"a", b"b"]
    assert joined_members(b) == []
    assert a.synced is not None
    assert b.synced is not None
    assert [a.synced.assignment, b.synced.assignment] == [b"for a", b"for b"]
    assert (b.synced.protocol_type, b.synced.protocol_name) == ("consumer", "range")


def test_followers_wait_for_the_leaders_assignment() -> None:
    bench = Bench()
    a, b, c = (bench.member(name) for name in "abc")
    for actor in (a, b, c):
        actor.ask_id()
    for actor in (a, b, c):
        actor.join()
    bench.advance(0)
    b.sync()
    c.sync()
    assert bench.state == "CompletingRebalance"
    assert sync_errors([b, c]) == [None, None]
    a.sync()
    assert bench.state == "Stable"
    assert sync_errors([a, b, c]) == ["NONE", "NONE", "NONE"]


def test_a_late_member_makes_all_join_again() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    c = bench.member("c")
    c.ask_id()
    assert bench.state == "Stable"
    c.join()
    assert bench.state == "PreparingRebalance"
    assert [a.heartbeat(), b.heartbeat()] == [ErrorCode.REBALANCE_IN_PROGRESS] * 2
    a.join()
    assert join_errors([a, c]) == [None, None]
    b.join()
    assert join_errors([a, b, c]) == ["NONE", "NONE", "NONE"]
    assert [a.generation_id, b.generation_id, c.generation_id] == [2, 2, 2]
    assert joined_members(a) == [b"a", b"b", b"c"]
    settle([a, b, c])
    assert bench.state == "Stable"


def test_who_does_not_join_again_in_time_is_removed() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    c = bench.member("c")
    c.ask_id()
    c.join()
    b.join()
    for _ in range(5):
        bench.advance(REBALANCE_MS / 6)
        assert a.heartbeat() is ErrorCode.REBALANCE_IN_PROGRESS
    assert join_errors([b, c]) == [None, None]
    bench.advance(REBALANCE_MS / 6)
    assert join_errors([b, c]) == ["NONE", "NONE"]
    assert b.leads
    assert a.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    a.join()
    assert join_errors([a]) == ["UNKNOWN_MEMBER_ID"]


def test_the_longest_rebalance_timeout_counts() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    b.join(rebalance_timeout_ms=2 * REBALANCE_MS, protocols=(("range", b"changed"),))
    for _ in range(11):
        bench.advance(REBALANCE_MS / 6)
        a.heartbeat()
    assert join_errors([b]) == [None]
    bench.advance(REBALANCE_MS / 6)
    assert join_errors([b]) == ["NONE"]


def test_a_silent_member_dies_and_the_others_rebalance() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    bench.advance(SESSION_MS - 1)
    assert a.heartbeat() is ErrorCode.NONE
    bench.advance(1)
    assert bench.state == "PreparingRebalance"
    assert b.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    assert a.heartbeat() is ErrorCode.REBALANCE_IN_PROGRESS
    a.join()
    assert join_errors([a]) == ["NONE"]
    assert joined_members(a) == [b"a"]


def test_a_member_waiting_for_a_rebalance_is_not_expired() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    for _ in range(5):
        bench.advance(REBALANCE_MS / 6)
        b.heartbeat()
    b.join()
    assert join_errors([a, b]) == ["NONE", "NONE"]


def test_a_member_waiting_for_its_assignment_is_not_expired() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    b.join()
    b.sync()
    for _ in range(4):
        bench.advance(SESSION_MS / 2)
        assert a.heartbeat() is ErrorCode.NONE
    a.sync()
    assert sync_errors([a, b]) == ["NONE", "NONE"]
    assert bench.state == "Stable"


def test_all_members_die_and_the_group_is_empty() -> None:
    bench = Bench()
    bench.stable("a", "b")
    bench.advance(2 * REBALANCE_MS)
    assert bench.state == "Empty"
    assert bench.group.generation_id == 2
    assert bench.scheduler.pending() == 0


def test_a_new_members_parked_join_ends_after_five_minutes() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    a.join(rebalance_timeout_ms=10 * NEW_MEMBER_MS)
    settle([a])
    b = bench.member("b")
    b.ask_id()
    b.join()
    for _ in range(int(NEW_MEMBER_MS / (SESSION_MS / 2))):
        assert join_errors([b]) == [None]
        a.heartbeat()
        bench.advance(SESSION_MS / 2)
    assert join_errors([b]) == ["UNKNOWN_MEMBER_ID"]


def test_a_pending_member_delays_a_rebalance_until_it_expires() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    bench.member("b").ask_id()
    a.join()
    assert join_errors([a]) == [None]
    bench.advance(SESSION_MS)
    assert join_errors([a]) == ["NONE"]


def test_an_id_whose_time_is_over_is_unknown() -> None:
    bench = Bench()
    bench.stable("a")
    b = bench.member("b")
    b.ask_id()
    bench.advance(SESSION_MS)
    b.join()
    assert join_errors([b]) == ["UNKNOWN_MEMBER_ID"]


def test_an_empty_group_waits_for_company_until_nobody_comes_or_time_is_up() -> None:
    bench = Bench(group_initial_rebalance_delay_ms=3_000)
    actors = [bench.member(name) for name in "abc"]
    for actor in actors:
        actor.ask_id()
        actor.join()
        bench.advance(2_000)
        assert join_errors([actor]) == [None]
    bench.advance(2_999)
    assert join_errors(actors) == [None, None, None]
    bench.advance(1)
    assert join_errors(actors) == ["NONE", "NONE", "NONE"]


def test_a_leader_that_joins_again_rebalances_a_stable_group() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    assert bench.state == "PreparingRebalance"
    b.join()
    assert [2, 2] == [a.generation_id, b.generation_id]


def test_a_follower_that_joins_unchanged_gets_its_generation_back() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    b.join()
    assert join_errors([b]) == ["NONE"]
    assert b.generation_id == 1
    assert joined_members(b) == []
    assert bench.state == "Stable"
    b.sync()
    assert b.synced is not None
    assert b.synced.assignment == b"for b"
    assert a.heartbeat() is ErrorCode.NONE


def test_a_follower_with_new_metadata_rebalances() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    b.join(protocols=(("range", b"new"),))
    assert bench.state == "PreparingRebalance"
    a.join()
    assert joined_members(a) == [b"a", b"new"]


def test_a_repeated_join_while_completing_gets_the_same_generation() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    b.join()
    a.join()
    b.join()
    assert [2, 2] == [a.generation_id, b.generation_id]
    assert joined_members(a) == [b"a", b"b"]
    assert bench.state == "CompletingRebalance"


def test_a_rebalance_while_completing_ends_the_syncs() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    b.join()
    b.sync()
    a.leave()
    assert sync_errors([b]) == ["REBALANCE_IN_PROGRESS"]
    b.join()
    assert b.leads
    b.sync()
    assert sync_errors([b]) == ["NONE"]


def test_who_never_syncs_is_removed_after_the_rebalance_timeout() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    b.join()
    a.sync()
    for _ in range(6):
        bench.advance(REBALANCE_MS / 6)
        b.heartbeat()
        a.heartbeat()
    assert b.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    assert bench.state == "PreparingRebalance"


def test_heartbeats_while_completing_are_fine() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    b.join()
    assert [ErrorCode.NONE] * 2 == [a.heartbeat(), b.heartbeat()]


def test_a_stale_generation_is_fenced() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    b.join()
    assert a.heartbeat(generation_id=1) is ErrorCode.ILLEGAL_GENERATION
    assert a.commit(generation_id=1) is ErrorCode.ILLEGAL_GENERATION
    a.sync(generation_id=1)
    assert sync_errors([a]) == ["ILLEGAL_GENERATION"]


def test_an_unknown_member_is_told_so() -> None:
    bench = Bench()
    bench.stable("a")
    stranger = bench.member("s", member_id="s-1")
    stranger.join()
    stranger.sync(generation_id=1)
    assert join_errors([stranger]) == ["UNKNOWN_MEMBER_ID"]
    assert sync_errors([stranger]) == ["UNKNOWN_MEMBER_ID"]
    assert stranger.heartbeat(1) is ErrorCode.UNKNOWN_MEMBER_ID
    assert stranger.commit(generation_id=1) is ErrorCode.UNKNOWN_MEMBER_ID
    assert stranger.leave() == [ErrorCode.UNKNOWN_MEMBER_ID]


def test_a_group_that_does_not_exist_knows_nobody() -> None:
    bench = Bench()
    stranger = bench.member("s", member_id="s-1")
    stranger.join()
    stranger.sync()
    assert join_errors([stranger]) == ["UNKNOWN_MEMBER_ID"]
    assert sync_errors([stranger]) == ["UNKNOWN_MEMBER_ID"]
    assert stranger.heartbeat(1) is ErrorCode.UNKNOWN_MEMBER_ID
    assert stranger.leave() == [ErrorCode.UNKNOWN_MEMBER_ID]
    assert GROUP not in bench.groups


@pytest.mark.parametrize("timeout_ms", [5_999, 1_800_001])
def test_a_session_outside_the_bounds_is_refused(timeout_ms: int) -> None:
    bench = Bench()
    a = bench.member("a", session_timeout_ms=timeout_ms)
    a.join()
    assert join_errors([a]) == ["INVALID_SESSION_TIMEOUT"]


@pytest.mark.parametrize(
    "wish",
    [
        {"protocol_type": "connect"},
        {"protocols": (("roundrobin", b""),)},
        {"protocols": ()},
    ],
)
def test_a_member_without_a_common_assignor_is_refused(wish: dict[str, object]) -> None:
    bench = Bench()
    a, _ = bench.stable("a", "b")
    c = bench.member("c", **wish)
    c.join()
    assert join_errors([c]) == ["INCONSISTENT_GROUP_PROTOCOL"]
    assert a.heartbeat() is ErrorCode.NONE


def test_an_empty_group_wants_a_type_and_an_assignor() -> None:
    bench = Bench()
    without = [bench.member("a", protocol_type=""), bench.member("b", protocols=())]
    for actor in without:
        actor.join()
    assert join_errors(without) == ["INCONSISTENT_GROUP_PROTOCOL"] * 2


def test_the_assignor_that_all_support_wins_by_votes() -> None:
    bench = Bench()
    preferences = ["xyz", "zyx", "zx"]
    actors = [
        bench.member(order, protocols=tuple((name, b"") for name in order)) for order in preferences
    ]
    for actor in actors:
        actor.ask_id()
    for actor in actors:
        actor.join()
    bench.advance(0)
    names = [actor.joined and actor.joined.protocol_name for actor in actors]
    assert names == ["z", "z", "z"]


def test_a_sync_for_another_assignor_is_refused() -> None:
    bench = Bench()
    a, _ = bench.stable("a", "b")
    a.sync(protocol_name="roundrobin")
    assert sync_errors([a]) == ["INCONSISTENT_GROUP_PROTOCOL"]
    a.sync(protocol_type="connect")
    assert sync_errors([a]) == ["INCONSISTENT_GROUP_PROTOCOL"]
    a.sync(protocol_type="consumer", protocol_name="range")
    assert sync_errors([a]) == ["NONE"]


def test_a_sync_before_the_join_is_told_of_the_rebalance() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    b.sync()
    assert sync_errors([b]) == ["REBALANCE_IN_PROGRESS"]


def test_when_the_leader_leaves_the_next_member_leads() -> None:
    bench = Bench()
    a, b, c = bench.stable("a", "b", "c")
    assert a.leave() == [ErrorCode.NONE]
    c.join()
    b.join()
    assert [True, False] == [b.leads, c.leads]
    assert joined_members(b) == [b"b", b"c"]


def test_the_last_one_to_leave_leaves_an_empty_group() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    assert a.leave() == [ErrorCode.NONE]
    assert bench.state == "Empty"
    assert bench.group.generation_id == 2
    assert bench.scheduler.pending() == 0


def test_leaving_while_joining_answers_the_join() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    b.join(protocols=(("range", b"new"),))
    assert b.leave() == [ErrorCode.NONE]
    assert join_errors([b]) == ["UNKNOWN_MEMBER_ID"]
    a.join()
    assert join_errors([a]) == ["NONE"]


def test_several_leave_at_once_each_with_its_own_answer() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    errors = bench.groups.leave(GROUP, [b.identity, Identity("x"), Identity("")])
    expected = [ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.UNKNOWN_MEMBER_ID]
    assert expected == errors
    a.join()
    assert joined_members(a) == [b"a"]


def test_a_full_group_takes_nobody() -> None:
    bench = Bench(group_max_size=2)
    bench.stable("a", "b")
    c = bench.member("c")
    c.join()
    assert join_errors([c]) == ["GROUP_MAX_SIZE_REACHED"]
    assert c.member_id == ""


def test_a_heartbeat_arms_no_timer() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    before = bench.scheduler.calls
    for _ in range(1000):
        assert a.heartbeat() is ErrorCode.NONE
    assert before == bench.scheduler.calls


def test_delete_takes_only_empty_groups() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    a.commit()
    assert bench.groups.delete(GROUP) is ErrorCode.NON_EMPTY_GROUP
    a.leave()
    assert bench.groups.delete(GROUP) is ErrorCode.NONE
    assert bench.groups.delete(GROUP) is ErrorCode.GROUP_ID_NOT_FOUND
    assert list(bench.groups.offsets(GROUP)) == []
