"""Records through every client: what one wrote is what it reads, down to the byte."""

from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import APPEND_TIME, CREATE_TIME, Outgoing
from tests.contract.registry import client_case

STAMP_MS = 1_700_000_000_000
AGO_2020_MS = 1_577_836_800_000
EVERY_BYTE = bytes(range(256))


async def come_back(kafka: Bench, client: Client, *sent: Outgoing) -> None:
    """Write records to one partition, one after the other; they are read as they were sent."""
    producer = await client.producer()
    for record in sent:
        await producer.send_many([record])
    found = await read(await client.consumer(sent[0].topic), len(sent))
    assert [(each.key, each.value, each.headers) for each in sent] == [
        (each.key, each.value, each.headers) for each in found
    ]


@client_case("Produce", "Fetch")
async def case_keys_and_values(kafka: Bench, client: Client) -> None:
    """Keys and values come back as they were sent: any byte, none at all, and no key."""
    topic = await kafka.topic()
    await come_back(
        kafka,
        client,
        Outgoing(topic, EVERY_BYTE, EVERY_BYTE),
        Outgoing(topic, "电站".encode(), "桩".encode()),
        Outgoing(topic, b"", b"k"),
        Outgoing(topic, b"v", b""),
        Outgoing(topic, b"v"),
    )


@client_case("Produce", "Fetch")
async def case_tombstones(kafka: Bench, client: Client) -> None:
    """A record without value is not one with an empty value."""
    topic = await kafka.topic()
    await come_back(
        kafka,
        client,
        Outgoing(topic, b"v", b"k"),
        Outgoing(topic, None, b"k"),
        Outgoing(topic, b"", b"k"),
    )


@client_case("Produce", "Fetch")
async def case_headers(kafka: Bench, client: Client) -> None:
    """Headers keep their order, their doubles, and values of any byte."""
    topic = await kafka.topic()
    await come_back(
        kafka,
        client,
        Outgoing(topic, b"v", headers=(("b", b"1"), ("a", b"2"), ("b", b"3"), ("empty", b""))),
        Outgoing(topic, b"v"),
        Outgoing(topic, b"v", headers=(("名", EVERY_BYTE),)),
        Outgoing(topic, None, b"k", headers=tuple((str(n), b"x") for n in range(50))),
    )


@client_case("Produce", "Fetch")
async def case_large_record(kafka: Bench, client: Client) -> None:
    """A record of 900,000 bytes, a little below the broker's limit, comes back whole."""
    topic = await kafka.topic()
    await come_back(kafka, client, Outgoing(topic, EVERY_BYTE * 3_515, b"k"))


@client_case("Produce", "Fetch")
async def case_create_times_through_clients(kafka: Bench, client: Client) -> None:
    """A record keeps the time that its producer gave it, whatever the order."""
    topic = await kafka.topic()
    producer = await client.producer()
    stamps = [STAMP_MS, AGO_2020_MS, STAMP_MS + 1]
    for stamp in stamps:
        await producer.send(topic, b"x", timestamp_ms=stamp)
    found = await read(await client.consumer(topic), len(stamps))
    assert [(stamp, CREATE_TIME) for stamp in stamps] == [
        (each.timestamp_ms, each.timestamp_type) for each in found
    ]


@client_case("Produce", "Fetch")
async def case_append_times_through_clients(kafka: Bench, client: Client) -> None:
    """With LogAppendTime the broker's time replaces the producer's, and says so."""
    topic = await kafka.topic(config={"message.timestamp.type": "LogAppendTime"})
    producer = await client.producer()
    await producer.send(topic, b"x", timestamp_ms=AGO_2020_MS)
    await producer.send(topic, b"y", timestamp_ms=AGO_2020_MS)
    first, second = await read(await client.consumer(topic), 2)
    assert APPEND_TIME == first.timestamp_type == second.timestamp_type
    assert AGO_2020_MS < first.timestamp_ms <= second.timestamp_ms


@client_case("Produce", "Metadata", "Fetch")
async def case_one_key_one_partition(kafka: Bench, client: Client) -> None:
    """Records with one key stay in one partition, in the order sent; several keys spread."""
    topic = await kafka.topic(partitions=4)
    producer = await client.producer(linger_ms=5)
    sent = [(f"station-{number % 7}".encode(), str(number).encode()) for number in range(70)]
    await producer.send_many([Outgoing(topic, value, key) for key, value in sent])
    found = await read(await client.consumer(topic), len(sent))
    for key in {key for key, _ in sent}:
        of_key = [record for record in found if record.key == key]
        assert 1 == len({record.partition for record in of_key})
        assert [value for k, value in sent if k == key] == [record.value for record in of_key]
    assert 1 < len({record.partition for record in found})
