"""Idempotent producers of every client: what they write arrives once, in order, numbered."""

from typing import Any

from kafka.record.memory_records import MemoryRecords

from tests.contract.asking import fetch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Outgoing, Where
from tests.contract.registry import client_case

MANY = [b"%d" % number for number in range(100)]


async def batches(kafka: Bench, topic: str, partition: int = 0) -> list[Any]:
    """The batches of a log."""
    return list(MemoryRecords((await fetch(kafka.wire, topic, 0, partition=partition)).records))


@client_case("InitProducerId", "Produce", "Fetch")
async def case_idempotent_client(kafka: Bench, client: Client) -> None:
    """An idempotent client's records arrive once each, in order."""
    topic = await kafka.topic()
    producer = await client.producer(idempotent=True, linger_ms=2, batch_bytes=200)
    await producer.send_many([Outgoing(topic, value, partition=0) for value in MANY])
    found = await read(await client.consumer(topic), len(MANY))
    assert MANY == [record.value for record in found]


@client_case("InitProducerId", "Produce")
async def case_idempotent_batches_are_numbered(kafka: Bench, client: Client) -> None:
    """An idempotent client's batches bear its producer id, at epoch 0, and a sequence without
    gaps.
    """
    topic = await kafka.topic()
    producer = await client.producer(idempotent=True, batch_bytes=200)
    for begin in (0, 50):
        part = MANY[begin : begin + 50]
        await producer.send_many([Outgoing(topic, value, partition=0) for value in part])
    found = await batches(kafka, topic)
    assert len(found) > 2
    assert {(found[0].producer_id, 0)} == {(one.producer_id, one.producer_epoch) for one in found}
    assert found[0].producer_id >= 0
    assert [one.base_offset for one in found] == [one.base_sequence for one in found]


@client_case("InitProducerId", "Produce")
async def case_idempotent_partitions_count_apart(kafka: Bench, client: Client) -> None:
    """An idempotent client numbers its records in each partition from 0 on."""
    topic = await kafka.topic(partitions=3)
    producer = await client.producer(idempotent=True)
    for partition in (2, 0, 2, 1):
        await producer.send(topic, b"x", partition=partition)
    for partition, expected in enumerate(([0], [0], [0, 1])):
        found = await batches(kafka, topic, partition)
        assert expected == [one.base_sequence for one in found]


@client_case("InitProducerId", "Produce", "Fetch")
async def case_idempotent_producers_are_apart(kafka: Bench, client: Client) -> None:
    """Two idempotent producers of one partition have ids of their own, and both count from 0."""
    where = Where(await kafka.topic(), 0)
    producers = [await client.producer(idempotent=True) for _ in range(2)]
    for number in range(4):
        await producers[number % 2].send(where.topic, b"%d" % number, partition=0)
    found = await batches(kafka, where.topic)
    assert [0, 0, 1, 1] == [one.base_sequence for one in found]
    first, second, *again = [one.producer_id for one in found]
    assert first != second
    assert [first, second] == again


@client_case("InitProducerId", "Produce")
async def case_plain_batches_bear_no_producer(kafka: Bench, client: Client) -> None:
    """A client that is not idempotent writes without producer id."""
    topic = await kafka.topic()
    await (await client.producer()).send(topic, b"x")
    (found,) = await batches(kafka, topic)
    assert (-1, -1) == (found.producer_id, found.producer_epoch)
