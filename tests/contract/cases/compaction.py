"""What compaction leaves: of each key the newest record, at its offset, in closed segments."""

import asyncio
import struct
import time
from typing import Any, NamedTuple

from kafka.record.memory_records import MemoryRecordsBuilder

from tests.contract.asking import (
    EARLIEST,
    LATEST,
    fetch,
    list_offset,
    produce,
    producer_id,
)
from tests.contract.batches import records
from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.registry import case, client_case
from tests.contract.transactional import transactional
from tests.contract.waiting import eventually

HOUR_MS = 3_600_000
COMPACTED = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.01",
    "segment.ms": str(HOUR_MS),
}
CLEANING_DEADLINE_S = 40.0
HEADER = struct.Struct(">qiibIhiqqqhii")
DELETE_HORIZON_BIT = 0x40


class Header(NamedTuple):
    """What a batch says of itself."""

    base_offset: int
    last_offset: int
    attributes: int
    base_timestamp_ms: int
    producer: tuple[int, int, int]
    count: int


def headers(fetched: bytes) -> list[Header]:
    """The header of every whole batch in what a fetch returned."""
    found, at = [], 0
    while at + HEADER.size <= len(fetched):
        base, length, *_, attributes, delta, first, _last, pid, epoch, sequence, count = (
            HEADER.unpack_from(fetched, at)
        )
        found.append(Header(base, base + delta, attributes, first, (pid, epoch, sequence), count))
        at += length + 12
    return found


def keyed(
    *pairs: tuple[bytes, bytes | None],
    at_ms: int,
    codec: int = 0,
    producer: tuple[int, int, int] = (-1, -1, -1),
    transactional: bool = False,
) -> bytes:
    """One batch of records with keys, all of one time."""
    pid, epoch, sequence = producer
    builder = MemoryRecordsBuilder(
        magic=2,
        compression_type=codec,
        batch_size=1 << 24,
        producer_id=pid,
        producer_epoch=epoch,
        base_sequence=sequence,
        transactional=transactional,
    )
    for key, value in pairs:
        builder.append(at_ms, key, value)
    builder.close()
    return bytes(builder.buffer())


class Times:
    """Times for batches, each of which lies in a segment of its own."""

    def __init__(self, hours: int = 20) -> None:
        self._now_ms = int(time.time() * 1000)
        self._hours = hours

    def next_segment(self) -> int:
        """A time two hours after the last one."""
        self._hours -= 2
        return self._now_ms - self._hours * HOUR_MS


async def whole(kafka: Bench, topic: str) -> bytes:
    """Everything in partition 0, however many fetches it takes."""
    try:
        return await _whole(kafka, topic)
    except (asyncio.IncompleteReadError, ConnectionError):
        # Apache Kafka hangs up when it replaces a segment that it is sending.
        await kafka.connect_anew()
        return await _whole(kafka, topic)


async def _whole(kafka: Bench, topic: str) -> bytes:
    offset = (await list_offset(kafka.wire, topic, EARLIEST)).offset
    end = (await list_offset(kafka.wire, topic, LATEST)).offset
    found = b""
    while offset < end:
        data = (await fetch(kafka.wire, topic, offset)).records or b""
        if not data:
            break
        found += data
        offset = headers(data)[-1].last_offset + 1
    return found


async def kept(kafka: Bench, topic: str) -> list[tuple[int, bytes, bytes | None]]:
    """Offset, key and value of every record."""
    return [(r.offset, r.key, r.value) for r in records(await whole(kafka, topic))]


async def cleaned(
    kafka: Bench, topic: str, expected: list[tuple[int, bytes, bytes | None]]
) -> None:
    """Wait until these records, and no others, are there."""
    seen: list[Any] = []

    async def is_so() -> bool:
        seen[:] = await kept(kafka, topic)
        return seen == expected

    await eventually(
        is_so, deadline_s=CLEANING_DEADLINE_S, what=lambda: f"{expected}, there are {seen}"
    )


