"""Reading: long polls, limits, positions outside the log."""

import asyncio

from kafka.protocol.consumer import FetchRequest

from tests.contract.asking import delete_records, fetch, fetch_request, produce
from tests.contract.batches import base_offsets, batch, values
from tests.contract.bench import Bench
from tests.contract.registry import case

OFFSET_OUT_OF_RANGE = 1
UNKNOWN_TOPIC_OR_PARTITION = 3
LONG_WAIT_MS = 30_000
SOON_S = 15.0  # far below LONG_WAIT_MS, far above what a loaded machine needs


@case("Fetch")
async def case_fetch_every_version(kafka: Bench) -> None:
    """Fetch answers at every version it advertises."""
    topic = await kafka.topic()
    topic_id = await kafka.topic_id(topic)
    await produce(kafka.wire, topic, batch(b"a", b"b"))
    for version in await kafka.versions(FetchRequest):
        found = await fetch(kafka.wire, topic, 0, version=version, topic_id=topic_id)
        assert (found.error_code, found.high_watermark) == (0, 2)
        assert values(found.records) == [b"a", b"b"]


@case("Fetch")
async def case_fetch_waits_for_max_wait(kafka: Bench) -> None:
    """A fetch at the end of the log waits `max_wait_ms`, then returns no record and no error."""
    topic = await kafka.topic()
    loop = asyncio.get_running_loop()
    started = loop.time()
    found = await fetch(kafka.wire, topic, 0, max_wait_ms=300)
    assert loop.time() - started >= 0.29
    assert (found.error_code, found.high_watermark, values(found.records)) == (0, 0, [])


@case("Fetch")
async def case_fetch_without_wait(kafka: Bench) -> None:
    """With `max_wait_ms=0` a fetch at the end returns at once."""
    topic = await kafka.topic()
    async with asyncio.timeout(SOON_S):
        found = await fetch(kafka.wire, topic, 0, max_wait_ms=0)
    assert (found.error_code, values(found.records)) == (0, [])


@case("Fetch")
async def case_fetch_min_bytes_zero(kafka: Bench) -> None:
    """With `min_bytes=0` a fetch at the end returns at once, whatever its wait."""
    topic = await kafka.topic()
    async with asyncio.timeout(SOON_S):
        found = await fetch(kafka.wire, topic, 0, max_wait_ms=LONG_WAIT_MS, min_bytes=0)
    assert (found.error_code, values(found.records)) == (0, [])


@case("Fetch")
async def case_fetch_wakes_on_data(kafka: Bench) -> None:
    """A waiting fetch is answered as soon as a record arrives."""
    topic = await kafka.topic()
    other = await kafka.connect()
    async with asyncio.timeout(SOON_S):
        waiting = asyncio.create_task(fetch(other, topic, 0, max_wait_ms=LONG_WAIT_MS))
        await produce(kafka.wire, topic, batch(b"news"))
        found = await waiting
    assert (values(found.records), found.high_watermark) == ([b"news"], 1)


@case("Fetch")
async def case_fetch_min_bytes(kafka: Bench) -> None:
    """A waiting fetch is not answered before `min_bytes` are there."""
    topic = await kafka.topic()
    other = await kafka.connect()
    async with asyncio.timeout(SOON_S):
        waiting = asyncio.create_task(
            fetch(other, topic, 0, max_wait_ms=LONG_WAIT_MS, min_bytes=2_000)
        )
        await produce(kafka.wire, topic, batch(b"small"))
        await produce(kafka.wire, topic, batch(b"x" * 2_000))
        found = await waiting
    assert values(found.records) == [b"small", b"x" * 2_000]


@case("Fetch")
async def case_fetch_at_least_one_batch(kafka: Bench) -> None:
    """A limit smaller than the first batch still returns that batch whole, or nobody would get past
    it.
    """
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"x" * 3_000))
    await produce(kafka.wire, topic, batch(b"y" * 3_000))
    for limits in ({"partition_max_bytes": 1}, {"max_bytes": 1}):
        found = await fetch(kafka.wire, topic, 0, **limits)
        assert values(found.records) == [b"x" * 3_000]


@case("Fetch")
async def case_fetch_partition_max_bytes(kafka: Bench) -> None:
    """No more whole batches come than fit into `partition_max_bytes`."""
    topic = await kafka.topic()
    for number in range(5):
        await produce(kafka.wire, topic, batch(bytes([number]) * 1_000))
    found = await fetch(kafka.wire, topic, 1, partition_max_bytes=2_500)
    assert base_offsets(found.records) == [1, 2]


