"""Members that keep what stays theirs while a group rebalances, in two steps."""

import asyncio

from tests.contract.bench import Bench
from tests.contract.cases.group_protocol import member, rebalancing, two_members
from tests.contract.clients.client import Client, read
from tests.contract.clients.interface import Consumer
from tests.contract.clients.terms import Where
from tests.contract.member import Member, subscription
from tests.contract.registry import case, client_case
from tests.contract.waiting import eventually

PARTITIONS = 4
NOT_IN_AIOKAFKA = {"aiokafka": "has no cooperative assignor"}
COOPERATIVE, EAGER = "cooperative-sticky", "range"
KINDS = ("JoinGroup", "SyncGroup", "Heartbeat", "LeaveGroup")


async def share_out(consumers: list[Consumer], topic: str) -> None:
    """Poll until all partitions are held once, in equal shares."""
    everything = {Where(topic, number) for number in range(PARTITIONS)}

    async def is_fair() -> bool:
        for consumer in consumers:
            await consumer.poll(consumer.poll_s)
        held = [await consumer.assignment() for consumer in consumers]
        fair = all(len(each) == PARTITIONS // len(consumers) for each in held)
        return fair and frozenset().union(*held) == everything

    await eventually(is_fair, deadline_s=60.0, what="a fair share")


@client_case(*KINDS, without=NOT_IN_AIOKAFKA)
async def case_cooperative_members_keep_what_stays(kafka: Bench, client: Client) -> None:
    """When a member comes, the one that is there gives up what goes to the other, and nothing else;
    when it leaves again, the other gets it back and has lost nothing.
    """
    topic, group = await kafka.topic(partitions=PARTITIONS), kafka.name("g")
    settings = {"group": group, "assignor": "cooperative"}
    first = await client.consumer(topic, **settings)
    await share_out([first], topic)
    second = await client.consumer(topic, **settings)
    await share_out([first, second], topic)
    given_up = frozenset().union(*first.lost)
    assert len(given_up) == PARTITIONS // 2
    assert given_up == await second.assignment()
    await second.close()
    await share_out([first], topic)
    assert frozenset().union(*first.lost) == given_up


def owning(what: bytes) -> dict[str, bytes]:
    """The protocols of a member that says what it owns, which no broker looks into."""
    return {COOPERATIVE: subscription(what)}


def both(*owned: bytes) -> list[bytes]:
    """What a leader is told of members that own this."""
    return sorted(map(subscription, owned))


async def join_all(*members: Member) -> list[bytes]:
    """Let members join who have to, the first of which leads; returns what they said they own."""
    answers = await asyncio.gather(*(each.join() for each in members))
    assert [answer.error_code for answer in answers] == [0] * len(members)
    return sorted(found.metadata for found in answers[0].members)


@case("JoinGroup", "SyncGroup", "Heartbeat")
async def case_partition_moves_in_two_generations(kafka: Bench) -> None:
    """In the first generation with a new member the leader gives it nothing; when it joins again,
    saying what it still owns, the second one begins, in which the new member gets the rest.
    """
    group = kafka.name("g")
    old = await member(kafka, group, protocols=owning(b"owns 0 1"))
    await old.enter()
    new = await member(kafka, group, protocols=owning(b"owns"))
    joining = asyncio.ensure_future(new.join())
    await rebalancing(old)
    assert await join_all(old) == both(b"owns", b"owns 0 1")
    await joining
    given = await asyncio.gather(old.sync({old.member_id: b"0"}), new.sync())
    assert [answer.assignment for answer in given] == [b"0", b""]
    old.protocols = owning(b"owns 0")
    again = asyncio.ensure_future(join_all(old))
    await rebalancing(new)
    await new.join()
    assert await again == both(b"owns", b"owns 0")
    shares = {old.member_id: b"0", new.member_id: b"1"}
    given = await asyncio.gather(old.sync(shares), new.sync())
    assert [answer.assignment for answer in given] == [b"0", b"1"]
    assert (old.generation, new.generation) == (3, 3)


@case("JoinGroup", "Heartbeat")
async def case_follower_that_owns_less_begins_a_rebalance(kafka: Bench) -> None:
    """A follower that joins a group at rest and says something else than before begins another
    generation; one that says the same is given the present one.
    """
    leader, follower = await two_members(kafka, protocols=owning(b"owns 0"))
    same = await follower.join()
    assert (same.error_code, same.generation_id) == (0, leader.generation)
    follower.protocols = owning(b"owns")
    joining = asyncio.ensure_future(follower.join())
    await rebalancing(leader)
    assert await join_all(leader) == both(b"owns", b"owns 0")
    assert (await joining).generation_id == same.generation_id + 1


@case("JoinGroup", "LeaveGroup")
async def case_group_becomes_cooperative(kafka: Bench) -> None:
    """As long as one member knows only an eager protocol, that is the group's; when the last such
    has come again knowing both, it is what most of them prefer.
    """
    group = kafka.name("g")
    both = {COOPERATIVE: b"", EAGER: b""}
    first = await member(kafka, group, protocols=both)
    assert (await first.join()).protocol_name == COOPERATIVE
    second = await member(kafka, group, protocols={EAGER: b""})
    joining = asyncio.ensure_future(second.join())
    await rebalancing(first)
    assert (await first.join()).protocol_name == EAGER
    assert (await joining).protocol_name == EAGER
    second.protocols = both
    joining = asyncio.ensure_future(second.join())
    await rebalancing(first)
    assert (await first.join()).protocol_name == COOPERATIVE
    assert (await joining).protocol_name == COOPERATIVE


@client_case(
    *KINDS,
    without={
        **NOT_IN_AIOKAFKA,
        "kafka-python": "hands out nothing more of what it keeps in a cooperative rebalance",
    },
)
async def case_cooperative_member_reads_on(kafka: Bench, client: Client) -> None:
    """What a member keeps it goes on reading where it was; what it gives up, the other reads from
    where the first one committed. Nothing is read twice, nothing is missing.
    """
    topic, group = await kafka.topic(partitions=PARTITIONS), kafka.name("g")
    producer = await client.producer()
    for number in range(PARTITIONS):
        await producer.send(topic, b"before", partition=number)
    settings = {"group": group, "assignor": "cooperative"}
    first = await client.consumer(topic, **settings)
    assert [b"before"] * PARTITIONS == [found.value for found in await read(first, PARTITIONS)]
    await first.commit()
    second = await client.consumer(topic, **settings)
    await share_out([first, second], topic)
    for number in range(PARTITIONS):
        await producer.send(topic, b"after", partition=number)
    half = PARTITIONS // 2
    found = [*await read(first, half), *await read(second, half)]
    assert [b"after"] * PARTITIONS == [record.value for record in found]
    assert len({record.where for record in found}) == PARTITIONS
