"""The group state machine, step by step, with members that only do what they are told."""

import asyncio

from kafka.protocol.consumer import (
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    SyncGroupRequest,
)
from kafka.protocol.metadata import FindCoordinatorRequest

from tests.contract.bench import Bench
from tests.contract.member import MEMBER_ID_REQUIRED, Member, subscription
from tests.contract.registry import case
from tests.contract.waiting import eventually

GROUP = 0  # as a coordinator's kind
ILLEGAL_GENERATION = 22
INCONSISTENT_GROUP_PROTOCOL = 23
INVALID_GROUP_ID = 24
UNKNOWN_MEMBER_ID = 25
INVALID_SESSION_TIMEOUT = 26
REBALANCE_IN_PROGRESS = 27
SINCE_MEMBER_ID_REQUIRED = 4
SHORT_SESSION_MS = 1_500
SOON_S = 15.0


async def member(kafka: Bench, group: str, **options: object) -> Member:
    """A member with a connection of its own, not yet joined."""
    await find_coordinator(kafka, group)
    return Member(await kafka.connect(), group, **options)  # type: ignore[arg-type]  # passed on


async def find_coordinator(kafka: Bench, group: str) -> None:
    """Wait until the group has a coordinator that answers.

    On a fresh broker the first question makes the topic that groups are kept in.
    """
    probe = Member(kafka.wire, group)
    probe.member_id = "nobody"

    async def answers() -> bool:
        await kafka.wire.ask(FindCoordinatorRequest(key=group, key_type=GROUP), 1)
        return await probe.heartbeat(generation=1) == UNKNOWN_MEMBER_ID

    await eventually(answers, what="coordinator")


async def two_members(kafka: Bench, **options: object) -> tuple[Member, Member]:
    """A stable group of two: the leader first."""
    group = kafka.name("g")
    first = await member(kafka, group, **options)
    await first.enter()
    second = await member(kafka, group, **options)
    joining = asyncio.create_task(second.join())
    await rebalancing(first)
    await asyncio.gather(first.join(), joining)
    leader, follower = (first, second) if first.is_leader else (second, first)
    shares = {leader.member_id: b"one", follower.member_id: b"two"}
    synced = await asyncio.gather(leader.sync(shares), follower.sync())
    assert [answer.assignment for answer in synced] == [b"one", b"two"]
    return leader, follower


async def rebalancing(of: Member) -> None:
    """Beat until told that the group rebalances."""

    async def told() -> bool:
        return await of.heartbeat() == REBALANCE_IN_PROGRESS

    await eventually(told)


@case("JoinGroup", "SyncGroup", "Heartbeat", "LeaveGroup")
async def case_group_every_version(kafka: Bench) -> None:
    """Joining, syncing, beating and leaving answer at every version they advertise."""
    joins = await kafka.versions(JoinGroupRequest)
    syncs = await kafka.versions(SyncGroupRequest)
    beats = await kafka.versions(HeartbeatRequest)
    leaves = await kafka.versions(LeaveGroupRequest)
    for step in range(max(map(len, (joins, syncs, beats, leaves)))):
        join, sync, beat, leave = (
            versions[min(step, len(versions) - 1)] for versions in (joins, syncs, beats, leaves)
        )
        alone = await member(kafka, kafka.name(f"g{step}"))
        assert (await alone.join(version=join)).error_code == 0, join
        synced = await alone.sync({alone.member_id: b"all"}, version=sync)
        assert (synced.error_code, synced.assignment) == (0, b"all"), sync
        assert await alone.heartbeat(version=beat) == 0, beat
        assert (await alone.leave(version=leave)).error_code == 0, leave


@case("JoinGroup")
async def case_member_id_required(kafka: Bench) -> None:
    """A first join without member id is error 79 with the id to come back with; older versions get
    in at once.
    """
    new = await member(kafka, kafka.name("new"))
    answer = await new.join_once(version=SINCE_MEMBER_ID_REQUIRED)
    assert (answer.error_code, answer.generation_id) == (MEMBER_ID_REQUIRED, -1)
    assert answer.member_id.startswith("contract-")
    new.member_id = answer.member_id
    answer = await new.join_once(version=SINCE_MEMBER_ID_REQUIRED)
    assert (answer.error_code, answer.member_id) == (0, new.member_id)
    old = await member(kafka, kafka.name("old"))
    answer = await old.join_once(version=SINCE_MEMBER_ID_REQUIRED - 1)
    assert (answer.error_code, bool(answer.member_id)) == (0, True)


@case("JoinGroup")
async def case_first_member_leads(kafka: Bench) -> None:
    """The first generation is 1, its one member leads and is told of all members and their
    metadata.
    """
    mine = subscription(b"mine")
    alone = await member(kafka, kafka.name("g"), protocols={"range": mine})
    answer = await alone.join()
    assert (answer.generation_id, answer.protocol_name, answer.leader) == (
        1,
        "range",
        alone.member_id,
    )
    assert [(one.member_id, one.metadata) for one in answer.members] == [(alone.member_id, mine)]


