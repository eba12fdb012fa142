"""Looking at groups and removing them through every client."""

import pytest

from tests.contract.bench import Bench
from tests.contract.clients.client import Client
from tests.contract.clients.interface import Admin
from tests.contract.clients.terms import Committed, Refused, Where
from tests.contract.registry import client_case
from tests.contract.sharing import join, shared_out, topic_to_share
from tests.contract.waiting import eventually

NON_EMPTY_GROUP = 68
DELETES_NO_GROUPS = {"aiokafka": "cannot delete groups"}


async def until_shown(admin: Admin, group: str, state: str, members: int) -> None:
    """Wait until a group is shown so; what is shown follows what is done a moment later."""
    shown: list[tuple[str, int]] = []

    async def so() -> bool:
        shown[:] = [await admin.group(group)]
        return shown == [(state, members)]

    await eventually(so, what=lambda: f"{state} with {members}, but {shown}")


@client_case("ListGroups", "DescribeGroups")
async def case_client_looks_at_a_group(kafka: Bench, client: Client) -> None:
    """A group is listed, is stable with its members, and empty when they have left."""
    topic, admin, group = await topic_to_share(kafka, 2), await client.admin(), kafka.name("g")
    members = [await join(kafka, client, topic) for _ in range(2)]
    await shared_out(members, topic, 2, share=1)
    await until_shown(admin, group, "Stable", 2)
    assert group in await admin.groups()
    for each in members:
        await each.close()
    await until_shown(admin, group, "Empty", 0)


@client_case("ListGroups")
async def case_simple_consumers_group_is_listed(kafka: Bench, client: Client) -> None:
    """A group that has only committed is listed, and empty."""
    where, group = Where(await topic_to_share(kafka, 1), 0), kafka.name("g")
    consumer = await client.consumer(group=group)
    await consumer.assign(where)
    await consumer.commit({where: Committed(1)})
    admin = await client.admin()
    assert group in await admin.groups()
    assert ("Empty", 0) == await admin.group(group)


@client_case("OffsetFetch", "OffsetCommit")
async def case_client_looks_at_offsets(kafka: Bench, client: Client) -> None:
    """An admin client is told all offsets of a group."""
    topic, group = await topic_to_share(kafka, 3), kafka.name("g")
    first, last = Where(topic, 0), Where(topic, 2)
    consumer = await client.consumer(group=group)
    await consumer.assign(first, last)
    await consumer.commit({first: Committed(0), last: Committed(1)})
    found = await (await client.admin()).group_offsets(group)
    assert {first: 0, last: 1} == {where: kept.offset for where, kept in found.items()}


@client_case("DeleteGroups", "OffsetFetch", without=DELETES_NO_GROUPS)
async def case_client_deletes_a_group(kafka: Bench, client: Client) -> None:
    """A deleted group is no longer listed, and has no offsets."""
    where, group = Where(await topic_to_share(kafka, 1), 0), kafka.name("g")
    consumer, admin = await client.consumer(group=group), await client.admin()
    await consumer.assign(where)
    await consumer.commit({where: Committed(1)})
    await admin.delete_group(group)
    assert group not in await admin.groups()
    assert await consumer.committed(where) is None


@client_case("DeleteGroups", without=DELETES_NO_GROUPS)
async def case_client_deletes_no_group_at_work(kafka: Bench, client: Client) -> None:
    """A group with members is not deleted: error 68."""
    topic, admin = await topic_to_share(kafka, 1), await client.admin()
    member = await join(kafka, client, topic)
    await shared_out([member], topic, 1)
    with pytest.raises(Refused) as refused:
        await admin.delete_group(kafka.name("g"))
    assert NON_EMPTY_GROUP == refused.value.code
