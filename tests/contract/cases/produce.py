"""Writing: offsets, acknowledgements, refusals, time stamps."""

import struct

from kafka.protocol.producer import ProduceRequest

from tests.contract.asking import LATEST, fetch, list_offset, produce, produce_request
from tests.contract.batches import (
    LENGTH_AT,
    batch,
    put,
    records,
    values,
    with_checksum,
    with_wrong_checksum,
)
from tests.contract.bench import Bench
from tests.contract.registry import case
from tests.contract.waiting import eventually

UNKNOWN_SERVER_ERROR = -1
UNKNOWN_TOPIC_OR_PARTITION = 3
CORRUPT_MESSAGE = 2
MESSAGE_TOO_LARGE = 10
INVALID_REQUIRED_ACKS = 21
INVALID_TIMESTAMP = 32
INVALID_RECORD = 87
YEAR_2100_MS = 4_102_444_800_000


@case("Produce")
async def case_produce_every_version(kafka: Bench) -> None:
    """Produce answers at every version it advertises."""
    topic = await kafka.topic()
    topic_id = await kafka.topic_id(topic)
    for count, version in enumerate(await kafka.versions(ProduceRequest)):
        made = await produce(kafka.wire, topic, batch(b"x"), version=version, topic_id=topic_id)
        assert (made.error_code, made.base_offset) == (0, count)


@case("Produce")
async def case_produce_base_offsets(kafka: Bench) -> None:
    """Each batch gets the next offsets, whatever acks; the answer holds the first, no append time,
    and the log start.
    """
    topic = await kafka.topic()
    for expected, made_of, acks in ((0, (b"a", b"b", b"c"), -1), (3, (b"d",), 1), (4, (b"e",), -1)):
        made = await produce(kafka.wire, topic, batch(*made_of), acks=acks)
        assert (made.error_code, made.base_offset) == (0, expected)
        assert (made.log_append_time_ms, made.log_start_offset) == (-1, 0)


@case("Produce")
async def case_produce_without_acks(kafka: Bench) -> None:
    """With acks=0 nothing is answered, and the record is there all the same."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch(b"x"), acks=0)

    async def arrived() -> bool:
        return bool((await list_offset(kafka.wire, topic, LATEST)).offset == 1)

    await eventually(arrived)


@case("Produce")
async def case_produce_refusal_without_acks_hangs_up(kafka: Bench) -> None:
    """With acks=0 a refusal closes the connection, the only way to tell."""
    topic = await kafka.topic()
    request = produce_request(topic, batch(b"x"), partition=9, acks=0)
    kafka.wire.send(request, 8)
    assert await kafka.wire.hung_up()


@case("Produce")
async def case_produce_unknown_acks(kafka: Bench) -> None:
    """Acks other than 0, 1 and all are error 21, and nothing is written."""
    topic = await kafka.topic()
    made = await produce(kafka.wire, topic, batch(b"x"), acks=5)
    assert (made.error_code, made.base_offset) == (INVALID_REQUIRED_ACKS, -1)
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 0


@case("Produce")
async def case_produce_unknown_partition(kafka: Bench) -> None:
    """An unknown topic or partition is error 3."""
    topic = await kafka.topic()
    for name, partition in ((kafka.name("nowhere"), 0), (topic, 1)):
        made = await produce(kafka.wire, name, batch(b"x"), partition=partition)
        assert (made.error_code, made.base_offset) == (UNKNOWN_TOPIC_OR_PARTITION, -1)


@case("Produce")
async def case_produce_corrupt_batch(kafka: Bench) -> None:
    """A batch whose checksum is wrong is error 2, and nothing is written."""
    topic = await kafka.topic()
    made = await produce(kafka.wire, topic, with_wrong_checksum(batch(b"x")))
    assert made.error_code == CORRUPT_MESSAGE
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 0


@case("Produce")
async def case_produce_one_batch_per_partition(kafka: Bench) -> None:
    """Two batches for one partition in one request are error 87, and nothing is written."""
    topic = await kafka.topic()
    made = await produce(kafka.wire, topic, batch(b"x") + batch(b"y"))
    assert made.error_code == INVALID_RECORD
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 0


@case("Produce")
async def case_produce_cut_batches(kafka: Bench) -> None:
    """A batch that is not all there is no batch (error 87); what begins like none is corrupt."""
    topic = await kafka.topic()
    whole = batch(b"x")
    for data in (b"", b"abcd", whole[:16], whole[:17], whole[:60], whole[:-1]):
        assert (await produce(kafka.wire, topic, data)).error_code == INVALID_RECORD
    for length in (0, -1, 13, 14, 48, 49, len(whole) - 13):
        data = whole[:LENGTH_AT] + struct.pack(">i", length) + whole[LENGTH_AT + 4 :]
        assert (await produce(kafka.wire, topic, data)).error_code == CORRUPT_MESSAGE
    for data in (b"x" * 100, b"\xff" * 100, bytes(100), whole[:16] + b"\x03" + whole[17:]):
        assert (await produce(kafka.wire, topic, data)).error_code == CORRUPT_MESSAGE


@case("Produce", "Fetch")
async def case_produce_a_batch_and_a_piece(kafka: Bench) -> None:
    """What is left of another batch behind a whole one is dropped."""
    topic = await kafka.topic()
    whole = batch(b"x")
    for count, piece in enumerate((b"abcde", whole[:40])):
        made = await produce(kafka.wire, topic, whole + piece)
        assert (made.error_code, made.base_offset) == (0, count)
    assert values((await fetch(kafka.wire, topic, 0)).records) == [b"x", b"x"]


@case("Produce")
async def case_produce_headers_that_cannot_be(kafka: Bench) -> None:
    """A batch is refused whose header claims records that are not there, an idempotent producer
    without a sequence, or a codec that nobody has.
    """
    topic = await kafka.topic()
    counted = struct.pack(">i", 2**31 - 1)
    many = with_checksum(put(put(batch(b"x"), 23, struct.pack(">i", 2**31 - 2)), 57, counted))
    none = with_checksum(put(batch(b"x")[:61], LENGTH_AT, struct.pack(">i", 49)))
    nameless = batch(b"x", producer_id=5, epoch=0, sequence=-5)
    for data in (many, none, nameless):
        assert (await produce(kafka.wire, topic, data)).error_code == INVALID_RECORD
    for codec in (5, 7):
        data = with_checksum(put(batch(b"x"), 21, struct.pack(">h", codec)))
        assert (await produce(kafka.wire, topic, data)).error_code == UNKNOWN_SERVER_ERROR


@case("Produce")
async def case_produce_too_large(kafka: Bench) -> None:
    """A batch above `max.message.bytes` is error 10, and nothing is written."""
    topic = await kafka.topic(config={"max.message.bytes": "1000"})
    made = await produce(kafka.wire, topic, batch(b"x" * 1000))
    assert made.error_code == MESSAGE_TOO_LARGE
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 0


@case("Produce")
async def case_produce_one_partition_refused(kafka: Bench) -> None:
    """A refusal of one partition leaves the others of the request alone."""
    topic = await kafka.topic()
    request = produce_request(topic, batch(b"x"))
    bad = produce_request(topic, batch(b"x"), partition=1)
    request.topic_data[0].partition_data.extend(bad.topic_data[0].partition_data)
    answer = await kafka.wire.ask(request, 8)
    codes = {part.index: part.error_code for part in answer.responses[0].partition_responses}
    assert codes == {0: 0, 1: UNKNOWN_TOPIC_OR_PARTITION}


@case("Produce", "Fetch")
async def case_create_time_is_kept(kafka: Bench) -> None:
    """By default records keep the producer's time stamps, each its own."""
    topic = await kafka.topic()
    await produce(kafka.wire, topic, batch((1_000, b"a"), (3_000, b"b"), (2_000, b"c")))
    found = records((await fetch(kafka.wire, topic, 0)).records)
    assert [(record.timestamp, record.timestamp_type) for record in found] == [
        (1_000, 0),
        (3_000, 0),
        (2_000, 0),
    ]