@case("Fetch")
async def case_fetch_max_bytes_over_partitions(kafka: Bench) -> None:
    """`max_bytes` holds over the partitions of a request: what the first used up the second does
    not get.
    """
    topic = await kafka.topic(partitions=2)
    for partition in (0, 1):
        await produce(kafka.wire, topic, batch(b"x" * 1_000), partition=partition)
    request = fetch_request(topic, 0, max_bytes=1)
    request.topics[0].partitions.extend(fetch_request(topic, 0, partition=1).topics[0].partitions)
    answer = await kafka.wire.ask(request, 11)
    parts = answer.responses[0].partitions
    assert [len(values(part.records)) for part in parts] == [1, 0]
    assert [part.high_watermark for part in parts] == [1, 1]


@case("Fetch")
async def case_fetch_from_inside_a_batch(kafka: Bench) -> None:
    """A fetch from inside a batch returns the whole batch."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(*(str(number).encode() for number in range(10))))
    found = await fetch(kafka.wire, topic, 6)
    assert base_offsets(found.records) == [0]


@case("Fetch")
async def case_fetch_above_the_end(kafka: Bench) -> None:
    """An offset above the end is error 1, at once, with no watermark and no record."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"x"))
    async with asyncio.timeout(SOON_S):
        found = await fetch(kafka.wire, topic, 2, max_wait_ms=LONG_WAIT_MS)
    assert (found.error_code, found.high_watermark) == (OFFSET_OUT_OF_RANGE, -1)
    assert values(found.records) == []


@case("Fetch", "DeleteRecords")
async def case_fetch_below_the_start(kafka: Bench) -> None:
    """An offset below the log's start is error 1; the start itself is readable and named in the
    answer.
    """
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"a"))
    await produce(kafka.wire, topic, batch(b"b"))
    await delete_records(kafka.wire, topic, 1)
    assert (await fetch(kafka.wire, topic, 0)).error_code == OFFSET_OUT_OF_RANGE
    found = await fetch(kafka.wire, topic, 1)
    assert (found.error_code, found.log_start_offset, values(found.records)) == (0, 1, [b"b"])


@case("Fetch")
async def case_fetch_unknown_partition(kafka: Bench) -> None:
    """An unknown topic or partition is error 3."""
    topic = await kafka.topic()
    for name, partition in ((kafka.name("nowhere"), 0), (topic, 1)):
        found = await fetch(kafka.wire, name, 0, partition=partition)
        assert found.error_code == UNKNOWN_TOPIC_OR_PARTITION


@case("Fetch")
async def case_fetch_error_does_not_hide_data(kafka: Bench) -> None:
    """One partition out of range is told at once, next to the data of another."""
    topic = await kafka.topic(partitions=2)
    await produce(kafka.wire, topic, batch(b"x"))
    request = fetch_request(topic, 0, max_wait_ms=LONG_WAIT_MS, min_bytes=10_000)
    request.topics[0].partitions.extend(fetch_request(topic, 7, partition=1).topics[0].partitions)
    async with asyncio.timeout(SOON_S):
        answer = await kafka.wire.ask(request, 11)
    parts = {part.partition_index: part for part in answer.responses[0].partitions}
    assert values(parts[0].records) == [b"x"]
    assert parts[1].error_code == OFFSET_OUT_OF_RANGE


@case("Fetch")
async def case_fetch_several_topics_wakes_on_any(kafka: Bench) -> None:
    """A fetch that waits on several topics is answered when one of them gets a record."""
    quiet, busy = await kafka.topic("quiet"), await kafka.topic("busy")
    request = fetch_request(quiet, 0, max_wait_ms=LONG_WAIT_MS)
    request.topics.extend(fetch_request(busy, 0).topics)
    other = await kafka.connect()
    async with asyncio.timeout(SOON_S):
        waiting = asyncio.create_task(other.ask(request, 11))
        await produce(kafka.wire, busy, batch(b"news"))
        answer = await waiting
    found = {topic.topic: values(topic.partitions[0].records) for topic in answer.responses}
    assert found == {quiet: [], busy: [b"news"]}


@case("Fetch")
async def case_fetch_committed_only(kafka: Bench) -> None:
    """Without transactions, reading committed records only returns all, up to the high
    watermark.
    """
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"a", b"b"))
    found = await fetch(kafka.wire, topic, 0, isolation_level=1)
    assert (found.last_stable_offset, found.high_watermark) == (2, 2)
    assert values(found.records) == [b"a", b"b"]
    assert found.aborted_transactions in ([], None)