async def write(kafka: Bench, topic: str, data: bytes) -> None:
    """Produce a batch that must be taken."""
    made = await produce(kafka.wire, topic, data)
    assert made.error_code == 0, made


@case("Produce", "Fetch", "CreateTopics")
async def case_newest_record_of_a_key_stays(kafka: Bench) -> None:
    """Compaction keeps of each key the newest record of the closed segments, at its offset; what
    lies in the active segment neither goes nor counts.
    """
    topic = await kafka.topic(config=COMPACTED)
    times = Times()
    first = times.next_segment()
    await write(kafka, topic, keyed((b"a", b"1"), (b"b", b"1"), at_ms=first))
    await write(kafka, topic, keyed((b"a", b"2"), at_ms=first))
    await write(kafka, topic, keyed((b"b", b"2"), (b"c", b"1"), at_ms=times.next_segment()))
    await write(kafka, topic, keyed((b"c", b"2"), (b"c", b"3"), at_ms=times.next_segment()))
    active = [(5, b"c", b"2"), (6, b"c", b"3")]
    await cleaned(kafka, topic, [(2, b"a", b"2"), (3, b"b", b"2"), (4, b"c", b"1"), *active])
    assert (await list_offset(kafka.wire, topic, EARLIEST)).offset == 0
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 7


@case("Produce", "Fetch")
async def case_batches_keep_their_offsets(kafka: Bench) -> None:
    """A batch that loses records keeps its first and last offset and its codec; one that loses all
    is gone, and a reader in the gap gets what comes next.
    """
    topic = await kafka.topic(config=COMPACTED)
    times = Times()
    first = times.next_segment()
    long = b"long enough to be compressed " * 20
    await write(kafka, topic, keyed((b"a", long), (b"b", long), (b"a", long), at_ms=first, codec=1))
    await write(kafka, topic, keyed((b"c", b"1"), at_ms=first))
    await write(kafka, topic, keyed((b"c", b"2"), (b"a", b"2"), at_ms=first))
    await write(kafka, topic, keyed((b"a", b"x"), at_ms=times.next_segment()))
    await cleaned(
        kafka, topic, [(1, b"b", long), (4, b"c", b"2"), (5, b"a", b"2"), (6, b"a", b"x")]
    )
    found = headers(await whole(kafka, topic))
    assert [(h.base_offset, h.last_offset, h.count) for h in found] == [
        (0, 2, 1),
        (4, 5, 2),
        (6, 6, 1),
    ]
    assert [h.attributes for h in found] == [1, 0, 0]
    in_the_gap = await fetch(kafka.wire, topic, 3)
    assert in_the_gap.error_code == 0
    assert headers(in_the_gap.records)[0].base_offset == 4


@case("Produce", "Fetch")
async def case_tombstones_go_when_their_time_is_over(kafka: Bench) -> None:
    """A tombstone outlives the first cleaning, which stamps its batch with the time when it may go,
    and goes with the first one after that.
    """
    topic = await kafka.topic(config={**COMPACTED, "delete.retention.ms": "2000"})
    times = Times()
    first = times.next_segment()
    await write(kafka, topic, keyed((b"a", b"1"), (b"b", b"1"), at_ms=first))
    await write(kafka, topic, keyed((b"a", None), (b"c", b"1"), at_ms=first))
    await write(kafka, topic, keyed((b"z", b"1"), at_ms=times.next_segment()))
    rest = [(1, b"b", b"1"), (3, b"c", b"1"), (4, b"z", b"1")]
    await cleaned(kafka, topic, sorted([(2, b"a", None), *rest]))
    stamped = headers(await whole(kafka, topic))[1]
    assert stamped.attributes == DELETE_HORIZON_BIT
    horizon_ms = stamped.base_timestamp_ms
    assert abs(horizon_ms - int(time.time() * 1000)) < CLEANING_DEADLINE_S * 1000
    stamps = [r.timestamp for r in records(await whole(kafka, topic))]
    assert stamps[:3] == [first] * 3

    async def is_over() -> bool:
        return time.time() * 1000 > horizon_ms

    await eventually(is_over)
    await write(kafka, topic, keyed((b"y", b"1"), at_ms=times.next_segment()))
    await cleaned(kafka, topic, [*rest, (5, b"y", b"1")])


