"""Committed offsets: kept per group, topic and partition; fenced by generation."""

import asyncio

from kafka.protocol.consumer import OffsetCommitRequest, OffsetFetchRequest

from tests.contract.bench import Bench
from tests.contract.cases.group_protocol import find_coordinator, member, rebalancing
from tests.contract.member import commit, committed
from tests.contract.registry import case

UNKNOWN_TOPIC_OR_PARTITION = 3
OFFSET_METADATA_TOO_LARGE = 12
ILLEGAL_GENERATION = 22
UNKNOWN_MEMBER_ID = 25
REBALANCE_IN_PROGRESS = 27
SINCE_TOPIC_IDS = 10


@case("OffsetCommit", "OffsetFetch")
async def case_offsets_every_version(kafka: Bench) -> None:
    """OffsetCommit and OffsetFetch answer at every version they advertise."""
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    for number, version in enumerate(await kafka.versions(OffsetCommitRequest)):
        if version < SINCE_TOPIC_IDS:
            assert await commit(kafka.wire, group, topic, number, version=version) == 0
            assert await committed(kafka.wire, group, topic) == (number, "", 0)
    assert await commit(kafka.wire, group, topic, 77, metadata="m") == 0
    for version in await kafka.versions(OffsetFetchRequest):
        if version < SINCE_TOPIC_IDS:
            assert await committed(kafka.wire, group, topic, version=version) == (77, "m", 0)


@case("OffsetFetch")
async def case_nothing_committed(kafka: Bench) -> None:
    """Where nothing was committed the offset is -1, without error, for unknown groups and topics
    too.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    for name in (topic, kafka.name("nowhere")):
        assert await committed(kafka.wire, group, name) == (-1, "", 0)


@case("OffsetCommit", "OffsetFetch")
async def case_commit_keeps_metadata(kafka: Bench) -> None:
    """Metadata comes back as committed; null becomes empty; a later commit replaces, downwards
    too.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    for offset, metadata, expected in ((5, "v1;电站", "v1;电站"), (3, None, ""), (9, "", "")):
        assert await commit(kafka.wire, group, topic, offset, metadata=metadata) == 0
        assert await committed(kafka.wire, group, topic) == (offset, expected, 0)


@case("OffsetCommit")
async def case_commit_metadata_too_large(kafka: Bench) -> None:
    """Metadata above 4096 bytes is error 12, and the old commit stays."""
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    assert await commit(kafka.wire, group, topic, 1, metadata="x" * 4096) == 0
    code = await commit(kafka.wire, group, topic, 2, metadata="x" * 4097)
    assert code == OFFSET_METADATA_TOO_LARGE
    assert (await committed(kafka.wire, group, topic))[0] == 1


@case("OffsetCommit")
async def case_commit_unknown_topic(kafka: Bench) -> None:
    """A commit for an unknown topic or partition is error 3."""
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    for name, partition in ((kafka.name("nowhere"), 0), (topic, 1)):
        code = await commit(kafka.wire, group, name, 1, partition=partition)
        assert code == UNKNOWN_TOPIC_OR_PARTITION


@case("OffsetCommit")
async def case_commit_is_fenced(kafka: Bench) -> None:
    """A commit of another generation is error 22, of a stranger, or of nobody while the group has
    members, error 25.
    """
    topic = await kafka.topic()
    alone = await member(kafka, kafka.name("g"))
    await alone.enter()
    assert await alone.commit(topic, 4) == 0
    for generation, member_id, expected in (
        (alone.generation + 1, alone.member_id, ILLEGAL_GENERATION),
        (alone.generation - 1, alone.member_id, ILLEGAL_GENERATION),
        (alone.generation, "stranger", UNKNOWN_MEMBER_ID),
        (-1, "", UNKNOWN_MEMBER_ID),
    ):
        code = await commit(
            kafka.wire, alone.group, topic, 9, generation=generation, member_id=member_id
        )
        assert code == expected
    assert (await committed(kafka.wire, alone.group, topic))[0] == 4


@case("OffsetCommit", "JoinGroup")
async def case_commit_while_preparing(kafka: Bench) -> None:
    """While members are awaited, a commit of the old generation still counts."""
    topic, group = await kafka.topic(), kafka.name("g")
    first, second = await member(kafka, group), await member(kafka, group)
    await first.enter()
    joining = asyncio.create_task(second.join())
    await rebalancing(first)
    assert await first.commit(topic, 6) == 0
    await asyncio.gather(first.join(), joining)
    assert await first.commit(topic, 7) == REBALANCE_IN_PROGRESS
    assert (await committed(kafka.wire, group, topic))[0] == 6


@case("OffsetCommit", "LeaveGroup")
async def case_commit_after_leaving(kafka: Bench) -> None:
    """One who has left cannot commit: error 25; to the empty group anyone may, without member
    id.
    """
    topic = await kafka.topic()
    alone = await member(kafka, kafka.name("g"))
    await alone.enter()
    await alone.leave()
    assert await alone.commit(topic, 4) == UNKNOWN_MEMBER_ID
    assert await commit(kafka.wire, alone.group, topic, 5) == 0


@case("OffsetCommit", "OffsetFetch")
async def case_groups_commit_apart(kafka: Bench) -> None:
    """Groups, topics and partitions keep their offsets apart; asked for all topics (null), a group
    names its own.
    """
    left, right = await kafka.topic("left", partitions=2), await kafka.topic("right")
    one, two = kafka.name("one"), kafka.name("two")
    await find_coordinator(kafka, one)
    await find_coordinator(kafka, two)
    for group, topic, partition, offset in (
        (one, left, 0, 1),
        (one, left, 1, 2),
        (one, right, 0, 3),
        (two, left, 0, 4),
    ):
        assert await commit(kafka.wire, group, topic, offset, partition=partition) == 0
    answer = await kafka.wire.ask(OffsetFetchRequest(group_id=one, topics=None), 3)
    found = {
        (topic.name, part.partition_index): part.committed_offset
        for topic in answer.topics
        for part in topic.partitions
    }
    assert found == {(left, 0): 1, (left, 1): 2, (right, 0): 3}
