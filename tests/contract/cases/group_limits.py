"""How many members a group takes, how long it waits for the first ones, and many that go at once.

The brokers of these cases take two members a group, and wait a second for more when a group begins.
"""

import asyncio

from kafka.protocol.consumer import LeaveGroupRequest

from tests.contract.bench import Bench
from tests.contract.cases.administration import in_state
from tests.contract.cases.group_protocol import member
from tests.contract.member import Member
from tests.contract.registry import case
from tests.contract.waiting import eventually

UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, GROUP_MAX_SIZE_REACHED = 25, 27, 81
MEMBERS_MAX, DELAY_S = 2, 1.0
FIRST_VERSION_WITH_MANY_LEAVERS = 3


async def is_rebalancing(found: Member) -> bool:
    """Whether a member is told to join again."""
    return await found.heartbeat() == REBALANCE_IN_PROGRESS


@case("JoinGroup")
async def case_group_takes_so_many_members(kafka: Bench) -> None:
    """A member beyond `group.max.size` is error 81, without a member id; there is room again when
    one has left.
    """
    group = kafka.name("g")
    inside = [await member(kafka, group) for _ in range(MEMBERS_MAX)]
    joined = await asyncio.gather(*(each.join() for each in inside))
    assert [answer.error_code for answer in joined] == [0, 0]
    outside = await member(kafka, group)
    refused = await outside.join_once()
    assert (refused.error_code, refused.member_id) == (GROUP_MAX_SIZE_REACHED, "")
    for each in inside:
        await each.leave()
    assert (await outside.join()).error_code == 0


@case("JoinGroup")
async def case_first_join_waits_for_more(kafka: Bench) -> None:
    """A group that begins waits `group.initial.rebalance.delay.ms` for more members, who are all
    in its first generation; one that goes on does not wait.
    """
    loop = asyncio.get_running_loop()
    first, second = [await member(kafka, kafka.name("g")) for _ in range(2)]
    started_s = loop.time()
    joined = await asyncio.gather(first.join(), second.join())
    assert loop.time() - started_s >= DELAY_S * 0.9
    assert [(answer.error_code, answer.generation_id) for answer in joined] == [(0, 1), (0, 1)]
    assert len({answer.leader for answer in joined}) == 1
    leader, follower = (first, second) if first.is_leader else (second, first)
    await leader.sync({each.member_id: b"x" for each in (leader, follower)})
    await follower.sync()
    started_s = loop.time()
    joining = asyncio.ensure_future(leader.join())
    await eventually(lambda: is_rebalancing(follower))
    again = [await follower.join(), await joining]
    assert loop.time() - started_s < DELAY_S * 0.9
    assert [answer.generation_id for answer in again] == [2, 2]


@case("LeaveGroup")
async def case_many_leave_at_once(kafka: Bench) -> None:
    """One request lets several members go, each with an answer of its own, in order."""
    group = kafka.name("g")
    first, second = [await member(kafka, group) for _ in range(2)]
    await asyncio.gather(first.join(), second.join())
    ids = [first.member_id, "nobody", second.member_id]
    request = LeaveGroupRequest(
        group_id=group,
        members=[
            LeaveGroupRequest.MemberIdentity(
                member_id=each, group_instance_id=None, reason="the day is over"
            )
            for each in ids
        ],
    )
    versions = await kafka.versions(LeaveGroupRequest)
    assert versions[-1] > FIRST_VERSION_WITH_MANY_LEAVERS
    answer = await kafka.wire.ask(request, versions[-1])
    assert answer.error_code == 0
    assert [(each.member_id, each.error_code) for each in answer.members] == [
        (first.member_id, 0),
        ("nobody", UNKNOWN_MEMBER_ID),
        (second.member_id, 0),
    ]
    await in_state(kafka, group, "Empty")


@case("JoinGroup")
async def case_member_id_is_no_place(kafka: Bench) -> None:
    """A member that has been given an id has no place yet: when others took the last ones, it is
    error 81, and its id is unknown even when there is room again.
    """
    group = kafka.name("g")
    late = await member(kafka, group)
    late.member_id = (await late.join_once()).member_id
    inside = [await member(kafka, group) for _ in range(MEMBERS_MAX)]
    joining = [asyncio.ensure_future(each.join()) for each in inside]
    await asyncio.gather(joining[0], joining[1])
    assert (await late.join_once()).error_code == GROUP_MAX_SIZE_REACHED
    await inside[0].leave()
    await inside[1].leave()
    assert (await late.join_once()).error_code == UNKNOWN_MEMBER_ID


@case("JoinGroup")
async def case_static_member_of_a_full_group_comes_back(kafka: Bench) -> None:
    """In a full group there is no room for a static member that comes back without its member id;
    with it there is.
    """
    group = kafka.name("g")
    inside = [await member(kafka, group, instance_id=name) for name in ("one", "two")]
    await asyncio.gather(*(each.join() for each in inside))
    leader, follower = sorted(inside, key=lambda each: not each.is_leader)
    await leader.sync({each.member_id: b"x" for each in inside})
    again = await member(kafka, group, instance_id=follower.instance_id)
    assert (await again.join_once()).error_code == GROUP_MAX_SIZE_REACHED
    again.member_id = follower.member_id
    assert (await again.join_once()).error_code == 0
