"""Topics as clients find them, and make them by the way."""

from tests.contract.asking import metadata
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Where
from tests.contract.registry import client_case
from tests.contract.sharing import places, polled_until, topic_to_share
from tests.contract.waiting import eventually

MAKES_TOPICS = {
    "aiokafka": "always lets the topics that it subscribes to be made",
    "kafka-python": "lets them be made whatever it is told (3.0.12)",
}
MAKES_NONE = {"confluent-kafka": "makes none when it subscribes, whatever it is told (2.16)"}


async def exists(kafka: Bench, topic: str) -> bool:
    """Whether a topic is there, with a leader."""
    (found,) = (await metadata(kafka.wire, topic)).topics
    return bool(found.error_code == 0 and found.partitions[0].leader_id >= 0)


@client_case("Metadata", "Produce")
async def case_producer_makes_a_topic(kafka: Bench, client: Client) -> None:
    """A record for a topic that is not there makes it."""
    topic = kafka.name("made")
    producer = await client.producer()
    assert 0 == (await producer.send(topic, b"first")).offset
    assert await exists(kafka, topic)
    assert [b"first"] == [each.value for each in await read(await client.consumer(topic), 1)]


@client_case("Metadata", without=MAKES_NONE)
async def case_consumer_may_make_a_topic(kafka: Bench, client: Client) -> None:
    """A topic that a consumer subscribes to is made, when the consumer allows it."""
    topic = kafka.name("made")
    consumer = await client.consumer(topic, group=kafka.name("g"), may_create_topics=True)

    async def made() -> bool:
        await consumer.poll(0.1)
        return await exists(kafka, topic)

    await eventually(made)


@client_case("Metadata", without=MAKES_TOPICS)
async def case_consumer_makes_no_topic(kafka: Bench, client: Client) -> None:
    """A topic that a consumer subscribes to is not made unless it allows it; once another has made
    it, it is read.
    """
    topic = kafka.name("t")
    consumer = await client.consumer(topic, group=kafka.name("g"))
    assert [] == await consumer.poll(0.3)
    assert not await exists(kafka, topic)
    assert topic == await topic_to_share(kafka, 1)
    assert [b"0"] == [record.value for record in await read(consumer, 1)]


@client_case("Metadata", "JoinGroup")
async def case_pattern_finds_topics(kafka: Bench, client: Client) -> None:
    """A consumer of a pattern gets all topics whose names match, those made later too."""
    first, second = [await topic_to_share(kafka, 1, f"p{number}") for number in (1, 2)]
    await topic_to_share(kafka, 1, "other")
    consumer = await client.consumer(group=kafka.name("g"))
    await consumer.subscribe(pattern=f"{kafka.name('p')}[0-9]+")
    expected = places(first, 1) | places(second, 1)
    await polled_until([consumer], lambda held: held == [expected])
    expected |= places(await topic_to_share(kafka, 1, "p33"), 1)
    await polled_until([consumer], lambda held: held == [expected])


@client_case("Metadata")
async def case_topics_are_listed(kafka: Bench, client: Client) -> None:
    """An admin client is told of every topic."""
    made = {await kafka.topic("a"), await kafka.topic("b")}
    found = await (await client.admin()).topics()
    assert made <= found
    assert kafka.name("c") not in found


@client_case("Metadata", "Fetch")
async def case_many_partitions_are_found(kafka: Bench, client: Client) -> None:
    """A reader of a topic finds each of its partitions."""
    topic = await topic_to_share(kafka, 20)
    found = await read(await client.consumer(topic), 20)
    assert [Where(topic, number) for number in range(20)] == [each.where for each in found]
