"""Groups as clients live in them: who gets what, when members come and go."""

import asyncio
from itertools import chain

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.contract.bench import Bench, read
from tests.contract.registry import case
from tests.contract.waiting import eventually

QUICK = {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 100, "rebalance_timeout_ms": 10_000}
GROUP_KINDS = ("FindCoordinator", "JoinGroup", "SyncGroup", "Heartbeat")


async def shared_out(
    members: list[AIOKafkaConsumer], topic: str, partitions: int, share: int | None = None
) -> None:
    """Wait until the members hold every partition once, `share` each."""
    everything = sorted(TopicPartition(topic, number) for number in range(partitions))

    async def once_each() -> bool:
        held = [sorted(member.assignment()) for member in members]
        fair = share is None or all(len(each) == share for each in held)
        return fair and sorted(chain.from_iterable(held)) == everything

    await eventually(once_each, what=lambda: f"fair share: {[m.assignment() for m in members]}")


async def join(kafka: Bench, topic: str, **options: object) -> AIOKafkaConsumer:
    """One more member of the case's group."""
    return await kafka.consumer(topic, group_id=kafka.name("g"), **{**QUICK, **options})


@case(*GROUP_KINDS, "OffsetFetch", "Fetch")
async def case_group_of_one(kafka: Bench) -> None:
    """A group's only member gets all partitions and reads everything."""
    topic = await kafka.topic(partitions=3)
    producer = await kafka.producer()
    for number in range(9):
        await producer.send_and_wait(topic, str(number).encode(), partition=number % 3)
    member = await join(kafka, topic)
    found = await read(member, 9)
    await shared_out([member], topic, 3, share=3)
    assert sorted(record.value for record in found) == [str(number).encode() for number in range(9)]


@case(*GROUP_KINDS)
async def case_three_members_share(kafka: Bench) -> None:
    """Three members that come at once hold every partition exactly once, two each."""
    topic = await kafka.topic(partitions=6)
    members = await asyncio.gather(*(join(kafka, topic) for _ in range(3)))
    await shared_out(list(members), topic, 6, share=2)


@case(*GROUP_KINDS)
async def case_late_joiner_gets_its_share(kafka: Bench) -> None:
    """A member that comes late takes over its share."""
    topic = await kafka.topic(partitions=4)
    first = await join(kafka, topic)
    await shared_out([first], topic, 4, share=4)
    second = await join(kafka, topic)
    await shared_out([first, second], topic, 4, share=2)


@case(*GROUP_KINDS, "LeaveGroup")
async def case_leaver_hands_over(kafka: Bench) -> None:
    """When a member stops, the other takes its partitions over at once, long before a session
    timeout.
    """
    topic = await kafka.topic(partitions=4)
    patient = {"session_timeout_ms": 60_000, "rebalance_timeout_ms": 60_000}
    members = list(await asyncio.gather(*(join(kafka, topic, **patient) for _ in range(2))))
    await shared_out(members, topic, 4, share=2)
    await members[0].stop()
    await shared_out([members[1]], topic, 4, share=4)


@case(*GROUP_KINDS, "OffsetCommit", "OffsetFetch")
async def case_nothing_twice_over_a_rebalance(kafka: Bench) -> None:
    """With commits before leaving, records over a hand-over are read once each."""
    topic = await kafka.topic(partitions=2)
    producer = await kafka.producer()
    first = await join(kafka, topic)
    for number in range(10):
        await producer.send_and_wait(topic, str(number).encode(), partition=number % 2)
    seen = await read(first, 10)
    await first.commit()
    await first.stop()
    for number in range(10, 20):
        await producer.send_and_wait(topic, str(number).encode(), partition=number % 2)
    seen += await read(await join(kafka, topic), 10)
    assert sorted(int(record.value or b"") for record in seen) == list(range(20))


@case(*GROUP_KINDS, "Metadata")
async def case_groups_are_apart(kafka: Bench) -> None:
    """Two groups read the same topic each for itself."""
    topic = await kafka.topic()
    producer = await kafka.producer()
    await producer.send_and_wait(topic, b"x")
    for label in ("one", "two"):
        member = await kafka.consumer(topic, group_id=kafka.name(label), **QUICK)
        assert [record.value for record in await read(member, 1)] == [b"x"]


@case(*GROUP_KINDS)
async def case_members_subscribe_differently(kafka: Bench) -> None:
    """Members of one group with different topics get partitions of their own topics only."""
    left, right = await kafka.topic("left", partitions=2), await kafka.topic("right", partitions=2)
    members = await asyncio.gather(join(kafka, left), join(kafka, right))
    for member, topic in zip(members, (left, right), strict=True):
        await shared_out([member], topic, 2, share=2)
