"""Compression by the broker: `compression.type` of a topic decides what its batches are kept in."""

import struct

from tests.contract.asking import fetch, produce, producer_id
from tests.contract.batches import batch, records, values
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.configuring import SET, TOPIC, change
from tests.contract.registry import case, client_case
from tests.contract.waiting import eventually

MESSAGE_TOO_LARGE, OUT_OF_ORDER_SEQUENCE = 10, 45
ATTRIBUTES_AT, CODEC_MASK, PRODUCER_AT = 21, 7, 43
CODECS = {"uncompressed": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
LONG = b"as long as it takes to be worth it " * 40


def codec_of(fetched: bytes) -> int:
    """The codec of the first batch in what a fetch returned."""
    attributes: int = struct.unpack_from(">h", fetched, ATTRIBUTES_AT)[0]
    return attributes & CODEC_MASK


@case("Produce", "Fetch", "CreateTopics")
async def case_broker_compresses(kafka: Bench) -> None:
    """A topic's codec is that of its batches, whatever they came in; `uncompressed` unpacks them.
    Records, times and offsets stay.
    """
    for name, number in CODECS.items():
        topic = await kafka.topic(name, config={"compression.type": name})
        made = await produce(kafka.wire, topic, batch((1_000, LONG), (2_000, b"b")))
        assert (made.error_code, made.base_offset) == (0, 0)
        found = (await fetch(kafka.wire, topic, 0)).records
        assert codec_of(found) == number
        assert values(found) == [LONG, b"b"]
        assert (len(found) < len(LONG)) == (number > 0)
        copied = await kafka.topic(f"{name}-again", config={"compression.type": "uncompressed"})
        assert (await produce(kafka.wire, copied, found)).error_code == 0
        assert codec_of((await fetch(kafka.wire, copied, 0)).records) == 0


@case("Produce")
async def case_unpacked_batch_may_be_too_large(kafka: Bench) -> None:
    """A batch that fits compressed and does not unpacked is refused by a topic that unpacks."""
    packed = await kafka.topic("packed", config={"compression.type": "gzip"})
    await produce(kafka.wire, packed, batch(LONG * 40))
    small = (await fetch(kafka.wire, packed, 0)).records
    limits = {"compression.type": "uncompressed", "max.message.bytes": "2000"}
    topic = await kafka.topic(config=limits)
    assert (await produce(kafka.wire, topic, small)).error_code == MESSAGE_TOO_LARGE
    assert (await produce(kafka.wire, topic, batch(b"small"))).base_offset == 0


@case("Produce", "Fetch", "IncrementalAlterConfigs")
async def case_codec_changes_at_once(kafka: Bench) -> None:
    """A changed codec counts for what is written from then on; what is there stays as it is."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(LONG))
    assert await change(kafka.wire, TOPIC, topic, ("compression.type", SET, "zstd")) == (0, None)

    async def packed() -> bool:
        made = await produce(kafka.wire, topic, batch(LONG))
        return codec_of((await fetch(kafka.wire, topic, made.base_offset)).records) == 4

    await eventually(packed)
    assert codec_of((await fetch(kafka.wire, topic, 0)).records) == 0


@case("Produce", "Fetch", "InitProducerId")
async def case_packed_batches_are_counted(kafka: Bench) -> None:
    """A producer's batches keep their id and sequence when the broker packs them: one that is sent
    twice is there once, and a gap is error 45.
    """
    topic = await kafka.topic(config={"compression.type": "gzip"})
    pid = await producer_id(kafka.wire)
    made = [batch(LONG, LONG, producer_id=pid, epoch=0, sequence=number) for number in (0, 2, 2, 6)]
    answers = [await produce(kafka.wire, topic, each) for each in made]
    expected = [(0, 0), (0, 2), (0, 2), (OUT_OF_ORDER_SEQUENCE, -1)]
    assert [(each.error_code, each.base_offset) for each in answers] == expected
    found = (await fetch(kafka.wire, topic, 0)).records
    assert [record.offset for record in records(found)] == [0, 1, 2, 3]
    assert struct.unpack_from(">qhi", found, PRODUCER_AT) == (pid, 0, 0)


@client_case("Produce", "Fetch", "InitProducerId")
async def case_clients_read_what_the_broker_packed(kafka: Bench, client: Client) -> None:
    """What a client sent in one codec, it reads back in another."""
    topic = await kafka.topic(config={"compression.type": "lz4"})
    producer = await client.producer(compression="gzip")
    for _ in range(3):
        await producer.send(topic, LONG)
    found = await read(await client.consumer(topic), 3)
    assert [record.value for record in found] == [LONG] * 3
    assert codec_of((await fetch(kafka.wire, topic, 0)).records) == CODECS["lz4"]
