"""Looking offsets up: the ends of a log, and by time."""

from kafka.protocol.consumer import ListOffsetsRequest

from tests.contract.asking import (
    EARLIEST,
    LATEST,
    MAX_TIMESTAMP,
    delete_records,
    list_offset,
    produce,
)
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.registry import case

UNKNOWN_TOPIC_OR_PARTITION = 3
SINCE_MAX_TIMESTAMP = 7


@case("ListOffsets")
async def case_list_offsets_every_version(kafka: Bench) -> None:
    """ListOffsets answers at every version it advertises."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"a", b"b"))
    for version in await kafka.versions(ListOffsetsRequest):
        for asked, expected in ((EARLIEST, 0), (LATEST, 2)):
            found = await list_offset(kafka.wire, topic, asked, version=version)
            assert (found.error_code, found.offset, found.timestamp) == (0, expected, -1)


@case("ListOffsets")
async def case_ends_of_an_empty_log(kafka: Bench) -> None:
    """Earliest and latest of an empty log are 0; no time has an offset."""
    topic = await kafka.topic()
    for asked, expected in ((EARLIEST, 0), (LATEST, 0), (1_000, -1)):
        found = await list_offset(kafka.wire, topic, asked)
        assert (found.error_code, found.offset) == (0, expected)


@case("ListOffsets")
async def case_offset_by_time(kafka: Bench) -> None:
    """By time: the first record stamped at or after it, with its stamp; none is offset -1."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch((1_000, b"a"), (2_000, b"b")))
    await produce(kafka.wire, topic, batch((4_000, b"c"), (5_000, b"d")))
    for asked, expected in (
        (0, (0, 1_000)),
        (1_000, (0, 1_000)),
        (1_001, (1, 2_000)),
        (2_000, (1, 2_000)),
        (2_001, (2, 4_000)),
        (4_500, (3, 5_000)),
        (5_000, (3, 5_000)),
        (5_001, (-1, -1)),
    ):
        found = await list_offset(kafka.wire, topic, asked)
        assert found.error_code == 0
        assert (found.offset, found.timestamp) == expected, asked


@case("ListOffsets")
async def case_offset_by_time_out_of_order(kafka: Bench) -> None:
    """Stamps out of order: the first offset whose stamp is at or after the time, late ones passed
    over.
    """
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch((5_000, b"a"), (1_000, b"b"), (7_000, b"c")))
    await produce(kafka.wire, topic, batch((2_000, b"d"), (6_000, b"e"), (9_000, b"f")))
    for asked, expected in ((1_000, 0), (5_001, 2), (7_001, 5)):
        assert (await list_offset(kafka.wire, topic, asked)).offset == expected


@case("ListOffsets", "DeleteRecords")
async def case_offset_by_time_after_a_cut(kafka: Bench) -> None:
    """After a cut nothing below the log's start is found by time."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch((1_000, b"a"), (2_000, b"b"), (3_000, b"c")))
    await delete_records(kafka.wire, topic, 2)
    assert (await list_offset(kafka.wire, topic, EARLIEST)).offset == 2
    found = await list_offset(kafka.wire, topic, 1_000)
    assert (found.offset, found.timestamp) == (2, 3_000)


@case("ListOffsets")
async def case_offset_of_max_timestamp(kafka: Bench) -> None:
    """Asked for the newest stamp, the answer is the record that has it, wherever it lies."""
    topic = await kafka.topic()
    asked = {"version": SINCE_MAX_TIMESTAMP}
    assert (await list_offset(kafka.wire, topic, MAX_TIMESTAMP, **asked)).offset == -1
    await produce(kafka.wire, topic, batch((1_000, b"a"), (9_000, b"b"), (3_000, b"c")))
    await produce(kafka.wire, topic, batch((5_000, b"d")))
    found = await list_offset(kafka.wire, topic, MAX_TIMESTAMP, **asked)
    assert (found.error_code, found.offset, found.timestamp) == (0, 1, 9_000)


@case("ListOffsets")
async def case_list_offsets_unknown_partition(kafka: Bench) -> None:
    """An unknown topic or partition is error 3."""
    topic = await kafka.topic()
    for name, partition in ((kafka.name("nowhere"), 0), (topic, 1)):
        found = await list_offset(kafka.wire, name, LATEST, partition=partition)
        assert (found.error_code, found.offset) == (UNKNOWN_TOPIC_OR_PARTITION, -1)
