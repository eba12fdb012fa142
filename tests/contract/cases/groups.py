"""Groups as clients live in them: who gets what, when members come and go."""

from tests.contract.asking import produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.registry import client_case
from tests.contract.sharing import (
    Holdings,
    each_once,
    join,
    places,
    polled_until,
    shared_out,
    topic_to_share,
)

GROUP_KINDS = ("FindCoordinator", "JoinGroup", "SyncGroup", "Heartbeat")
NOT_COOPERATIVE = {"aiokafka": "has no cooperative assignor"}


@client_case(*GROUP_KINDS, "OffsetFetch", "Fetch")
async def case_group_of_one(kafka: Bench, client: Client) -> None:
    """A group's only member gets all partitions and reads everything."""
    topic = await topic_to_share(kafka, 3)
    member = await join(kafka, client, topic)
    found = await read(member, 3)
    assert [b"0", b"1", b"2"] == [record.value for record in found]
    assert places(topic, 3) == await member.assignment()
    assert places(topic, 3) == frozenset().union(*member.gained)


@client_case(*GROUP_KINDS)
async def case_three_members_share(kafka: Bench, client: Client) -> None:
    """Three members that come at once hold every partition exactly once, two each."""
    topic = await topic_to_share(kafka, 6)
    members = [await join(kafka, client, topic) for _ in range(3)]
    await shared_out(members, topic, 6, share=2)


@client_case(*GROUP_KINDS)
async def case_late_joiner_gets_its_share(kafka: Bench, client: Client) -> None:
    """A member that comes late takes over its share; who was there is told of its loss."""
    topic = await topic_to_share(kafka, 4)
    first = await join(kafka, client, topic)
    await shared_out([first], topic, 4, share=4)
    second = await join(kafka, client, topic)
    await shared_out([first, second], topic, 4, share=2)
    assert await second.assignment() <= frozenset().union(*first.lost)


@client_case(*GROUP_KINDS, "LeaveGroup")
async def case_leaver_hands_over(kafka: Bench, client: Client) -> None:
    """When a member is closed, the other takes its partitions over at once, long before a session
    timeout.
    """
    topic = await topic_to_share(kafka, 4)
    patient = {"session_timeout_ms": 120_000, "max_poll_interval_ms": 120_000}
    members = [await join(kafka, client, topic, **patient) for _ in range(2)]
    await shared_out(members, topic, 4, share=2)
    await members[0].close()
    await shared_out(members[1:], topic, 4, share=4)


@client_case(*GROUP_KINDS, "OffsetCommit", "OffsetFetch")
async def case_nothing_twice_over_a_rebalance(kafka: Bench, client: Client) -> None:
    """With commits before leaving, records over a hand-over are read once each."""
    topic = await kafka.topic(partitions=2)
    first = await join(kafka, client, topic)
    for number in range(10):
        await produce(kafka.wire, topic, batch(b"%d" % number), partition=number % 2)
    seen = await read(first, 10)
    await first.commit()
    await first.close()
    for number in range(10, 20):
        await produce(kafka.wire, topic, batch(b"%d" % number), partition=number % 2)
    seen += await read(await join(kafka, client, topic), 10)
    assert list(range(20)) == sorted(int(record.value or b"") for record in seen)


@client_case(*GROUP_KINDS, "Metadata")
async def case_groups_are_apart(kafka: Bench, client: Client) -> None:
    """Two groups read the same topic each for itself."""
    topic = await topic_to_share(kafka, 1)
    for label in ("one", "two"):
        member = await client.consumer(topic, group=kafka.name(label))
        assert [b"0"] == [record.value for record in await read(member, 1)]


@client_case(*GROUP_KINDS)
async def case_members_subscribe_differently(kafka: Bench, client: Client) -> None:
    """Members of one group with different topics get partitions of their own topics only."""
    left, right = await topic_to_share(kafka, 2, "left"), await topic_to_share(kafka, 2, "right")
    members = [await join(kafka, client, left), await join(kafka, client, right)]
    wanted = [places(left, 2), places(right, 2)]
    await polled_until(members, lambda held: held == wanted)


@client_case(*GROUP_KINDS)
async def case_subscriptions_overlap(kafka: Bench, client: Client) -> None:
    """A topic that two members want is shared; one that a single member wants is that member's."""
    both, own = await topic_to_share(kafka, 2, "both"), await topic_to_share(kafka, 2, "own")
    members = [await join(kafka, client, both, own), await join(kafka, client, both)]

    def fair(held: Holdings) -> bool:
        once = each_once(places(both, 2) | places(own, 2))(held)
        return once and places(own, 2) <= held[0] and len(held[1]) == 1

    await polled_until(members, fair)


@client_case(*GROUP_KINDS, "LeaveGroup")
async def case_idle_member_stands_by(kafka: Bench, client: Client) -> None:
    """With more members than partitions one holds nothing, until another leaves."""
    topic = await topic_to_share(kafka, 1)
    members = [await join(kafka, client, topic) for _ in range(2)]
    await shared_out(members, topic, 1)
    busy, idle = members if await members[0].assignment() else members[::-1]
    assert frozenset() == await idle.assignment()
    await busy.close()
    await shared_out([idle], topic, 1, share=1)


@client_case(*GROUP_KINDS)
async def case_round_robin(kafka: Bench, client: Client) -> None:
    """Members that agree on round robin share two topics of one partition, which the range
    assignor gives to one of them.
    """
    topics = [await topic_to_share(kafka, 1, label) for label in ("a", "b")]
    everything = places(topics[0], 1) | places(topics[1], 1)
    for assignor, shares in (("range", [0, 2]), ("roundrobin", [1, 1])):
        group = kafka.name(assignor)
        members = [await client.consumer(*topics, group=group, assignor=assignor) for _ in range(2)]

        def dealt(held: Holdings, shares: list[int] = shares) -> bool:
            return each_once(everything)(held) and shares == sorted(len(each) for each in held)

        await polled_until(members, dealt)


@client_case(*GROUP_KINDS, without=NOT_COOPERATIVE)
async def case_cooperative_members_keep_theirs(kafka: Bench, client: Client) -> None:
    """In a cooperative group a late joiner takes only its share: what the other keeps, it never
    loses.
    """
    topic = await topic_to_share(kafka, 4)
    first = await join(kafka, client, topic, assignor="cooperative")
    await shared_out([first], topic, 4, share=4)
    second = await join(kafka, client, topic, assignor="cooperative")
    await shared_out([first, second], topic, 4, share=2)
    assert [2] == [len(lost) for lost in first.lost if lost]
    assert await second.assignment() == frozenset().union(*first.lost)


@client_case(*GROUP_KINDS, "LeaveGroup")
async def case_member_that_does_not_poll_is_out(kafka: Bench, client: Client) -> None:
    """A member that is not polled for `max.poll.interval.ms` loses its partitions to the other,
    though it beats; polled again, it gets its share back.
    """
    topic = await topic_to_share(kafka, 2)
    impatient = {"session_timeout_ms": 1_000, "max_poll_interval_ms": 1_000}
    members = [await join(kafka, client, topic, **impatient) for _ in range(2)]
    await shared_out(members, topic, 2, share=1)
    await shared_out(members[:1], topic, 2, share=2)
    await shared_out(members, topic, 2, share=1)