@case("Produce", "Fetch", "InitProducerId")
async def case_last_batch_of_a_producer_stays_empty(kafka: Bench) -> None:
    """The last batch of an idempotent producer stays when it loses all its records: empty, with
    the producer's sequence number.
    """
    topic = await kafka.topic(config=COMPACTED)
    times = Times()
    pid = await producer_id(kafka.wire)
    for sequence in range(2):
        at_ms = times.next_segment()
        data = keyed((b"a", b"%d" % sequence), at_ms=at_ms, producer=(pid, 0, sequence))
        await write(kafka, topic, data)
    await write(kafka, topic, keyed((b"a", b"x"), at_ms=times.next_segment()))
    await write(kafka, topic, keyed((b"b", b"x"), at_ms=times.next_segment()))
    await cleaned(kafka, topic, [(2, b"a", b"x"), (3, b"b", b"x")])
    empty = headers(await whole(kafka, topic))[0]
    assert (empty.base_offset, empty.last_offset, empty.count) == (1, 1, 0)
    assert empty.producer == (pid, 0, 1)
    again = await produce(
        kafka.wire, topic, keyed((b"a", b"1"), at_ms=times.next_segment(), producer=(pid, 0, 1))
    )
    assert (again.error_code, again.base_offset) == (0, 1)


@case("Produce", "Fetch")
async def case_records_escape_compaction_for_a_while(kafka: Bench) -> None:
    """Records younger than `min.compaction.lag.ms` stay; older segments before them are cleaned."""
    lag_ms = 15 * HOUR_MS
    topic = await kafka.topic(config={**COMPACTED, "min.compaction.lag.ms": str(lag_ms)})
    times = Times(22)
    for number in range(6):
        await write(kafka, topic, keyed((b"a", b"%d" % number), at_ms=times.next_segment()))
    # 20, 18 and 16 hours old are the first three; those of 14, 12 and 10 hours are too young
    await cleaned(kafka, topic, [(n, b"a", b"%d" % n) for n in (2, 3, 4, 5)])


@case("Produce", "Fetch")
async def case_clean_enough_is_not_compacted(kafka: Bench) -> None:
    """A log is left alone as long as no more of it than `min.cleanable.dirty.ratio` is dirty;
    unless a record has waited for `max.compaction.lag.ms`.
    """
    config = {**COMPACTED, "min.cleanable.dirty.ratio": "1.0"}
    lazy = await kafka.topic("lazy", config=config)
    urgent = await kafka.topic(
        "urgent", config={**config, "max.compaction.lag.ms": str(5 * HOUR_MS)}
    )
    for topic in (lazy, urgent):
        times = Times()
        for number in range(3):
            await write(kafka, topic, keyed((b"a", b"%d" % number), at_ms=times.next_segment()))
    await cleaned(kafka, urgent, [(1, b"a", b"1"), (2, b"a", b"2")])
    assert [offset for offset, _, _ in await kept(kafka, lazy)] == [0, 1, 2]


@case("Produce", "Fetch", "ListOffsets")
async def case_compacted_and_deleted(kafka: Bench) -> None:
    """With `compact,delete` old segments go, and of the others each key's newest record stays."""
    config = {**COMPACTED, "cleanup.policy": "compact,delete", "retention.ms": str(13 * HOUR_MS)}
    topic = await kafka.topic(config={**config, "min.cleanable.dirty.ratio": "1.0"})
    times = Times()
    for number in range(3):
        await write(kafka, topic, keyed((b"%d" % number, b"x"), at_ms=times.next_segment()))
    await write(kafka, topic, keyed((b"young", b"x"), at_ms=times.next_segment()))
    await cleaned(kafka, topic, [(3, b"young", b"x")])
    assert (await list_offset(kafka.wire, topic, EARLIEST)).offset == 3


