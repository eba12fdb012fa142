"""Offsets that are committed in transactions, through every client."""

from tests.contract.asking import produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Committed, Where
from tests.contract.registry import client_case

KINDS = ("AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn", "OffsetFetch")


async def source_of(kafka: Bench, *values: bytes) -> Where:
    """A topic's one partition to read from."""
    topic = await kafka.topic("source")
    await produce(kafka.wire, topic, batch(*values))
    return Where(topic, 0)


async def kept(kafka: Bench) -> dict[tuple[str, int], int]:
    """The group's offsets."""
    found = await kafka.broker.committed(kafka.name("g"))
    return {place: each.offset for place, each in found.items() if each.offset >= 0}


@client_case(*KINDS, "Produce", "Fetch")
async def case_client_sends_offsets_to_a_transaction(kafka: Bench, client: Client) -> None:
    """A client that reads, writes and commits what it read in one transaction starts again where
    the last committed one ended.
    """
    source, target = await source_of(kafka, b"0", b"1", b"2", b"3"), await kafka.topic("target")
    producer = await client.producer(transactional_id=kafka.name("p"))
    for commits, expected in ((False, 0), (True, 0), (True, 2)):
        consumer = await client.consumer(source.topic, group=kafka.name("g"), committed_only=True)
        found = (await read(consumer, 4 - expected))[:2]
        assert [expected, expected + 1] == [record.offset for record in found]
        await producer.begin()
        for record in found:
            await producer.send(target, record.value)
        await producer.send_offsets({source: found[-1].offset + 1}, consumer)
        await (producer.commit() if commits else producer.abort())
        await consumer.close()
    reader = await client.consumer(target, committed_only=True)
    assert [b"0", b"1", b"2", b"3"] == [record.value for record in await read(reader, 4)]


@client_case(*KINDS)
async def case_offsets_count_with_their_transaction(kafka: Bench, client: Client) -> None:
    """Offsets of a transaction count when it is committed; those of an aborted one never do."""
    source = await source_of(kafka, b"a", b"b")
    member = await client.consumer(source.topic, group=kafka.name("g"))
    await read(member, 2)
    producer = await client.producer(transactional_id=kafka.name("p"))
    for offset, commits, expected in ((1, True, 1), (2, False, 1), (2, True, 2)):
        await producer.begin()
        await producer.send_offsets({source: offset}, member)
        await (producer.commit() if commits else producer.abort())
        assert {tuple(source): expected} == await kept(kafka)


@client_case(*KINDS)
async def case_open_offsets_do_not_count(kafka: Bench, client: Client) -> None:
    """While its transaction is open, what was committed before counts."""
    source = await source_of(kafka, b"a", b"b")
    member = await client.consumer(source.topic, group=kafka.name("g"))
    await read(member, 2)
    await member.commit({source: Committed(1)})
    producer = await client.producer(transactional_id=kafka.name("p"))
    await producer.begin()
    await producer.send_offsets({source: 2}, member)
    assert {tuple(source): 1} == await kept(kafka)
    await producer.commit()
    assert {tuple(source): 2} == await kept(kafka)