@case("JoinGroup", "SyncGroup")
async def case_follower_is_not_told_of_members(kafka: Bench) -> None:
    """Only the leader is told of the members; the generation is the same for both, one up from
    before.
    """
    group = kafka.name("g")
    first, second = await member(kafka, group), await member(kafka, group)
    await first.enter()
    joining = asyncio.create_task(second.join())
    await rebalancing(first)
    answers = await asyncio.gather(first.join(), joining)
    assert [answer.generation_id for answer in answers] == [2, 2]
    told = {answer.member_id == answer.leader: len(answer.members) for answer in answers}
    assert told == {True: 2, False: 0}


@case("JoinGroup", "Heartbeat")
async def case_join_waits_for_known_members(kafka: Bench) -> None:
    """A join is not answered before every known member has joined again; they learn of it by
    heartbeat, error 27.
    """
    group = kafka.name("g")
    first, second = await member(kafka, group), await member(kafka, group)
    await first.enter()
    joining = asyncio.create_task(second.join())
    await rebalancing(first)
    assert not joining.done()
    async with asyncio.timeout(SOON_S):
        await asyncio.gather(first.join(), joining)


@case("JoinGroup")
async def case_join_goes_on_without_the_silent(kafka: Bench) -> None:
    """A member that does not join again within the rebalance timeout is out; the others go on."""
    group = kafka.name("g")
    silent = await member(kafka, group, rebalance_timeout_ms=1_000)
    await silent.enter()
    eager = await member(kafka, group, rebalance_timeout_ms=1_000)
    async with asyncio.timeout(SOON_S):
        answer = await eager.join()
    assert (answer.error_code, answer.leader) == (0, eager.member_id)
    assert [one.member_id for one in answer.members] == [eager.member_id]
    assert await silent.heartbeat() == UNKNOWN_MEMBER_ID


@case("JoinGroup", "SyncGroup")
async def case_follower_joins_again_unchanged(kafka: Bench) -> None:
    """A follower that joins a stable group again with the same metadata gets the same generation,
    without rebalance.
    """
    leader, follower = await two_members(kafka)
    before = follower.generation
    answer = await follower.join()
    assert (answer.error_code, answer.generation_id) == (0, before)
    assert await leader.heartbeat() == 0


@case("JoinGroup")
async def case_leader_joins_again(kafka: Bench) -> None:
    """A leader that joins a stable group again starts a rebalance."""
    leader, follower = await two_members(kafka)
    before = leader.generation
    joining = asyncio.create_task(leader.join())
    await rebalancing(follower)
    async with asyncio.timeout(SOON_S):
        answers = await asyncio.gather(follower.join(), joining)
    assert [answer.generation_id for answer in answers] == [before + 1] * 2


@case("JoinGroup")
async def case_unknown_member_joins(kafka: Bench) -> None:
    """A join under a member id that the group does not know is error 25."""
    stranger = await member(kafka, kafka.name("g"))
    stranger.member_id = "stranger"
    assert (await stranger.join_once()).error_code == UNKNOWN_MEMBER_ID


@case("JoinGroup")
async def case_protocols_must_agree(kafka: Bench) -> None:
    """A member whose protocols no other supports is error 23, as is another protocol type."""
    group = kafka.name("g")
    first = await member(kafka, group)
    await first.enter()
    for options in ({"protocols": {"other": subscription()}}, {"protocol_type": "connect"}):
        odd = await member(kafka, group, **options)
        assert (await odd.join()).error_code == INCONSISTENT_GROUP_PROTOCOL
    assert await first.heartbeat() == 0


@case("JoinGroup")
async def case_common_protocol_is_chosen(kafka: Bench) -> None:
    """Of several protocols one that all support is chosen."""
    group = kafka.name("g")
    first = await member(
        kafka, group, protocols=dict.fromkeys(("range", "roundrobin"), subscription())
    )
    await first.enter()
    second = await member(
        kafka, group, protocols=dict.fromkeys(("sticky", "roundrobin"), subscription())
    )
    joining = asyncio.create_task(second.join())
    await rebalancing(first)
    answers = await asyncio.gather(first.join(), joining)
    assert [answer.protocol_name for answer in answers] == ["roundrobin"] * 2


@case("JoinGroup")
async def case_session_timeout_bounds(kafka: Bench) -> None:
    """A session timeout outside the broker's bounds is error 26."""
    for session_timeout_ms in (10, 10_000_000):
        odd = await member(kafka, kafka.name("g"), session_timeout_ms=session_timeout_ms)
        assert (await odd.join()).error_code == INVALID_SESSION_TIMEOUT


@case("JoinGroup")
async def case_group_needs_a_name(kafka: Bench) -> None:
    """An empty group id is error 24."""
    nameless = Member(kafka.wire, "")
    assert (await nameless.join()).error_code == INVALID_GROUP_ID


