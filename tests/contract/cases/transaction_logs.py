"""Transactions in logs: markers, the last stable offset, aborted transactions, who reads what."""

import asyncio
import time

from kafka.record.default_records import DefaultRecordBatch

from tests.contract.asking import (
    EARLIEST,
    LATEST,
    MAX_TIMESTAMP,
    delete_records,
    fetch,
    fetch_request,
    list_offset,
    produce,
)
from tests.contract.batches import base_offsets, batch, records, values
from tests.contract.bench import Bench
from tests.contract.registry import case
from tests.contract.transactional import READ_COMMITTED, transactional

LONG_WAIT_MS = 30_000
SOON_S = 15.0
TRANSACTIONAL, CONTROL = 0x10, 0x20
AT_MS = 1_700_000_000_000


def written_now(value: bytes) -> bytes:
    """A batch of the present, as markers are: times far apart would roll a segment."""
    return batch(value, at_ms=int(time.time() * 1000))


@case("Fetch", "EndTxn")
async def case_markers_end_transactions(kafka: Bench) -> None:
    """The end of a transaction is a record of its own in each partition: a control batch that says
    abort or commit, in the producer's name.
    """
    topic = await kafka.topic()
    producer = await transactional(kafka)
    for offset, commit in ((0, False), (2, True)):
        await producer.begin(topic, b"a")
        assert await producer.end(commit=commit) == 0
        found = (await fetch(kafka.wire, topic, offset + 1)).records
        assert base_offsets(found) == [offset + 1]
        marker = DefaultRecordBatch(bytearray(found))
        assert marker.attributes & (TRANSACTIONAL | CONTROL) == TRANSACTIONAL | CONTROL
        assert (marker.producer_id, marker.producer_epoch) == (producer.producer_id, 0)
        assert marker.base_sequence == -1
        (record,) = records(found)
        assert record.key == bytes([0, 0, 0, int(commit)])
        assert len(record.value) == 6
        assert record.timestamp > AT_MS


@case("AddPartitionsToTxn", "EndTxn")
async def case_marker_without_records(kafka: Bench) -> None:
    """A partition that takes part and is not written to has a marker all the same."""
    topic = await kafka.topic()
    producer = await transactional(kafka)
    assert await producer.add(topic) == 0
    assert await producer.end(commit=False) == 0
    found = await fetch(kafka.wire, topic, 0, isolation_level=READ_COMMITTED)
    assert (found.high_watermark, found.last_stable_offset) == (1, 1)
    assert base_offsets(found.records) == [0]
    assert list(found.aborted_transactions) == []


@case("Fetch", "EndTxn")
async def case_committed_reader_sees_ended_transactions(kafka: Bench) -> None:
    """A reader of committed records gets nothing from the first record of an open transaction on,
    others get all; both are told the last stable offset.
    """
    topic = await kafka.topic()
    await produce(kafka.wire, topic, written_now(b"before"))
    producer = await transactional(kafka)
    await producer.begin(topic, b"a", b"b")
    await produce(kafka.wire, topic, written_now(b"after"))
    for version in (4, 11, 12):
        found = await fetch(kafka.wire, topic, 0, isolation_level=READ_COMMITTED, version=version)
        assert (found.last_stable_offset, found.high_watermark) == (1, 4)
        assert values(found.records) == [b"before"]
        assert list(found.aborted_transactions) == []
    for offset in (1, 2, 4):
        found = await fetch(kafka.wire, topic, offset, isolation_level=READ_COMMITTED)
        assert (found.error_code, found.records or b"") == (0, b"")
    found = await fetch(kafka.wire, topic, 0)
    assert (found.last_stable_offset, found.aborted_transactions) == (1, None)
    assert values(found.records) == [b"before", b"a", b"b", b"after"]
    assert await producer.end(commit=True) == 0
    found = await fetch(kafka.wire, topic, 0, isolation_level=READ_COMMITTED)
    assert (found.last_stable_offset, found.high_watermark) == (5, 5)
    assert values(found.records)[:4] == [b"before", b"a", b"b", b"after"]


