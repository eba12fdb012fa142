"""How a log loses its head: on request, exactly; by age, in whole segments."""

import time

from kafka.protocol.admin import DeleteRecordsRequest

from tests.contract.asking import EARLIEST, LATEST, delete_records, fetch, list_offset, produce
from tests.contract.batches import batch, records
from tests.contract.bench import Bench
from tests.contract.registry import case
from tests.contract.waiting import eventually

OFFSET_OUT_OF_RANGE = 1
UNKNOWN_TOPIC_OR_PARTITION = 3
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
RETENTION_DEADLINE_S = (
    90.0  # Kafka looks for old segments for the first time half a minute after its start
)
MIB = 1 << 20
AGED = {"retention.ms": str(10 * MINUTE_MS), "segment.ms": str(HOUR_MS)}


@case("DeleteRecords")
async def case_delete_records_every_version(kafka: Bench) -> None:
    """DeleteRecords answers at every version it advertises."""
    topic = await kafka.topic()
    versions = await kafka.versions(DeleteRecordsRequest)
    await produce(kafka.wire, topic, batch(*[b"x"] * (len(versions) + 1)))
    for cut, version in enumerate(versions, start=1):
        done = await delete_records(kafka.wire, topic, cut, version=version)
        assert (done.error_code, done.low_watermark) == (0, cut)


@case("DeleteRecords", "ListOffsets")
async def case_cut_is_exact(kafka: Bench) -> None:
    """A cut inside a batch moves the log's start to exactly there; the end stays."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(*(str(number).encode() for number in range(10))))
    done = await delete_records(kafka.wire, topic, 4)
    assert (done.error_code, done.low_watermark) == (0, 4)
    assert (await list_offset(kafka.wire, topic, EARLIEST)).offset == 4
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 10
    found = await fetch(kafka.wire, topic, 4)
    assert (found.error_code, found.log_start_offset) == (0, 4)
    assert (4, b"4") in [(record.offset, record.value) for record in records(found.records)]
    assert (await fetch(kafka.wire, topic, 3)).error_code == OFFSET_OUT_OF_RANGE


@case("DeleteRecords", "ListOffsets")
async def case_cut_everything(kafka: Bench) -> None:
    """Offset -1 cuts up to the high watermark; the log goes on at the same offset."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"a", b"b", b"c"))
    assert (await delete_records(kafka.wire, topic, -1)).low_watermark == 3
    assert (await list_offset(kafka.wire, topic, EARLIEST)).offset == 3
    made = await produce(kafka.wire, topic, batch(b"d"))
    assert (made.base_offset, made.log_start_offset) == (3, 3)


@case("DeleteRecords")
async def case_cut_beyond_the_end(kafka: Bench) -> None:
    """A cut beyond the end is error 1 and cuts nothing."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"a", b"b"))
    done = await delete_records(kafka.wire, topic, 3)
    assert (done.error_code, done.low_watermark) == (OFFSET_OUT_OF_RANGE, -1)
    assert (await list_offset(kafka.wire, topic, EARLIEST)).offset == 0


@case("DeleteRecords")
async def case_cut_below_the_start(kafka: Bench) -> None:
    """A cut below the start changes nothing and names the start."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"a", b"b", b"c"))
    await delete_records(kafka.wire, topic, 2)
    done = await delete_records(kafka.wire, topic, 1)
    assert (done.error_code, done.low_watermark) == (0, 2)


@case("DeleteRecords")
async def case_cut_unknown_partition(kafka: Bench) -> None:
    """An unknown topic or partition is error 3."""
    topic = await kafka.topic()
    for name, partition in ((kafka.name("nowhere"), 0), (topic, 1)):
        done = await delete_records(kafka.wire, name, 0, partition=partition)
        assert (done.error_code, done.low_watermark) == (UNKNOWN_TOPIC_OR_PARTITION, -1)


@case("DeleteRecords", "ListOffsets", "Produce")
async def case_broker_cuts_for_stories(kafka: Bench) -> None:
    """What stories use, `cut_head` and `log_ranges`, tells the same truth."""
    topic = await kafka.topic(partitions=2)
    await produce(kafka.wire, topic, batch(b"a", b"b", b"c"), partition=1)
    await kafka.broker.cut_head(topic, 1, before_offset=2)
    assert await kafka.broker.log_ranges(topic) == {0: (0, 0), 1: (2, 3)}


@case("Produce", "ListOffsets", "CreateTopics")
async def case_retention_empties_an_old_log(kafka: Bench) -> None:
    """A log whose records are all older than `retention.ms` is emptied; its start becomes its
    end.
    """
    topic = await kafka.topic(config=AGED)
    two_hours_ago = int(time.time() * 1000) - 2 * HOUR_MS
    await produce(kafka.wire, topic, batch((two_hours_ago, b"a"), (two_hours_ago, b"b")))

    async def emptied() -> bool:
        return bool((await list_offset(kafka.wire, topic, EARLIEST)).offset == 2)

    await eventually(emptied, deadline_s=RETENTION_DEADLINE_S)
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 2
    assert (await fetch(kafka.wire, topic, 0)).error_code == OFFSET_OUT_OF_RANGE


@case("Produce", "ListOffsets", "CreateTopics")
async def case_retention_takes_whole_segments(kafka: Bench) -> None:
    """By age only whole segments go: an old record next to a young one in its segment stays."""
    topic = await kafka.topic(config=AGED)
    now = int(time.time() * 1000)
    old, older_than_retention = now - 2 * HOUR_MS, now - HOUR_MS // 2
    for stamp in (old, old, older_than_retention, now):
        await produce(kafka.wire, topic, batch((stamp, b"x")))

    async def cut() -> bool:
        return bool((await list_offset(kafka.wire, topic, EARLIEST)).offset > 0)

    await eventually(cut, deadline_s=RETENTION_DEADLINE_S)
    assert (await list_offset(kafka.wire, topic, EARLIEST)).offset == 2
    found = records((await fetch(kafka.wire, topic, 2)).records)
    assert [record.offset for record in found] == [2, 3]


@case("Produce", "ListOffsets", "CreateTopics")
async def case_retention_by_size(kafka: Bench) -> None:
    """The oldest segments go as long as the log without them is still of `retention.bytes`."""
    config = {"retention.bytes": str(2 * MIB), "segment.bytes": str(MIB)}
    topic = await kafka.topic(config={**config, "max.message.bytes": str(MIB)})
    for _ in range(6):  # one to a segment
        made = await produce(
            kafka.wire, topic, batch((int(time.time() * 1000), b"x" * (MIB * 3 // 4)))
        )
        assert made.error_code == 0

    async def cut() -> bool:
        return bool((await list_offset(kafka.wire, topic, EARLIEST)).offset == 3)

    await eventually(cut, deadline_s=RETENTION_DEADLINE_S)
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 6
    for _ in range(3):
        assert await cut()
