"""Making and deleting topics through every client."""

from functools import partial

import pytest

from tests.contract.asking import delete_topic, metadata
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Outgoing, Refused, Where
from tests.contract.registry import client_case
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
INVALID_TOPIC = 17
TOPIC_ALREADY_EXISTS = 36
INVALID_CONFIG = 40


async def gone(kafka: Bench, topic: str) -> bool:
    """Whether the broker no longer knows the topic."""
    (found,) = (await metadata(kafka.wire, topic)).topics
    return bool(found.error_code == UNKNOWN_TOPIC_OR_PARTITION)


async def led(kafka: Bench, topic: str, partitions: int) -> bool:
    """Whether a topic has so many partitions, each with a leader."""
    (found,) = (await metadata(kafka.wire, topic)).topics
    return partitions == len([each for each in found.partitions if each.leader_id >= 0])


@client_case("CreateTopics", "Produce", "Fetch")
async def case_made_topic_is_used(kafka: Bench, client: Client) -> None:
    """A topic that a client makes has the partitions it wanted, to be written and read."""
    topic = kafka.name("t")
    await (await client.admin()).create_topic(topic, partitions=3)
    await eventually(partial(led, kafka, topic, 3))
    producer = await client.producer()
    await producer.send_many([Outgoing(topic, b"x", partition=number) for number in range(3)])
    found = await read(await client.consumer(topic), 3)
    assert [Where(topic, number) for number in range(3)] == [each.where for each in found]


@client_case("CreateTopics")
async def case_client_makes_a_topic_twice(kafka: Bench, client: Client) -> None:
    """Making a topic that exists is refused with error 36, and it stays as it was."""
    topic, admin = await kafka.topic(partitions=2), await client.admin()
    with pytest.raises(Refused) as refused:
        await admin.create_topic(topic, partitions=5)
    assert TOPIC_ALREADY_EXISTS == refused.value.code
    assert await led(kafka, topic, 2)


@client_case("CreateTopics")
async def case_client_makes_a_wrong_topic(kafka: Bench, client: Client) -> None:
    """A bad name is refused with error 17, a bad setting with error 40; nothing is made."""
    admin = await client.admin()
    for topic, config, expected in (
        (f"{kafka.name('t')}/x", {}, INVALID_TOPIC),
        (kafka.name("t"), {"retention.ms": "soon"}, INVALID_CONFIG),
    ):
        with pytest.raises(Refused) as refused:
            await admin.create_topic(topic, config=config)
        assert expected == refused.value.code
    assert await gone(kafka, kafka.name("t"))


@client_case("DeleteTopics", "Metadata")
async def case_client_deletes_a_topic(kafka: Bench, client: Client) -> None:
    """A deleted topic is gone; deleting it again is refused with error 3."""
    topic, admin = await kafka.topic(), await client.admin()
    await admin.delete_topic(topic)
    await eventually(partial(gone, kafka, topic))
    assert topic not in await admin.topics()
    with pytest.raises(Refused) as refused:
        await admin.delete_topic(topic)
    assert UNKNOWN_TOPIC_OR_PARTITION == refused.value.code


@client_case("DeleteTopics", "CreateTopics", "Produce")
async def case_topic_made_again_is_empty(kafka: Bench, client: Client) -> None:
    """A topic that is deleted and made again begins at offset 0, without the old records."""
    topic = await kafka.topic()
    assert 0 == (await (await client.producer()).send(topic, b"old")).offset
    assert 0 == (await delete_topic(kafka.wire, topic)).error_code
    await eventually(partial(gone, kafka, topic))
    assert topic == await kafka.topic()
    assert 0 == (await (await client.producer()).send(topic, b"new")).offset
    assert [b"new"] == [each.value for each in await read(await client.consumer(topic), 1)]