@case("Produce", "Fetch")
async def case_log_append_time(kafka: Bench) -> None:
    """With LogAppendTime the broker's clock stamps the records, and the answer says when."""
    topic = await kafka.topic(config={"message.timestamp.type": "LogAppendTime"})
    made = await produce(kafka.wire, topic, batch((1_000, b"a"), (2_000, b"b")))
    assert made.log_append_time_ms > 1_600_000_000_000
    found = records((await fetch(kafka.wire, topic, 0)).records)
    assert [(record.timestamp, record.timestamp_type) for record in found] == [
        (made.log_append_time_ms, 1)
    ] * 2


@case("Produce")
async def case_produce_from_the_future(kafka: Bench) -> None:
    """A time stamp further ahead than `message.timestamp.after.max.ms` is error 32."""
    topic = await kafka.topic()
    made = await produce(kafka.wire, topic, batch((YEAR_2100_MS, b"x")))
    assert (made.error_code, made.base_offset) == (INVALID_TIMESTAMP, -1)
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 0


@case("Produce")
async def case_produce_from_the_past(kafka: Bench) -> None:
    """A time stamp further back than `message.timestamp.before.max.ms` is error 32, where that is
    set.
    """
    topic = await kafka.topic(config={"message.timestamp.before.max.ms": "60000"})
    made = await produce(kafka.wire, topic, batch((1_000, b"x")))
    assert made.error_code == INVALID_TIMESTAMP


@case("Produce", "Fetch")
async def case_produce_is_readable_at_once(kafka: Bench) -> None:
    """What is acknowledged is readable: a fetch behind the answer has it."""
    topic = await kafka.topic()
    for number in range(20):
        value = str(number).encode()
        assert (await produce(kafka.wire, topic, batch(value))).base_offset == number
        assert values((await fetch(kafka.wire, topic, number)).records) == [value]


@case("Produce")
async def case_produce_names_a_partition_twice(kafka: Bench) -> None:
    """Of a partition that is named twice in one request the last batch alone counts, and there is
    one answer.
    """
    topic = await kafka.topic()
    topic_data = ProduceRequest.TopicProduceData
    told = []
    for first, second in (
        (batch(b"a"), batch(b"b", b"c")),
        (with_wrong_checksum(batch(b"d")), batch(b"e")),
        (batch(b"f"), with_wrong_checksum(batch(b"g"))),
    ):
        parts = [
            topic_data.PartitionProduceData(index=0, records=records) for records in (first, second)
        ]
        in_one_topic = [topic_data(name=topic, partition_data=parts)]
        in_two = [topic_data(name=topic, partition_data=[part]) for part in parts]
        for named in (in_one_topic, in_two):
            request = ProduceRequest(
                transactional_id=None, acks=-1, timeout_ms=30_000, topic_data=named
            )
            (answer,) = (await kafka.wire.ask(request, 8)).responses
            (made,) = answer.partition_responses
            told.append((made.index, made.error_code, made.base_offset))
    assert told == [
        *((0, 0, 0), (0, 0, 2), (0, 0, 4), (0, 0, 5)),
        *((0, CORRUPT_MESSAGE, -1), (0, CORRUPT_MESSAGE, -1)),
    ]
    fetched = await fetch(kafka.wire, topic, 0)
    assert values(fetched.records) == [b"b", b"c", b"b", b"c", b"e", b"e"]
