"""Cutting logs through every client, and reading what is left."""

import time

import pytest

from tests.contract.asking import EARLIEST, list_offset, produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Refused, Where
from tests.contract.registry import client_case
from tests.contract.waiting import eventually

OFFSET_OUT_OF_RANGE = 1
UNKNOWN_TOPIC_OR_PARTITION = 3
UP_TO_THE_END = -1
HOUR_MS = 3_600_000


async def five_records(kafka: Bench, **config: str) -> Where:
    """A topic's one partition with five records in two batches."""
    topic = await kafka.topic(config=config)
    await produce(kafka.wire, topic, batch(b"0", b"1", b"2"))
    await produce(kafka.wire, topic, batch(b"3", b"4"))
    return Where(topic, 0)


@client_case("DeleteRecords", "Fetch")
async def case_client_cuts_a_log(kafka: Bench, client: Client) -> None:
    """A client cuts a log's head, inside a batch too; a reader from the start reads the rest."""
    where, admin = await five_records(kafka), await client.admin()
    for cut in (1, 3, 4):
        assert cut == await admin.delete_records(where, cut)
        found = await read(await client.consumer(where.topic), 5 - cut)
        assert list(range(cut, 5)) == [record.offset for record in found]


@client_case("DeleteRecords", "ListOffsets")
async def case_client_cuts_everything(kafka: Bench, client: Client) -> None:
    """A client cuts up to the end; the log goes on at the same offset."""
    where, admin = await five_records(kafka), await client.admin()
    assert 5 == await admin.delete_records(where, UP_TO_THE_END)
    consumer = await client.consumer()
    assert {where: 5} == await consumer.beginning_offsets([where])
    assert 5 == (await (await client.producer()).send(where.topic, b"5")).offset


@client_case("DeleteRecords")
async def case_client_cuts_too_far(kafka: Bench, client: Client) -> None:
    """A cut beyond the end is refused with error 1, and cuts nothing."""
    where, admin = await five_records(kafka), await client.admin()
    with pytest.raises(Refused) as refused:
        await admin.delete_records(where, 6)
    assert OFFSET_OUT_OF_RANGE == refused.value.code
    assert 0 == (await list_offset(kafka.wire, where.topic, EARLIEST)).offset


@client_case("Produce", "ListOffsets", "CreateTopics", "Fetch")
async def case_reader_of_an_emptied_log_goes_on(kafka: Bench, client: Client) -> None:
    """When a log was emptied by its records' age, a reader from the start reads what comes after,
    at the offsets that follow.
    """
    topic = await kafka.topic(config={"retention.ms": "600000", "segment.ms": str(HOUR_MS)})
    long_ago = int(time.time() * 1000) - 2 * HOUR_MS
    await produce(kafka.wire, topic, batch((long_ago, b"a"), (long_ago, b"b")))

    async def emptied() -> bool:
        return bool((await list_offset(kafka.wire, topic, EARLIEST)).offset == 2)

    await eventually(emptied)
    assert 2 == (await (await client.producer()).send(topic, b"new")).offset
    found = await read(await client.consumer(topic), 1)
    assert [(2, b"new")] == [(record.offset, record.value) for record in found]