@case("Fetch", "EndTxn")
async def case_aborted_transactions_are_named(kafka: Bench) -> None:
    """A reader of committed records is told which producers' records, from which offset on, do not
    count.
    """
    topic = await kafka.topic()
    one, other = [await transactional(kafka, label) for label in "ab"]
    await one.begin(topic, b"a")
    await other.begin(topic, b"b")
    assert await one.end(commit=False) == 0
    assert await other.end(commit=True) == 0
    await one.begin(topic, b"c")
    assert await one.end(commit=False) == 0
    found = await fetch(kafka.wire, topic, 0, isolation_level=READ_COMMITTED)
    named = [(aborted.producer_id, aborted.first_offset) for aborted in found.aborted_transactions]
    assert named == [(one.producer_id, 0), (one.producer_id, 4)]
    found = await fetch(kafka.wire, topic, 3, isolation_level=READ_COMMITTED)
    assert [aborted.first_offset for aborted in found.aborted_transactions] == [4]


@case("Fetch", "ListOffsets", "EndTxn")
async def case_oldest_transaction_bounds_readers(kafka: Bench) -> None:
    """Of several open transactions the oldest says how far committed records are read."""
    topic = await kafka.topic()
    one, other = [await transactional(kafka, label) for label in "ab"]
    await one.begin(topic, b"a")
    await other.begin(topic, b"b")

    async def stable() -> int:
        found = await list_offset(kafka.wire, topic, LATEST, isolation_level=READ_COMMITTED)
        return int(found.offset)

    assert await stable() == 0
    assert await one.end(commit=True) == 0
    assert await stable() == 1
    found = await fetch(kafka.wire, topic, 0, isolation_level=READ_COMMITTED)
    assert values(found.records) == [b"a"]
    assert await other.end(commit=True) == 0
    assert await stable() == 4


@case("Fetch", "EndTxn")
async def case_committed_reader_wakes_at_the_end(kafka: Bench) -> None:
    """A long poll for committed records wakes at the transaction's end, not at its records."""
    topic = await kafka.topic()
    producer = await transactional(kafka)
    reader = await kafka.connect()
    request = fetch_request(topic, 0, max_wait_ms=LONG_WAIT_MS, isolation_level=READ_COMMITTED)
    waiting = asyncio.create_task(reader.ask(request, 11))
    await producer.begin(topic, b"a")
    await fetch(kafka.wire, topic, 0)
    assert not waiting.done()
    assert await producer.end(commit=True) == 0
    async with asyncio.timeout(SOON_S):
        found = (await waiting).responses[0].partitions[0]
    assert values(found.records)[0] == b"a"


@case("ListOffsets", "EndTxn")
async def case_committed_offsets_by_time(kafka: Bench) -> None:
    """Look-ups by time find nothing in open transactions for readers of committed records; the
    log's ends are those of its stable part.
    """
    topic = await kafka.topic()
    now_ms = int(time.time() * 1000)
    await produce(kafka.wire, topic, batch(b"a", at_ms=now_ms - 10))
    producer = await transactional(kafka)
    await producer.begin(topic, b"b")
    later = batch(b"c", at_ms=now_ms + 10_000)
    await produce(kafka.wire, topic, later)
    asked = (
        (EARLIEST, 0, 0),
        (LATEST, 3, 1),
        (now_ms - 10, 0, 0),
        (now_ms + 10_000, 2, -1),
        (MAX_TIMESTAMP, 2, -1),
    )
    for timestamp_ms, expected_all, expected_committed in asked:
        for level, expected in ((0, expected_all), (READ_COMMITTED, expected_committed)):
            found = await list_offset(
                kafka.wire, topic, timestamp_ms, isolation_level=level, version=7
            )
            assert (found.error_code, found.offset) == (0, expected), (timestamp_ms, level)


@case("DeleteRecords", "Fetch", "EndTxn")
async def case_cut_into_a_transaction(kafka: Bench) -> None:
    """A log cut within an open transaction is stable up to its start; after an abort the rest of it
    is named still.
    """
    topic = await kafka.topic()
    producer = await transactional(kafka)
    await producer.begin(topic, b"a")
    await producer.write(topic, b"b")
    assert (await delete_records(kafka.wire, topic, 1)).error_code == 0
    found = await fetch(kafka.wire, topic, 1, isolation_level=READ_COMMITTED)
    assert (found.last_stable_offset, found.log_start_offset) == (1, 1)
    assert values(found.records) == []
    assert await producer.end(commit=False) == 0
    found = await fetch(kafka.wire, topic, 1, isolation_level=READ_COMMITTED)
    assert [aborted.first_offset for aborted in found.aborted_transactions] == [0]
    assert found.last_stable_offset == 3
