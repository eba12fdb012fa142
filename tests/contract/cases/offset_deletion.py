"""Single offsets that a group is to forget."""

import asyncio

from kafka.protocol.consumer import OffsetDeleteRequest

from tests.contract.bench import Bench
from tests.contract.cases.group_protocol import find_coordinator, member, rebalancing
from tests.contract.connection import Connection
from tests.contract.member import commit, committed, subscription
from tests.contract.registry import case

UNKNOWN_TOPIC_OR_PARTITION = 3
INVALID_GROUP_ID = 24
NON_EMPTY_GROUP = 68
GROUP_ID_NOT_FOUND = 69
GROUP_SUBSCRIBED_TO_TOPIC = 86


async def delete_offset(
    wire: Connection, group: str, topic: str, partition: int = 0
) -> tuple[int, list[int]]:
    """Delete one offset; the error code of the group, and those of the partitions."""
    topic_class = OffsetDeleteRequest.OffsetDeleteRequestTopic
    asked = topic_class.OffsetDeleteRequestPartition(partition_index=partition)
    request = OffsetDeleteRequest(
        group_id=group, topics=[topic_class(name=topic, partitions=[asked])]
    )
    answer = await wire.ask(request, 0)
    return answer.error_code, [
        part.error_code for found in answer.topics for part in found.partitions
    ]


@case("OffsetDelete", "OffsetFetch")
async def case_offset_is_deleted(kafka: Bench) -> None:
    """A deleted offset is -1 again, the others stay; one that is not there is deleted without
    error.
    """
    topic, group = await kafka.topic(partitions=2), kafka.name("g")
    await find_coordinator(kafka, group)
    for partition in (0, 1):
        assert await commit(kafka.wire, group, topic, 7, partition=partition) == 0
    for _ in range(2):
        assert await delete_offset(kafka.wire, group, topic, 1) == (0, [0])
        assert (await committed(kafka.wire, group, topic, partition=1))[0] == -1
    assert (await committed(kafka.wire, group, topic))[0] == 7


@case("OffsetDelete")
async def case_offset_deletion_of_the_unknown(kafka: Bench) -> None:
    """A group that is not there is error 69, one without a name error 24, a partition that is not
    there error 3.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    assert await delete_offset(kafka.wire, group, topic) == (GROUP_ID_NOT_FOUND, [])
    assert await delete_offset(kafka.wire, "", topic) == (INVALID_GROUP_ID, [])
    assert await commit(kafka.wire, group, topic, 7) == 0
    for name, partition in ((topic, 9), (kafka.name("nowhere"), 0)):
        found = await delete_offset(kafka.wire, group, name, partition)
        assert found == (0, [UNKNOWN_TOPIC_OR_PARTITION])


@case("OffsetDelete")
async def case_offset_in_use_is_kept(kafka: Bench) -> None:
    """The offset of a topic to which a member is subscribed is not deleted, error 86; that of
    another topic is.
    """
    used, left = await kafka.topic("used"), await kafka.topic("left")
    metadata = subscription(topics=[used])
    alone = await member(kafka, kafka.name("g"), protocols={"range": metadata})
    await alone.enter()
    for topic in (used, left):
        assert await alone.commit(topic, 7) == 0
    assert await delete_offset(kafka.wire, alone.group, used) == (0, [GROUP_SUBSCRIBED_TO_TOPIC])
    assert await delete_offset(kafka.wire, alone.group, left) == (0, [0])
    assert (await committed(kafka.wire, alone.group, used))[0] == 7
    assert (await committed(kafka.wire, alone.group, left))[0] == -1
    await alone.leave()
    assert await delete_offset(kafka.wire, alone.group, used) == (0, [0])


@case("OffsetDelete")
async def case_offsets_of_unreadable_subscriptions_are_kept(kafka: Bench) -> None:
    """Where a member's metadata cannot be read, every topic counts as subscribed."""
    topic = await kafka.topic()
    alone = await member(kafka, kafka.name("g"), protocols={"range": b"?"})
    await alone.enter()
    assert await alone.commit(topic, 7) == 0
    found = await delete_offset(kafka.wire, alone.group, topic)
    assert found == (0, [GROUP_SUBSCRIBED_TO_TOPIC])


@case("OffsetDelete")
async def case_offsets_of_other_members_are_kept(kafka: Bench) -> None:
    """A group whose members are no consumers loses no offset, error 68, until it is empty."""
    topic = await kafka.topic()
    alone = await member(kafka, kafka.name("g"), protocol_type="connect")
    await alone.enter()
    assert await alone.commit(topic, 7) == 0
    assert await delete_offset(kafka.wire, alone.group, topic) == (NON_EMPTY_GROUP, [])
    await alone.leave()
    assert await delete_offset(kafka.wire, alone.group, topic) == (0, [0])


@case("OffsetDelete", "JoinGroup")
async def case_offset_in_use_by_the_old_generation(kafka: Bench) -> None:
    """While members are awaited, the subscriptions of the generation before count."""
    used, wanted = await kafka.topic("used"), await kafka.topic("wanted")
    group = kafka.name("g")
    first = await member(kafka, group, protocols={"range": subscription(topics=[used])})
    second = await member(kafka, group, protocols={"range": subscription(topics=[wanted])})
    await first.enter()
    joining = asyncio.create_task(second.join())
    await rebalancing(first)
    assert await delete_offset(kafka.wire, group, used) == (0, [GROUP_SUBSCRIBED_TO_TOPIC])
    assert await delete_offset(kafka.wire, group, wanted) == (0, [0])
    await asyncio.gather(first.join(), joining)
    assert await delete_offset(kafka.wire, group, wanted) == (0, [GROUP_SUBSCRIBED_TO_TOPIC])
