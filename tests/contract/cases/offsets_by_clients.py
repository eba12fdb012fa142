"""Committed offsets through every client."""

import pytest

from tests.contract.asking import produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Committed, Refused, Where
from tests.contract.registry import client_case
from tests.contract.waiting import eventually


async def three_records(kafka: Bench) -> Where:
    """A new topic's one partition, with the records a, b and c."""
    topic = await kafka.topic()
    for value in (b"a", b"b", b"c"):
        await produce(kafka.wire, topic, batch(value))
    return Where(topic, 0)


async def kept(kafka: Bench, label: str = "g") -> dict[tuple[str, int], tuple[int, str]]:
    """Offsets and metadata that a group has committed, as the broker tells them.

    confluent-kafka ends all metadata with a zero byte, and takes it off again when it reads them.
    """
    found = await kafka.broker.committed(kafka.name(label))
    return {place: (each.offset, each.metadata.rstrip("\0")) for place, each in found.items()}


@client_case("OffsetCommit", "OffsetFetch", "Fetch")
async def case_client_resumes(kafka: Bench, client: Client) -> None:
    """A client that comes back goes on where its group committed."""
    where, group = await three_records(kafka), kafka.name("g")
    first = await client.consumer(where.topic, group=group)
    await read(first, 3)
    await first.commit({where: Committed(1, "seen a")})
    await first.close()
    second = await client.consumer(where.topic, group=group)
    assert [b"b", b"c"] == [record.value for record in await read(second, 2)]
    found = await second.committed(where)
    assert found is not None
    assert 1 == found.offset


@client_case("OffsetCommit", "OffsetFetch")
async def case_positions_are_committed(kafka: Bench, client: Client) -> None:
    """A commit without offsets commits what was handed out, of every partition."""
    topic = await kafka.topic(partitions=2)
    for partition, values in enumerate(([b"a"], [b"b", b"c"])):
        await produce(kafka.wire, topic, batch(*values), partition=partition)
    member = await client.consumer(topic, group=kafka.name("g"))
    await read(member, 3)
    await member.commit()
    offsets = {place: offset for place, (offset, _) in (await kept(kafka)).items()}
    assert {(topic, 0): 1, (topic, 1): 2} == offsets


@client_case("OffsetCommit", "OffsetFetch")
async def case_simple_consumer_commits(kafka: Bench, client: Client) -> None:
    """A consumer that assigns partitions to itself commits to a group without members; stories see
    it.
    """
    where, group = await three_records(kafka), kafka.name("g")
    consumer = await client.consumer(group=group)
    await consumer.assign(where)
    await read(consumer, 3)
    await consumer.commit({where: Committed(2, "m")})
    assert {tuple(where): (2, "m")} == await kept(kafka)


@client_case("OffsetCommit", "OffsetFetch")
async def case_later_commit_replaces(kafka: Bench, client: Client) -> None:
    """A later commit replaces the one before with its metadata, downwards too."""
    where = await three_records(kafka)
    consumer = await client.consumer(group=kafka.name("g"))
    await consumer.assign(where)
    for offset, metadata in ((3, "v1;电站"), (1, ""), (2, "x" * 4_095)):
        await consumer.commit({where: Committed(offset, metadata)})
        assert {tuple(where): (offset, metadata)} == await kept(kafka)


@client_case("OffsetFetch")
async def case_client_finds_nothing_committed(kafka: Bench, client: Client) -> None:
    """A group that has committed nothing has no offset."""
    where = await three_records(kafka)
    consumer = await client.consumer(group=kafka.name("g"))
    await consumer.assign(where)
    assert await consumer.committed(where) is None


@client_case("OffsetCommit", "OffsetFetch")
async def case_groups_commit_for_themselves(kafka: Bench, client: Client) -> None:
    """Two groups' offsets of one partition are apart."""
    where = await three_records(kafka)
    for label, offset in (("one", 1), ("two", 2)):
        consumer = await client.consumer(group=kafka.name(label))
        await consumer.assign(where)
        await consumer.commit({where: Committed(offset)})
    assert {tuple(where): (1, "")} == await kept(kafka, "one")
    assert {tuple(where): (2, "")} == await kept(kafka, "two")


@client_case("OffsetCommit", "OffsetFetch")
async def case_client_commits_by_itself(kafka: Bench, client: Client) -> None:
    """With auto commit what was handed out is committed while the client goes on polling."""
    where = await three_records(kafka)
    member = await client.consumer(where.topic, group=kafka.name("g"), auto_commit=True)
    await read(member, 3)

    async def committed() -> bool:
        await member.poll(0.05)
        return await kept(kafka) == {tuple(where): (3, "")}

    await eventually(committed)


@client_case("OffsetCommit", "OffsetFetch", "LeaveGroup")
async def case_client_commits_when_closed(kafka: Bench, client: Client) -> None:
    """With auto commit a client that is closed has committed what was handed out."""
    where = await three_records(kafka)
    member = await client.consumer(where.topic, group=kafka.name("g"), auto_commit=True)
    await read(member, 3)
    await member.close()
    assert {tuple(where): (3, "")} == await kept(kafka)


@client_case("OffsetCommit", "JoinGroup")
async def case_outsider_may_not_commit(kafka: Bench, client: Client) -> None:
    """While a group has members, one who is none of them cannot commit for it."""
    where, group = await three_records(kafka), kafka.name("g")
    member = await client.consumer(where.topic, group=group)
    await read(member, 3)
    await member.commit({where: Committed(1)})
    outsider = await client.consumer(group=group)
    await outsider.assign(where)
    with pytest.raises(Refused):
        await outsider.commit({where: Committed(2)})
    assert {tuple(where): (1, "")} == await kept(kafka)