@case("SyncGroup")
async def case_follower_sync_waits_for_the_leader(kafka: Bench) -> None:
    """A follower's sync is answered when the leader has synced, with what the leader gave it."""
    group = kafka.name("g")
    first, second = await member(kafka, group), await member(kafka, group)
    await first.enter()
    joining = asyncio.create_task(second.join())
    await rebalancing(first)
    await asyncio.gather(first.join(), joining)
    leader, follower = (first, second) if first.is_leader else (second, first)
    syncing = asyncio.create_task(follower.sync())
    assert await leader.heartbeat() == 0
    assert not syncing.done()
    async with asyncio.timeout(SOON_S):
        await leader.sync({leader.member_id: b"L", follower.member_id: b"F"})
        assert (await syncing).assignment == b"F"


@case("SyncGroup")
async def case_sync_again_when_stable(kafka: Bench) -> None:
    """A sync in a stable group returns the assignment as it is."""
    leader, follower = await two_members(kafka)
    assert (await follower.sync()).assignment == b"two"
    assert (await leader.sync({leader.member_id: b"else"})).assignment == b"one"


@case("SyncGroup", "Heartbeat")
async def case_generation_fences_sync_and_heartbeat(kafka: Bench) -> None:
    """A generation that is not the group's is error 22; a member that is not the group's is error
    25.
    """
    alone = await member(kafka, kafka.name("g"))
    await alone.enter()
    for generation in (alone.generation - 1, alone.generation + 1):
        assert await alone.heartbeat(generation=generation) == ILLEGAL_GENERATION
        alone.generation, kept = generation, alone.generation
        assert (await alone.sync()).error_code == ILLEGAL_GENERATION
        alone.generation = kept
    assert await alone.heartbeat() == 0
    alone.member_id = "stranger"
    assert await alone.heartbeat() == UNKNOWN_MEMBER_ID
    assert (await alone.sync()).error_code == UNKNOWN_MEMBER_ID


@case("Heartbeat", "SyncGroup")
async def case_sync_while_preparing(kafka: Bench) -> None:
    """While members are awaited, a sync of the old generation is error 27, as a heartbeat is."""
    group = kafka.name("g")
    first, second = await member(kafka, group), await member(kafka, group)
    await first.enter()
    joining = asyncio.create_task(second.join())
    await rebalancing(first)
    assert (await first.sync()).error_code == REBALANCE_IN_PROGRESS
    await asyncio.gather(first.join(), joining)


@case("Heartbeat")
async def case_heartbeat_of_an_unknown_group(kafka: Bench) -> None:
    """A heartbeat to a group that does not exist is error 25."""
    stranger = await member(kafka, kafka.name("nobody"))
    stranger.member_id = "stranger"
    assert await stranger.heartbeat(generation=0) == UNKNOWN_MEMBER_ID


@case("Heartbeat")
async def case_session_times_out(kafka: Bench) -> None:
    """A member that neither beats nor leaves is out after its session timeout, and the others
    rebalance.
    """
    group = kafka.name("g")
    silent = await member(kafka, group, session_timeout_ms=SHORT_SESSION_MS)
    await silent.enter()
    lively = await member(kafka, group, session_timeout_ms=SHORT_SESSION_MS)
    joining = asyncio.create_task(lively.join())
    await rebalancing(silent)
    await asyncio.gather(silent.join(), joining)
    leader, follower = (silent, lively) if silent.is_leader else (lively, silent)
    await asyncio.gather(leader.sync(), follower.sync())
    await rebalancing(lively)
    answer = await lively.join()
    assert (answer.error_code, answer.leader, len(answer.members)) == (0, lively.member_id, 1)
    assert await silent.heartbeat() == UNKNOWN_MEMBER_ID


@case("LeaveGroup", "Heartbeat")
async def case_leaving_starts_a_rebalance(kafka: Bench) -> None:
    """When a member leaves, it is unknown at once, and the others are told to join again."""
    leader, follower = await two_members(kafka)
    assert (await follower.leave()).error_code == 0
    assert await follower.heartbeat() == UNKNOWN_MEMBER_ID
    await rebalancing(leader)
    answer = await leader.join()
    assert [one.member_id for one in answer.members] == [leader.member_id]


@case("LeaveGroup")
async def case_leaving_answers_a_waiting_join(kafka: Bench) -> None:
    """A join that waits for a member is answered when that member leaves instead."""
    group = kafka.name("g")
    first, second = await member(kafka, group), await member(kafka, group)
    await first.enter()
    joining = asyncio.create_task(second.join())
    await rebalancing(first)
    await first.leave()
    async with asyncio.timeout(SOON_S):
        answer = await joining
    assert (answer.error_code, len(answer.members)) == (0, 1)


@case("LeaveGroup")
async def case_stranger_leaves(kafka: Bench) -> None:
    """A member that the group does not know cannot leave it: error 25."""
    alone = await member(kafka, kafka.name("g"))
    await alone.enter()
    alone.member_id = "stranger"
    assert (await alone.leave()).error_code == UNKNOWN_MEMBER_ID
