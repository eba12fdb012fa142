"""Who may commit, what is stored, what observers see, and when it is forgotten."""

import struct

from tests.simulator.kafka.group_bench import GROUP, SESSION_MS, Bench, Commit, settle

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group_messages import Identity

NOBODY = Identity("")
LOOKS_MS = 10 * 60 * 1000
"""How often Kafka looks for old offsets."""
HEARTBEAT_MS = SESSION_MS // 2
WEEK_MS = 7 * 24 * 60 * 60 * 1000


def commit_alone(bench: Bench, offset: int = 3, retention_ms: int | None = None) -> ErrorCode:
    """Commit without being a member."""
    error = bench.groups.check_commit(GROUP, NOBODY, -1, names_missing=True)
    return error or bench.groups.commit(
        GROUP, "t", 0, offset, leader_epoch=-1, metadata="", retention_ms=retention_ms
    )


def offsets(bench: Bench) -> list[tuple[str, int, int]]:
    """Return (topic, partition, offset) of all committed offsets."""
    return [(topic, partition, c.offset) for topic, partition, c in bench.groups.offsets(GROUP)]


def test_a_commit_is_stored_and_observed() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    assert a.commit(42) is ErrorCode.NONE
    stored = bench.groups.offsets(GROUP).get("t", 0)
    assert stored is not None
    assert (42, 0, "m", 1_000_000) == (
        stored.offset,
        stored.leader_epoch,
        stored.metadata,
        stored.committed_at_ms,
    )
    assert [Commit(GROUP, "t", 0, 42, "m", 1_000.0)] == bench.commits


def test_a_commit_while_preparing_is_accepted_while_completing_it_is_not() -> None:
    bench = Bench()
    a, b = bench.stable("a", "b")
    a.join()
    assert bench.state == "PreparingRebalance"
    assert b.commit() is ErrorCode.NONE
    b.join()
    assert bench.state == "CompletingRebalance"
    assert b.commit() is ErrorCode.REBALANCE_IN_PROGRESS
    settle([a, b])
    assert b.commit() is ErrorCode.NONE


def test_a_commit_keeps_the_session() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    for _ in range(4):
        bench.advance(SESSION_MS * 0.75)
        assert a.commit() is ErrorCode.NONE


def test_without_members_anybody_commits_and_with_members_nobody_else() -> None:
    bench = Bench()
    assert commit_alone(bench) is ErrorCode.NONE
    (a,) = bench.stable("a")
    assert commit_alone(bench) is ErrorCode.UNKNOWN_MEMBER_ID
    a.leave()
    assert commit_alone(bench, 9) is ErrorCode.NONE
    assert [("t", 0, 9)] == offsets(bench)


def test_a_commit_with_a_generation_needs_a_group() -> None:
    bench = Bench()
    old = bench.groups.check_commit(GROUP, Identity("m"), 1, names_missing=False)
    new = bench.groups.check_commit(GROUP, Identity("m"), 1, names_missing=True)
    assert [ErrorCode.ILLEGAL_GENERATION, ErrorCode.GROUP_ID_NOT_FOUND] == [old, new]
    commit_alone(bench)
    late = bench.groups.check_commit(GROUP, Identity("m"), 1, names_missing=True)
    assert late is ErrorCode.UNKNOWN_MEMBER_ID


def test_long_metadata_is_refused() -> None:
    bench = Bench(offset_metadata_max_bytes=4)
    commit_alone(bench)
    errors = [
        bench.groups.commit(GROUP, "t", 1, 0, leader_epoch=0, metadata=text)
        for text in ("four", "fiver")
    ]
    assert errors == [ErrorCode.NONE, ErrorCode.OFFSET_METADATA_TOO_LARGE]


def test_a_deleted_topic_loses_its_offsets() -> None:
    bench = Bench()
    commit_alone(bench)
    bench.groups.commit(GROUP, "u", 0, 1, leader_epoch=0, metadata="")
    bench.groups.forget_topic("t")
    assert [("u", 0, 1)] == offsets(bench)


def test_offsets_outlive_their_members_for_the_retention() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    a.commit(5)
    for _ in range(3):
        bench.advance(WEEK_MS - SESSION_MS / 2)
        a.wish = bench.member("a").wish
        a.ask_id()
        a.join()
        bench.advance(0)
        settle([a])
        assert [("t", 0, 5)] == offsets(bench)
    a.leave()
    bench.advance(WEEK_MS - 1)
    assert [("t", 0, 5)] == offsets(bench)
    bench.advance(LOOKS_MS)
    assert offsets(bench) == []
    assert GROUP not in bench.groups


def test_offsets_without_members_live_from_their_commit() -> None:
    bench = Bench()
    commit_alone(bench)
    bench.advance(WEEK_MS - 1)
    assert [("t", 0, 3)] == offsets(bench)
    bench.advance(LOOKS_MS)
    assert offsets(bench) == []


def test_a_client_may_ask_for_its_own_retention() -> None:
    bench = Bench()
    commit_alone(bench, retention_ms=1000)
    bench.advance(LOOKS_MS)
    assert offsets(bench) == []


def test_old_offsets_go_at_the_regular_looks() -> None:
    bench = Bench()
    commit_alone(bench, retention_ms=LOOKS_MS + 1000)
    bench.advance(2 * LOOKS_MS - 1)
    assert [("t", 0, 3)] == offsets(bench)
    bench.advance(1)
    assert offsets(bench) == []


def test_an_empty_group_without_offsets_is_gone_after_a_look() -> None:
    bench = Bench()
    (a,) = bench.stable("a")
    a.leave()
    assert GROUP in bench.groups
    bench.advance(LOOKS_MS)
    assert GROUP not in bench.groups


def test_members_keep_the_offsets_of_what_they_are_subscribed_to() -> None:
    bench = Bench(offsets_retention_minutes=10)
    subscription = struct.pack(">hih", 0, 1, 1) + b"t" + struct.pack(">i", 0)
    a = bench.member("a", protocols=(("range", subscription),))
    a.ask_id()
    a.join()
    bench.advance(0)
    settle([a])
    for topic in ("t", "u"):
        bench.groups.commit(GROUP, topic, 0, 5, leader_epoch=-1, metadata="")
    for _ in range(2 * LOOKS_MS // HEARTBEAT_MS):
        bench.advance(HEARTBEAT_MS)
        assert not a.heartbeat()
    assert [("t", 0, 5)] == offsets(bench)
