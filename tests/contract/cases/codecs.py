"""Every codec through every client: what one wrote compressed, it and others read."""

from tests.contract.asking import fetch
from tests.contract.batches import records
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Outgoing
from tests.contract.registry import client_case

VALUES = [f"{number} ".encode() * 200 for number in range(50)]


async def round_trip(kafka: Bench, client: Client, codec: str | None) -> int:
    """Send repetitive records in one go; they come back whole, to the client and on the wire.
    Returns how many bytes they are at the broker.
    """
    topic = await kafka.topic()
    producer = await client.producer(compression=codec, linger_ms=50)
    await producer.send_many([Outgoing(topic, value, partition=0) for value in VALUES])
    found = await read(await client.consumer(topic), len(VALUES))
    assert VALUES == [record.value for record in found]
    stored = (await fetch(kafka.wire, topic, 0)).records
    assert VALUES == [record.value for record in records(stored)]
    return len(stored)


@client_case("Produce", "Fetch")
async def case_compression_none(kafka: Bench, client: Client) -> None:
    """Batches without compression are as large as their records."""
    assert await round_trip(kafka, client, None) > sum(map(len, VALUES))


@client_case("Produce", "Fetch")
async def case_compression_gzip(kafka: Bench, client: Client) -> None:
    """gzip batches are stored as they came and read back."""
    assert await round_trip(kafka, client, "gzip") < sum(map(len, VALUES)) / 2


@client_case("Produce", "Fetch")
async def case_compression_snappy(kafka: Bench, client: Client) -> None:
    """snappy batches are stored as they came and read back."""
    assert await round_trip(kafka, client, "snappy") < sum(map(len, VALUES)) / 2


@client_case("Produce", "Fetch")
async def case_compression_lz4(kafka: Bench, client: Client) -> None:
    """lz4 batches are stored as they came and read back."""
    assert await round_trip(kafka, client, "lz4") < sum(map(len, VALUES)) / 2


@client_case("Produce", "Fetch")
async def case_compression_zstd(kafka: Bench, client: Client) -> None:
    """zstd batches are stored as they came and read back."""
    assert await round_trip(kafka, client, "zstd") < sum(map(len, VALUES)) / 2


@client_case("Produce", "Fetch")
async def case_codecs_side_by_side(kafka: Bench, client: Client) -> None:
    """Batches of different codecs stand in one log, and are read in order."""
    topic = await kafka.topic()
    codecs = ("gzip", None, "zstd", "lz4", "snappy")
    for codec in codecs:
        producer = await client.producer(compression=codec)
        await producer.send(topic, str(codec).encode() * 100)
    found = await read(await client.consumer(topic), len(codecs))
    assert [str(codec).encode() * 100 for codec in codecs] == [record.value for record in found]
