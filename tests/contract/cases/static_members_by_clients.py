"""Clients with an instance id of their own choosing: they come back without a rebalance."""

from tests.contract.bench import Bench
from tests.contract.clients.client import Client
from tests.contract.clients.terms import Refused
from tests.contract.registry import client_case
from tests.contract.sharing import join, shared_out, topic_to_share
from tests.contract.waiting import eventually

KINDS = ("JoinGroup", "SyncGroup", "Heartbeat")


@client_case(*KINDS)
async def case_static_clients_share(kafka: Bench, client: Client) -> None:
    """Static members share partitions as others do."""
    topic = await topic_to_share(kafka, 4)
    members = [await join(kafka, client, topic, instance=name) for name in ("one", "two")]
    await shared_out(members, topic, 4, share=2)


@client_case(*KINDS)
async def case_static_client_comes_back(kafka: Bench, client: Client) -> None:
    """A static member that is closed and comes back gets the partitions it had, and the other
    notices nothing.
    """
    topic = await topic_to_share(kafka, 4)
    first, second = [await join(kafka, client, topic, instance=name) for name in ("one", "two")]
    await shared_out([first, second], topic, 4, share=2)
    held, noticed = await first.assignment(), len(second.gained)
    await first.close()
    again = await join(kafka, client, topic, instance="one")
    await shared_out([again, second], topic, 4, share=2)
    assert held == await again.assignment()
    assert noticed == len(second.gained)


@client_case(*KINDS, "LeaveGroup")
async def case_static_client_does_not_leave(kafka: Bench, client: Client) -> None:
    """What a closed static member held goes to the other when its session has timed out."""
    topic = await topic_to_share(kafka, 2)
    short = {"session_timeout_ms": 1_000, "max_poll_interval_ms": 2_000}
    members = [await join(kafka, client, topic, instance=name, **short) for name in ("one", "two")]
    await shared_out(members, topic, 2, share=1)
    await members[0].close()
    await shared_out(members[1:], topic, 2, share=2)


@client_case(
    *KINDS,
    without={
        "aiokafka": "knows no error above 79, and comes back as if it were new",
        "kafka-python": "logs that it is fenced, and polls on in silence",
    },
)
async def case_replaced_static_client_is_fenced(kafka: Bench, client: Client) -> None:
    """When another client comes with the same instance id, the first is told so and is out."""
    topic = await topic_to_share(kafka, 1)
    first = await join(kafka, client, topic, instance="one")
    await shared_out([first], topic, 1)
    second = await join(kafka, client, topic, instance="one")
    await shared_out([second], topic, 1)
    refused: list[Refused] = []

    async def told() -> bool:
        try:
            await first.poll(0.2)
        except Refused as refusal:
            refused.append(refusal)
        return bool(refused)

    await eventually(told)
    assert "fenced" in str(refused[0])
