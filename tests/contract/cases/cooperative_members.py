"""Members that keep what stays theirs while a group rebalances, in two steps."""

from tests.contract.bench import Bench
from tests.contract.clients.client import Client
from tests.contract.clients.interface import Consumer
from tests.contract.clients.terms import Where
from tests.contract.registry import client_case
from tests.contract.waiting import eventually

PARTITIONS = 4
NOT_IN_AIOKAFKA = {"aiokafka": "has no cooperative assignor"}
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
