"""Adding partitions through every client, and finding them."""

from functools import partial

import pytest

from tests.contract.asking import metadata, produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Refused, Where
from tests.contract.registry import client_case
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
INVALID_PARTITIONS = 37


async def led(kafka: Bench, topic: str, partitions: int) -> bool:
    """Whether a topic has so many partitions, each with a leader."""
    (found,) = (await metadata(kafka.wire, topic)).topics
    return partitions == len([each for each in found.partitions if each.leader_id >= 0])


@client_case("CreatePartitions", "Produce")
async def case_client_adds_partitions(kafka: Bench, client: Client) -> None:
    """Partitions that a client adds can be written to; the records of the first stay."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"old"))
    await (await client.admin()).add_partitions(topic, 3)
    await eventually(partial(led, kafka, topic, 3))
    producer = await client.producer()
    assert 0 == (await producer.send(topic, b"new", partition=2)).offset
    found = await read(await client.consumer(topic), 2)
    assert [(Where(topic, 0), b"old"), (Where(topic, 2), b"new")] == [
        (each.where, each.value) for each in found
    ]


@client_case("CreatePartitions")
async def case_client_adds_no_partitions(kafka: Bench, client: Client) -> None:
    """No more partitions than there are is refused with error 37; the topic stays."""
    topic, admin = await kafka.topic(partitions=2), await client.admin()
    for total in (1, 2):
        with pytest.raises(Refused) as refused:
            await admin.add_partitions(topic, total)
        assert INVALID_PARTITIONS == refused.value.code
    assert await led(kafka, topic, 2)


@client_case("CreatePartitions")
async def case_client_adds_partitions_to_nothing(kafka: Bench, client: Client) -> None:
    """Partitions for a topic that is not there are refused with error 3."""
    admin = await client.admin()
    with pytest.raises(Refused) as refused:
        await admin.add_partitions(kafka.name("nowhere"), 2)
    assert UNKNOWN_TOPIC_OR_PARTITION == refused.value.code


@client_case("CreatePartitions", "Fetch", "Metadata")
async def case_consumer_finds_new_partitions(kafka: Bench, client: Client) -> None:
    """A group's consumer finds partitions that are added, and reads them from their start."""
    topic = await kafka.topic()
    consumer = await client.consumer(topic, group=kafka.name("g"))
    await produce(kafka.wire, topic, batch(b"old"))
    assert [b"old"] == [record.value for record in await read(consumer, 1)]
    await consumer.commit()
    await (await client.admin()).add_partitions(topic, 2)
    await eventually(partial(led, kafka, topic, 2))
    await produce(kafka.wire, topic, batch(b"new"), partition=1)
    found = await read(consumer, 1)
    assert [(1, 0, b"new")] == [(each.partition, each.offset, each.value) for each in found]
