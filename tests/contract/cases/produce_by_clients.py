"""Writing through every client: acknowledgements, offsets, refusals."""

import pytest

from tests.contract.asking import LATEST, list_offset
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Outgoing, Refused, Where, Written
from tests.contract.registry import client_case

MESSAGE_TOO_LARGE = 10
INVALID_TIMESTAMP = 32
INVALID_RECORD = 87
YEAR_2100_MS = 4_102_444_800_000


@client_case("Produce")
async def case_acknowledged_offsets(kafka: Bench, client: Client) -> None:
    """Each acknowledged record has the next offset of its partition, with acks of one and of
    all.
    """
    topic = await kafka.topic(partitions=2)
    for acks, expected in ((1, 0), (-1, 2)):
        producer = await client.producer(acks=acks)
        for offset in (expected, expected + 1):
            for partition in (1, 0):
                made = await producer.send(topic, b"x", partition=partition)
                assert Written(topic, partition, offset) == made


@client_case("Produce", "Fetch")
async def case_many_in_flight(kafka: Bench, client: Client) -> None:
    """A thousand records handed over at once arrive once each, in order, whatever the batches."""
    topic = await kafka.topic()
    values = [f"{number:050}".encode() for number in range(1_000)]
    producer = await client.producer(idempotent=True, batch_bytes=2_000, linger_ms=5)
    made = await producer.send_many([Outgoing(topic, value, partition=0) for value in values])
    assert list(range(1_000)) == [each.offset for each in made]
    found = await read(await client.consumer(topic), len(values))
    assert values == [record.value for record in found]


@client_case("Produce", "Fetch")
async def case_several_topics_in_flight(kafka: Bench, client: Client) -> None:
    """Records of several topics and partitions sent together keep their order in each."""
    places = [
        Where(topic, partition)
        for topic in (await kafka.topic("a", partitions=2), await kafka.topic("b"))
        for partition in ((0, 1) if topic.endswith("a") else (0,))
    ]
    producer = await client.producer(linger_ms=5)
    await producer.send_many(
        [
            Outgoing(place.topic, b"%d" % number, partition=place.partition)
            for number in range(20)
            for place in places
        ]
    )
    found = await read(await client.consumer(*{place.topic for place in places}), 60)
    for place in places:
        in_order = [int(record.value or b"") for record in found if record.where == place]
        assert list(range(20)) == in_order


@client_case("Produce", "Fetch")
async def case_two_producers_take_turns(kafka: Bench, client: Client) -> None:
    """Two producers' records get one row of offsets, without gaps."""
    topic = await kafka.topic()
    producers = [await client.producer(), await client.producer()]
    made = [
        (await producers[number % 2].send(topic, b"%d" % number)).offset for number in range(10)
    ]
    assert list(range(10)) == made


@client_case("Produce")
async def case_producer_is_told_of_too_much(kafka: Bench, client: Client) -> None:
    """A record above `max.message.bytes` is refused with error 10, and the producer goes on."""
    topic = await kafka.topic(config={"max.message.bytes": "1000"})
    producer = await client.producer()
    with pytest.raises(Refused) as refused:
        await producer.send(topic, b"x" * 1_000)
    assert MESSAGE_TOO_LARGE == refused.value.code
    assert 0 == (await producer.send(topic, b"small")).offset


@client_case("Produce")
async def case_producer_is_told_of_a_wrong_time(kafka: Bench, client: Client) -> None:
    """A record from the future is refused with error 32, and the producer goes on."""
    topic = await kafka.topic()
    producer = await client.producer()
    with pytest.raises(Refused) as refused:
        await producer.send(topic, b"x", timestamp_ms=YEAR_2100_MS)
    assert INVALID_TIMESTAMP == refused.value.code
    assert 0 == (await producer.send(topic, b"now")).offset


@client_case(
    "Produce", without={"aiokafka": "knows no error above 79, and tells of an unknown one"}
)
async def case_compacted_topics_want_keys(kafka: Bench, client: Client) -> None:
    """A record without key for a compacted topic is refused with error 87; nothing is written."""
    topic = await kafka.topic(config={"cleanup.policy": "compact"})
    producer = await client.producer()
    with pytest.raises(Refused) as refused:
        await producer.send(topic, b"x")
    assert INVALID_RECORD == refused.value.code
    assert 0 == (await list_offset(kafka.wire, topic, LATEST)).offset
    assert 0 == (await producer.send(topic, b"x", key=b"k")).offset