@case("Produce", "Fetch", "EndTxn")
async def case_compaction_of_transactions(kafka: Bench) -> None:
    """Records of aborted transactions go, and do not count; a marker stays as long as records of
    its transaction do, and `delete.retention.ms` longer.
    """
    config = {**COMPACTED, "delete.retention.ms": "2000"}
    config["message.timestamp.after.max.ms"] = str(100 * HOUR_MS)  # markers are of the present
    topic = await kafka.topic(config=config)
    times = Times(0)
    producer = await transactional(kafka)
    for sequence, commit in ((0, False), (1, True)):  # two batches and two markers
        assert await producer.add(topic) == 0
        data = keyed(
            (b"a", b"%d" % sequence),
            at_ms=times.next_segment(),
            producer=(producer.producer_id, producer.epoch, sequence),
            transactional=True,
        )
        made = await produce(kafka.wire, topic, data, transactional_id=producer.transactional_id)
        assert made.error_code == 0
        assert await producer.end(commit=commit) == 0
    await write(kafka, topic, keyed((b"b", b"1"), at_ms=times.next_segment()))
    await write(kafka, topic, keyed((b"c", b"1"), at_ms=times.next_segment()))

    async def left(*expected: int) -> list[Header]:
        async def is_so() -> bool:
            return [h.base_offset for h in headers(await whole(kafka, topic))] == list(expected)

        await eventually(is_so, deadline_s=CLEANING_DEADLINE_S, what=f"batches {expected} alone")
        return headers(await whole(kafka, topic))

    found = await left(1, 2, 3, 4, 5)
    assert [h.attributes & DELETE_HORIZON_BIT for h in found[:3]] == [0, 0, 0]
    await write(kafka, topic, keyed((b"a", b"2"), at_ms=times.next_segment()))
    await write(kafka, topic, keyed((b"d", b"1"), at_ms=times.next_segment()))

    async def stamped() -> bool:
        return bool(headers(await whole(kafka, topic))[0].attributes & DELETE_HORIZON_BIT)

    await eventually(stamped, deadline_s=CLEANING_DEADLINE_S)
    horizon_ms = headers(await whole(kafka, topic))[0].base_timestamp_ms

    async def is_over() -> bool:
        return time.time() * 1000 > horizon_ms

    await eventually(is_over)
    await write(kafka, topic, keyed((b"e", b"1"), at_ms=times.next_segment()))
    await left(2, 3, 4, 5, 6, 7, 8)
    await write(kafka, topic, keyed((b"e", b"2"), at_ms=times.next_segment()))
    await write(kafka, topic, keyed((b"e", b"3"), at_ms=times.next_segment()))
    found = await left(2, 3, 4, 5, 6, 7, 9, 10)
    assert [(h.count, h.attributes) for h in found[:2]] == [(0, 16), (1, 48)]


@client_case("Produce", "Fetch")
async def case_clients_read_compacted_logs(kafka: Bench, client: Client) -> None:
    """A client reads over the gaps of a compacted log to its end."""
    topic = await kafka.topic(config=COMPACTED)
    times = Times()
    for number in range(4):
        at_ms = times.next_segment()
        pairs = [(b"a", b"%d" % number), (b"b%d" % number, b"x"), (b"a", b"again")]
        await write(kafka, topic, keyed(*pairs, at_ms=at_ms))
    expected = [(1, b"b0"), (4, b"b1"), (7, b"b2"), (8, b"a"), (9, b"a"), (10, b"b3"), (11, b"a")]

    async def is_cleaned() -> bool:
        return [(o, k) for o, k, _ in await kept(kafka, topic)] == expected

    await eventually(is_cleaned, deadline_s=CLEANING_DEADLINE_S)
    found = await read(await client.consumer(topic), len(expected))
    assert [(record.offset, record.key) for record in found] == expected
