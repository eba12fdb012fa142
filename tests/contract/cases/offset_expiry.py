"""How long committed offsets live when their client says so, and what keeps them.

The brokers of these cases look for old offsets all the time.
"""

from typing import Any

from kafka.protocol.consumer import OffsetCommitRequest

from tests.contract.bench import Bench
from tests.contract.cases.administration import describe
from tests.contract.cases.group_protocol import find_coordinator
from tests.contract.member import Member, committed, subscription
from tests.contract.registry import case
from tests.contract.waiting import eventually

SOON_MS, A_DAY_MS = 1_000, 86_400_000
LAST_VERSION_WITH_RETENTION = 4
BROKERS_OWN = -1


async def commit_for(
    kafka: Bench, group: str, topic: str, retention_ms: int, member: Member | None = None
) -> int:
    """Commit offset 7 to be kept for so long; returns the error code."""
    wanted = OffsetCommitRequest.OffsetCommitRequestTopic
    part = wanted.OffsetCommitRequestPartition(
        partition_index=0, committed_offset=7, committed_metadata=""
    )
    request = OffsetCommitRequest(
        group_id=group,
        generation_id_or_member_epoch=-1 if member is None else member.generation,
        member_id="" if member is None else member.member_id,
        retention_time_ms=retention_ms,
        topics=[wanted(name=topic, partitions=[part])],
    )
    answer = await kafka.wire.ask(request, LAST_VERSION_WITH_RETENTION)
    code: int = answer.topics[0].partitions[0].error_code
    return code


async def forgotten(kafka: Bench, group: str, topic: str) -> Any:
    """Whether nothing is committed any more."""
    return (await committed(kafka.wire, group, topic))[0] == -1


async def is_in_state(kafka: Bench, group: str, state: str) -> bool:
    """Whether a group is in a state, as Kafka spells it."""
    return bool((await describe(kafka, group)).group_state == state)


@case("OffsetCommit", "OffsetFetch")
async def case_offset_lives_as_long_as_asked(kafka: Bench) -> None:
    """An offset committed with a retention of its own is forgotten after it; one that leaves it to
    the broker stays.
    """
    own, brokers, group = await kafka.topic("own"), await kafka.topic("b"), kafka.name("g")
    await find_coordinator(kafka, group)
    assert await commit_for(kafka, group, own, SOON_MS) == 0
    assert await commit_for(kafka, group, brokers, BROKERS_OWN) == 0
    assert (await committed(kafka.wire, group, own))[0] == 7
    await eventually(lambda: forgotten(kafka, group, own))
    assert (await committed(kafka.wire, group, brokers))[0] == 7


@case("OffsetCommit", "OffsetFetch", "DescribeGroups")
async def case_group_goes_with_its_last_offset(kafka: Bench) -> None:
    """An empty group is gone when its last offset is forgotten; a client finds it dead."""
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    assert await commit_for(kafka, group, topic, SOON_MS) == 0
    assert (await describe(kafka, group)).group_state == "Empty"
    await eventually(lambda: is_in_state(kafka, group, "Dead"))


@case("OffsetCommit", "OffsetFetch", "JoinGroup")
async def case_subscription_keeps_an_offset(kafka: Bench) -> None:
    """In a stable group an offset outlives its retention as long as a member is subscribed to its
    topic; those of other topics do not.
    """
    wanted, other, group = await kafka.topic("w"), await kafka.topic("o"), kafka.name("g")
    await find_coordinator(kafka, group)
    member = Member(
        await kafka.connect(), group, protocols={"range": subscription(topics=[wanted])}
    )
    await member.enter()
    for topic in (wanted, other):
        assert await commit_for(kafka, group, topic, SOON_MS, member) == 0
    await eventually(lambda: forgotten(kafka, group, other))
    assert (await committed(kafka.wire, group, wanted))[0] == 7
    await member.leave()
    await eventually(lambda: forgotten(kafka, group, wanted))


@case("OffsetCommit", "OffsetFetch")
async def case_last_commit_says_how_long(kafka: Bench) -> None:
    """The retention of an offset is that of its last commit, whether that is longer or shorter."""
    longer, shorter, group = await kafka.topic("l"), await kafka.topic("s"), kafka.name("g")
    await find_coordinator(kafka, group)
    assert await commit_for(kafka, group, longer, SOON_MS) == 0
    assert await commit_for(kafka, group, longer, A_DAY_MS) == 0
    assert await commit_for(kafka, group, shorter, A_DAY_MS) == 0
    assert await commit_for(kafka, group, shorter, SOON_MS) == 0
    await eventually(lambda: forgotten(kafka, group, shorter))
    assert (await committed(kafka.wire, group, longer))[0] == 7


@case("OffsetCommit", "OffsetFetch", "DescribeGroups")
async def case_forgotten_offset_is_committed_again(kafka: Bench) -> None:
    """What was forgotten, the group with it, can be committed again, and then stays as asked."""
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    assert await commit_for(kafka, group, topic, SOON_MS) == 0
    await eventually(lambda: is_in_state(kafka, group, "Dead"))
    assert await commit_for(kafka, group, topic, BROKERS_OWN) == 0
    assert await is_in_state(kafka, group, "Empty")
    assert (await committed(kafka.wire, group, topic))[0] == 7
