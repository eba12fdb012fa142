"""Members with an instance id of their own choosing: they come back without a rebalance."""

import asyncio

from tests.contract.bench import Bench
from tests.contract.cases.group_protocol import member
from tests.contract.registry import case
from tests.contract.waiting import eventually

UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS = 25, 27
FENCED_INSTANCE_ID = 82
FIRST_WITH_INSTANCE_ID = 3  # of SyncGroup, Heartbeat and LeaveGroup; JoinGroup has it from 5 on
FIRST_COMMIT_WITH_INSTANCE_ID = 7


@case("JoinGroup")
async def case_static_member_gets_in_at_once(kafka: Bench) -> None:
    """A member with an instance id is not asked to come again with a member id."""
    static = await member(kafka, kafka.name("g"), instance_id="one")
    answer = await static.join_once()
    assert (answer.error_code, answer.generation_id) == (0, 1)
    assert answer.member_id.startswith("one-")
    assert [found.group_instance_id for found in answer.members] == ["one"]


@case("JoinGroup", "SyncGroup")
async def case_static_member_comes_back(kafka: Bench) -> None:
    """One that comes back gets a new member id, and in a stable group generation and assignment as
    before.
    """
    group = kafka.name("g")
    before = await member(kafka, group, instance_id="one")
    await before.enter()
    after = await member(kafka, group, instance_id="one")
    answer = await after.join()
    assert (answer.error_code, answer.generation_id) == (0, before.generation)
    assert answer.member_id != before.member_id
    assert (await after.sync()).assignment == b"all"


@case("Heartbeat", "SyncGroup", "JoinGroup", "OffsetCommit", "LeaveGroup")
async def case_replaced_static_member_is_fenced(kafka: Bench) -> None:
    """The one that was replaced is error 82 at every step."""
    group = kafka.name("g")
    before = await member(kafka, group, instance_id="one")
    await before.enter()
    after = await member(kafka, group, instance_id="one")
    await after.join()
    assert await before.heartbeat(version=FIRST_WITH_INSTANCE_ID) == FENCED_INSTANCE_ID
    assert (await before.sync()).error_code == FENCED_INSTANCE_ID
    assert (await before.join_once()).error_code == FENCED_INSTANCE_ID
    topic = await kafka.topic()
    assert (
        await before.commit(topic, 1, version=FIRST_COMMIT_WITH_INSTANCE_ID) == FENCED_INSTANCE_ID
    )
    (kept,) = (await before.leave(version=FIRST_WITH_INSTANCE_ID)).members
    assert kept.error_code == FENCED_INSTANCE_ID
    assert await after.heartbeat(version=FIRST_WITH_INSTANCE_ID) == 0


@case("LeaveGroup")
async def case_static_member_is_removed_by_instance(kafka: Bench) -> None:
    """Anyone may remove a static member by its instance id; one that is not there is error 25."""
    static = await member(kafka, kafka.name("g"), instance_id="one")
    await static.enter()
    remover = await member(kafka, static.group, instance_id="one")
    (removed,) = (await remover.leave(version=FIRST_WITH_INSTANCE_ID)).members
    assert (removed.error_code, removed.group_instance_id) == (0, "one")
    assert await static.heartbeat(version=FIRST_WITH_INSTANCE_ID) == UNKNOWN_MEMBER_ID
    (missed,) = (await remover.leave(version=FIRST_WITH_INSTANCE_ID)).members
    assert missed.error_code == UNKNOWN_MEMBER_ID


@case("JoinGroup", "Heartbeat")
async def case_silent_static_member_times_out(kafka: Bench) -> None:
    """A static member that is silent for its session is removed, and the others rebalance."""
    group = kafka.name("g")
    silent = await member(kafka, group, instance_id="one", session_timeout_ms=6_000)
    await silent.enter()
    other = await member(kafka, group, instance_id="two")
    joining = asyncio.ensure_future(other.join())

    async def rebalances() -> bool:
        beat = await silent.heartbeat(version=FIRST_WITH_INSTANCE_ID)
        return beat == REBALANCE_IN_PROGRESS

    await eventually(rebalances)
    await silent.join()
    answer = await joining
    assert (answer.error_code, answer.generation_id) == (0, 2)
    await silent.sync({silent.member_id: b"a", other.member_id: b"b"})
    await other.sync()

    async def told() -> bool:
        return await other.heartbeat(version=FIRST_WITH_INSTANCE_ID) == REBALANCE_IN_PROGRESS

    await eventually(told, deadline_s=30.0)
    joined = await other.join()
    assert [found.group_instance_id for found in joined.members] == ["two"]
