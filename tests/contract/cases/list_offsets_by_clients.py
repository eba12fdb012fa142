"""Looking offsets up through every client: ends of logs, and by time."""

from tests.contract.asking import delete_records, produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.interface import Consumer
from tests.contract.clients.terms import Where
from tests.contract.registry import client_case


async def ends(consumer: Consumer, *where: Where) -> list[tuple[int, int]]:
    """Start and end of each partition's log."""
    starts, stops = await consumer.beginning_offsets(where), await consumer.end_offsets(where)
    return [(starts[each], stops[each]) for each in where]


@client_case("ListOffsets")
async def case_client_asks_for_ends(kafka: Bench, client: Client) -> None:
    """A client is told where each log starts and ends, empty ones too."""
    topic = await kafka.topic(partitions=2)
    await produce(kafka.wire, topic, batch(b"a", b"b"))
    consumer = await client.consumer()
    assert [(0, 2), (0, 0)] == await ends(consumer, Where(topic, 0), Where(topic, 1))


@client_case("ListOffsets", "DeleteRecords")
async def case_client_asks_for_ends_after_a_cut(kafka: Bench, client: Client) -> None:
    """After a cut the log starts later, and ends where it did."""
    where = Where(await kafka.topic(), 0)
    await produce(kafka.wire, where.topic, batch(b"a", b"b", b"c"))
    consumer = await client.consumer()
    for cut in (2, 3):
        await delete_records(kafka.wire, where.topic, cut)
        assert [(cut, 3)] == await ends(consumer, where)


@client_case("ListOffsets")
async def case_client_asks_by_time(kafka: Bench, client: Client) -> None:
    """By time a client is told the first record at or after it; none behind the last."""
    where = Where(await kafka.topic(), 0)
    await produce(kafka.wire, where.topic, batch((1_000, b"a"), (2_000, b"b")))
    await produce(kafka.wire, where.topic, batch((4_000, b"c")))
    consumer = await client.consumer()
    for time_ms, expected in ((0, 0), (1_000, 0), (1_001, 1), (2_001, 2), (4_000, 2)):
        assert {where: expected} == await consumer.offsets_for_times({where: time_ms})
    assert (await consumer.offsets_for_times({where: 4_001}))[where] is None


@client_case("ListOffsets")
async def case_client_asks_by_time_of_several(kafka: Bench, client: Client) -> None:
    """One question names several partitions, each with a time of its own."""
    topic = await kafka.topic(partitions=3)
    for partition in (0, 1):
        await produce(kafka.wire, topic, batch((1_000, b"a"), (2_000, b"b")), partition=partition)
    consumer = await client.consumer()
    first, second, empty = (Where(topic, partition) for partition in range(3))
    found = await consumer.offsets_for_times({first: 2_000, second: 500, empty: 500})
    assert {first: 1, second: 0, empty: None} == found


@client_case("ListOffsets", "Fetch")
async def case_client_reads_from_a_time_on(kafka: Bench, client: Client) -> None:
    """A client that seeks to what it found by time reads from there on."""
    where = Where(await kafka.topic(), 0)
    await produce(kafka.wire, where.topic, batch((1_000, b"a"), (2_000, b"b"), (3_000, b"c")))
    consumer = await client.consumer()
    await consumer.assign(where)
    offset = (await consumer.offsets_for_times({where: 1_500}))[where]
    assert 1 == offset
    await consumer.seek(where, offset)
    assert [b"b", b"c"] == [record.value for record in await read(consumer, 2)]
