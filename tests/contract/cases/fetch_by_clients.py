"""Reading through every client: positions, resets, limits, pauses."""

import asyncio

from tests.contract.asking import delete_records, produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.interface import Consumer
from tests.contract.clients.terms import Record, Refused, Where
from tests.contract.registry import client_case
from tests.contract.waiting import eventually

OFFSET_OUT_OF_RANGE = 1
LONG_POLL_S = 20.0


async def written(kafka: Bench, *values: bytes, label: str = "t") -> Where:
    """A new topic's one partition, with these values in a batch each."""
    topic = await kafka.topic(label)
    for value in values:
        await produce(kafka.wire, topic, batch(value))
    return Where(topic, 0)


async def reader(
    client: Client, *where: Where, at: int | None = None, **settings: object
) -> Consumer:
    """A consumer of partitions, in no group."""
    consumer = await client.consumer(**settings)
    await consumer.assign(*where, at=at)
    return consumer


async def values_of(consumer: Consumer, count: int) -> list[bytes | None]:
    """The next values, in order."""
    return [record.value for record in await read(consumer, count)]


async def refusal(consumer: Consumer) -> Refused:
    """What a consumer raises when it is polled."""
    found: list[Refused] = []

    async def refused() -> bool:
        try:
            assert [] == await consumer.poll(1.0)
        except Refused as refusal:
            found.append(refusal)
        return bool(found)

    await eventually(refused)
    return found[0]


@client_case("Fetch", "DeleteRecords", "ListOffsets")
async def case_reader_is_told_of_a_lost_position(kafka: Bench, client: Client) -> None:
    """With reset policy `none` a reader is told that its position is out of range, below the start
    and above the end; a good position heals it.
    """
    where = await written(kafka, b"a", b"b", b"c")
    await delete_records(kafka.wire, where.topic, 2)
    for position in (0, 9):
        consumer = await reader(client, where, at=position, reset="none")
        assert OFFSET_OUT_OF_RANGE == (await refusal(consumer)).code
        await consumer.assign(where, at=2)
        assert [b"c"] == await values_of(consumer, 1)


@client_case("Fetch", "ListOffsets", "DeleteRecords")
async def case_lost_position_resets_to_earliest(kafka: Bench, client: Client) -> None:
    """With policy `earliest` a reader whose position was cut away goes on at the log's start."""
    where = await written(kafka, b"a", b"b", b"c")
    await delete_records(kafka.wire, where.topic, 2)
    consumer = await reader(client, where, at=0)
    (record,) = await read(consumer, 1)
    assert (2, b"c") == (record.offset, record.value)


@client_case("Fetch", "ListOffsets")
async def case_latest_begins_at_the_end(kafka: Bench, client: Client) -> None:
    """With policy `latest` a reader without position reads what comes after it came."""
    where = await written(kafka, b"old", b"older")
    consumer = await reader(client, where, reset="latest")
    found: list[Record] = []

    async def came() -> bool:
        await produce(kafka.wire, where.topic, batch(b"new"))
        found.extend(await consumer.poll(0.2))
        return bool(found)

    await eventually(came)
    assert {b"new"} == {record.value for record in found}


@client_case("Fetch")
async def case_reader_begins_inside_a_batch(kafka: Bench, client: Client) -> None:
    """A reader that begins inside a batch is handed the records from its position on."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(*(b"%d" % number for number in range(10))))
    consumer = await reader(client, Where(topic, 0), at=6)
    found = await read(consumer, 4)
    assert [(n, b"%d" % n) for n in range(6, 10)] == [(each.offset, each.value) for each in found]


@client_case("Fetch")
async def case_reader_goes_back(kafka: Bench, client: Client) -> None:
    """A reader that seeks back reads again; its position follows what it was handed."""
    where = await written(kafka, b"a", b"b", b"c")
    consumer = await reader(client, where)
    assert [b"a", b"b", b"c"] == await values_of(consumer, 3)
    assert 3 == await consumer.position(where)
    await consumer.seek(where, 1)
    assert [b"b", b"c"] == await values_of(consumer, 2)
    assert 3 == await consumer.position(where)


@client_case("Fetch")
async def case_polls_hand_out_no_more_than_asked(kafka: Bench, client: Client) -> None:
    """A poll hands out as many records as it may at most; the next goes on behind them."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(*(b"%d" % number for number in range(7))))
    consumer = await reader(client, Where(topic, 0))
    found: list[int] = []

    async def all_came() -> bool:
        polled = await consumer.poll(1.0, records_max=3)
        assert len(polled) <= 3
        found.extend(record.offset for record in polled)
        return len(found) == 7

    await eventually(all_came)
    assert list(range(7)) == found


@client_case("Fetch")
async def case_reader_gets_past_a_large_batch(kafka: Bench, client: Client) -> None:
    """A batch larger than the reader's limit is read all the same, and what is behind it."""
    where = await written(kafka, b"x" * 20_000, b"y" * 20_000, b"z")
    consumer = await reader(client, where, partition_bytes_max=1_000)
    assert [b"x" * 20_000, b"y" * 20_000, b"z"] == await values_of(consumer, 3)


@client_case("Fetch")
async def case_paused_partitions_are_silent(kafka: Bench, client: Client) -> None:
    """Nothing is handed out of a paused partition while the other goes on; resumed, it goes on
    where it was.
    """
    quiet, lively = await written(kafka, b"a", label="q"), await written(kafka, b"1", label="l")
    consumer = await reader(client, quiet, lively)
    await read(consumer, 2)
    await consumer.pause(quiet)
    await produce(kafka.wire, quiet.topic, batch(b"b"))
    await produce(kafka.wire, lively.topic, batch(b"2"))
    assert [b"2"] == await values_of(consumer, 1)
    await consumer.resume(quiet)
    assert [b"b"] == await values_of(consumer, 1)


@client_case("Fetch")
async def case_waiting_reader_is_woken(kafka: Bench, client: Client) -> None:
    """A reader that waits at the end is handed a record as soon as it is written."""
    where = await written(kafka, b"old")
    consumer = await reader(client, where)
    assert [b"old"] == await values_of(consumer, 1)
    async with asyncio.timeout(LONG_POLL_S):
        waiting = asyncio.create_task(consumer.poll(LONG_POLL_S))
        await produce(kafka.wire, where.topic, batch(b"new"))
        assert [b"new"] == [record.value for record in await waiting]
