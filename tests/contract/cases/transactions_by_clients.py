"""Transactional producers and readers of committed records, through every client."""

import pytest

from tests.contract.asking import produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.interface import Producer
from tests.contract.clients.terms import Outgoing, Refused
from tests.contract.registry import client_case

INVALID_PRODUCER_EPOCH = 47
PRODUCER_FENCED = 90
KINDS = ("InitProducerId", "AddPartitionsToTxn", "Produce", "EndTxn")


async def write(producer: Producer, topic: str, *values: bytes, partition: int = 0) -> None:
    """Write values to a partition, as part of a transaction that is open."""
    await producer.send_many([Outgoing(topic, value, partition=partition) for value in values])


async def values_of(
    client: Client, *topics: str, count: int, committed_only: bool = True
) -> list[bytes | None]:
    """What a new reader reads, by topic and partition."""
    reader = await client.consumer(*topics, committed_only=committed_only)
    return [record.value for record in await read(reader, count)]


@client_case(*KINDS, "Fetch")
async def case_transactional_client(kafka: Bench, client: Client) -> None:
    """Committed records are read by a reader of committed records, aborted ones only by the
    others.
    """
    topic = await kafka.topic(partitions=2)
    producer = await client.producer(transactional_id=kafka.name("p"))
    for word, commits in ((b"a", True), (b"b", False), (b"c", True)):
        await producer.begin()
        for partition in (0, 1):
            await write(producer, topic, word, partition=partition)
        await (producer.commit() if commits else producer.abort())
    assert [b"a", b"c"] * 2 == await values_of(client, topic, count=4)
    everything = await values_of(client, topic, count=6, committed_only=False)
    assert [b"a", b"b", b"c"] * 2 == everything


@client_case(*KINDS)
async def case_transaction_spans_topics(kafka: Bench, client: Client) -> None:
    """One transaction commits in several topics."""
    topics = [await kafka.topic("a"), await kafka.topic("b")]
    producer = await client.producer(transactional_id=kafka.name("p"))
    await producer.begin()
    for topic in topics:
        await write(producer, topic, b"x", b"y")
    await producer.commit()
    assert [b"x", b"y"] * 2 == await values_of(client, *topics, count=4)


@client_case(*KINDS, "Fetch")
async def case_open_transaction_holds_readers(kafka: Bench, client: Client) -> None:
    """A reader of committed records waits at an open transaction, though others wrote behind it;
    the end of the transaction lets it go on.
    """
    topic = await kafka.topic()
    producer = await client.producer(transactional_id=kafka.name("p"))
    await producer.begin()
    await write(producer, topic, b"in doubt")
    await produce(kafka.wire, topic, batch(b"behind"))
    assert [b"in doubt", b"behind"] == await values_of(client, topic, count=2, committed_only=False)
    reader = await client.consumer(topic, committed_only=True)
    assert [] == await reader.poll(0.3)
    await producer.commit()
    assert [b"in doubt", b"behind"] == [each.value for each in await read(reader, 2)]


@client_case(*KINDS)
async def case_many_transactions(kafka: Bench, client: Client) -> None:
    """One producer's transactions follow each other; offsets count their markers too."""
    topic = await kafka.topic()
    producer = await client.producer(transactional_id=kafka.name("p"))
    for number in range(5):
        await producer.begin()
        assert 2 * number == (await producer.send(topic, b"%d" % number, partition=0)).offset
        await producer.commit()
    assert [b"%d" % number for number in range(5)] == await values_of(client, topic, count=5)


@client_case("InitProducerId", "EndTxn", "Produce")
async def case_transaction_without_records(kafka: Bench, client: Client) -> None:
    """A transaction in which nothing was written is committed or aborted all the same."""
    topic = await kafka.topic()
    producer = await client.producer(transactional_id=kafka.name("p"))
    for commits in (True, False):
        await producer.begin()
        await (producer.commit() if commits else producer.abort())
    await producer.begin()
    await write(producer, topic, b"x")
    await producer.commit()
    assert [b"x"] == await values_of(client, topic, count=1)


@client_case("InitProducerId", "EndTxn")
async def case_zombie_client_is_fenced(kafka: Bench, client: Client) -> None:
    """A client whose successor has started cannot commit, and nothing of its transaction is
    read.
    """
    topic = await kafka.topic()
    zombie = await client.producer(transactional_id=kafka.name("p"))
    await zombie.begin()
    await write(zombie, topic, b"lost")
    successor = await client.producer(transactional_id=kafka.name("p"))
    with pytest.raises(Refused) as refused:
        await zombie.commit()
    assert refused.value.code in (INVALID_PRODUCER_EPOCH, PRODUCER_FENCED)
    await successor.begin()
    await write(successor, topic, b"kept")
    await successor.commit()
    assert [b"kept"] == await values_of(client, topic, count=1)
