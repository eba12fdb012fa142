"""Leader epochs: who knows which, where they end, and readers and leaders that disagree."""

from typing import Any

from kafka.protocol.consumer import (
    ListOffsetsRequest,
    OffsetForLeaderEpochRequest,
)

from tests.contract.asking import (
    EARLIEST,
    LATEST,
    fetch,
    fetch_request,
    list_offset,
    metadata,
    produce,
)
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.cases.restarts import restart
from tests.contract.registry import case
from tests.contract.waiting import eventually

OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION = 1, 3
FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH = 74, 75
NO_EPOCH = -1
EPOCHS_SINCE_METADATA, EPOCHS_SINCE_LIST_OFFSETS, EPOCHS_SINCE_FETCH = 7, 4, 9
DIVERGENCE_SINCE_FETCH = 12
BASE_EPOCH_AT = 12  # byte position of the leader epoch in a batch


async def end_of_epoch(
    kafka: Bench,
    topic: str,
    epoch: int,
    *,
    current: int = NO_EPOCH,
    partition: int = 0,
    version: int = 4,
) -> Any:
    """Where an epoch ends, as the leader answers."""
    wanted = OffsetForLeaderEpochRequest.OffsetForLeaderTopic
    asked = wanted.OffsetForLeaderPartition(
        partition=partition, current_leader_epoch=current, leader_epoch=epoch
    )
    request = OffsetForLeaderEpochRequest(
        replica_id=-1, topics=[wanted(topic=topic, partitions=[asked])]
    )
    return (await kafka.wire.ask(request, version)).topics[0].partitions[0]


async def fetch_in_epoch(
    kafka: Bench,
    topic: str,
    offset: int,
    *,
    current: int = NO_EPOCH,
    last_fetched: int = NO_EPOCH,
    version: int = DIVERGENCE_SINCE_FETCH,
) -> Any:
    """Fetch as a reader that knows of leader epochs."""
    request = fetch_request(topic, offset)
    asked = request.topics[0].partitions[0]
    asked.current_leader_epoch, asked.last_fetched_epoch = current, last_fetched
    return (await kafka.wire.ask(request, version)).responses[0].partitions[0]


async def list_in_epoch(kafka: Bench, topic: str, current: int, version: int) -> Any:
    """Ask for the end as a client that knows an epoch."""
    wanted = ListOffsetsRequest.ListOffsetsTopic
    asked = wanted.ListOffsetsPartition(
        partition_index=0, current_leader_epoch=current, timestamp=LATEST
    )
    request = ListOffsetsRequest(
        replica_id=-1,
        isolation_level=0,
        topics=[wanted(name=topic, partitions=[asked])],
        timeout_ms=30_000,
    )
    return (await kafka.wire.ask(request, version)).topics[0].partitions[0]


async def current_epoch(kafka: Bench, topic: str) -> int:
    """The leader epoch that metadata tell, once there is a leader."""

    async def led() -> Any:
        found = (await metadata(kafka.wire, topic, version=EPOCHS_SINCE_METADATA)).topics[0]
        if found.error_code or found.partitions[0].error_code:
            return None
        answer = await list_offset(kafka.wire, topic, LATEST)
        return found.partitions[0] if answer.error_code == 0 else None

    epoch: int = (await eventually(led)).leader_epoch
    return epoch


@case("OffsetForLeaderEpoch")
async def case_end_of_an_epoch_every_version(kafka: Bench) -> None:
    """The current epoch ends with the log, at every version; no epoch and later ones have no
    end.
    """
    topic = await kafka.topic()
    epoch = await current_epoch(kafka, topic)
    await produce(kafka.wire, topic, batch(b"a", b"b"))
    for version in await kafka.versions(OffsetForLeaderEpochRequest):
        for asked, expected in (
            (epoch, (epoch, 2)),
            (epoch + 1, (-1, -1)),
            (NO_EPOCH, (-1, -1)),
        ):
            found = await end_of_epoch(kafka, topic, asked, version=version)
            assert (found.error_code, found.partition) == (0, 0)
            assert (found.leader_epoch, found.end_offset) == expected, (version, asked)


@case("OffsetForLeaderEpoch")
async def case_end_of_an_epoch_unknown_partition(kafka: Bench) -> None:
    """An unknown topic or partition is error 3, without epoch and end."""
    topic = await kafka.topic()
    for name, partition in ((kafka.name("nowhere"), 0), (topic, 1)):
        found = await end_of_epoch(kafka, name, 0, partition=partition)
        assert (found.error_code, found.partition) == (UNKNOWN_TOPIC_OR_PARTITION, partition)
        assert (found.leader_epoch, found.end_offset) == (-1, -1)


@case("OffsetForLeaderEpoch", "ListOffsets", "Fetch")
async def case_epoch_from_the_future_is_unknown(kafka: Bench) -> None:
    """A client that knows a later leader epoch than the leader is told so: error 75."""
    topic = await kafka.topic()
    epoch = await current_epoch(kafka, topic)
    for current, expected in ((epoch, 0), (epoch + 1, UNKNOWN_LEADER_EPOCH)):
        assert (await end_of_epoch(kafka, topic, epoch, current=current)).error_code == expected
        for version in await kafka.versions(ListOffsetsRequest):
            if version >= EPOCHS_SINCE_LIST_OFFSETS:
                found = await list_in_epoch(kafka, topic, current, version)
                assert found.error_code == expected, version
        for version in range(EPOCHS_SINCE_FETCH, DIVERGENCE_SINCE_FETCH + 1):
            found = await fetch_in_epoch(kafka, topic, 0, current=current, version=version)
            assert found.error_code == expected, version


@case("Fetch")
async def case_reader_beyond_an_epoch_diverges(kafka: Bench) -> None:
    """A reader that has read further in an epoch than the log has of it is told where the epoch
    ends, without an error; of an epoch that the leader does not know it is out of range.
    """
    topic = await kafka.topic()
    epoch = await current_epoch(kafka, topic)
    await produce(kafka.wire, topic, batch(b"a", b"b"))
    agreed = await fetch_in_epoch(kafka, topic, 1, last_fetched=epoch)
    assert (agreed.error_code, agreed.high_watermark) == (0, 2)
    assert agreed.records
    assert agreed.diverging_epoch is None
    beyond = await fetch_in_epoch(kafka, topic, 5, last_fetched=epoch)
    assert (beyond.error_code, beyond.high_watermark, beyond.log_start_offset) == (0, 2, 0)
    assert (beyond.diverging_epoch.epoch, beyond.diverging_epoch.end_offset) == (epoch, 2)
    assert not beyond.records
    unknown = await fetch_in_epoch(kafka, topic, 1, last_fetched=epoch + 1)
    assert (unknown.error_code, unknown.high_watermark) == (OFFSET_OUT_OF_RANGE, -1)


@case("OffsetForLeaderEpoch", "Metadata", "ListOffsets", "Fetch")
async def case_restart_begins_a_leader_epoch(kafka: Bench) -> None:
    """After a restart each partition has another leader epoch: clients of the old one are fenced,
    and old records keep theirs.
    """
    topic = await kafka.topic()
    old = await current_epoch(kafka, topic)
    await produce(kafka.wire, topic, batch(b"a", b"b"))
    await restart(kafka)
    new = await current_epoch(kafka, topic)
    assert new == old + 2  # the leader went, and came back
    await produce(kafka.wire, topic, batch(b"c"))
    for epoch, expected in ((old, (old, 2)), (old + 1, (old, 2)), (new, (new, 3))):
        found = await end_of_epoch(kafka, topic, epoch, current=new)
        assert (found.error_code, found.leader_epoch, found.end_offset) == (0, *expected)
    for asked, epoch in ((EARLIEST, old), (LATEST, new)):
        found = await list_offset(kafka.wire, topic, asked, version=EPOCHS_SINCE_LIST_OFFSETS)
        assert (found.error_code, found.leader_epoch) == (0, epoch)
    assert (await end_of_epoch(kafka, topic, new, current=old)).error_code == FENCED_LEADER_EPOCH
    assert (await list_in_epoch(kafka, topic, old, 4)).error_code == FENCED_LEADER_EPOCH
    assert (await fetch_in_epoch(kafka, topic, 0, current=old)).error_code == FENCED_LEADER_EPOCH
    diverged = await fetch_in_epoch(kafka, topic, 3, last_fetched=old)
    assert (diverged.diverging_epoch.epoch, diverged.diverging_epoch.end_offset) == (old, 2)
    written = (await fetch(kafka.wire, topic, 2)).records
    assert int.from_bytes(written[BASE_EPOCH_AT : BASE_EPOCH_AT + 4]) == new


@case("ListOffsets")
async def case_look_ups_tell_the_leader_epoch(kafka: Bench) -> None:
    """ListOffsets tells the epoch of what it found, and of an empty log's ends the current one; no
    record has none.
    """
    topic = await kafka.topic()
    epoch = await current_epoch(kafka, topic)
    version = EPOCHS_SINCE_LIST_OFFSETS
    for asked, expected in ((EARLIEST, epoch), (LATEST, epoch), (1, -1)):
        found = await list_offset(kafka.wire, topic, asked, version=version)
        assert (found.error_code, found.leader_epoch) == (0, expected)
    await produce(kafka.wire, topic, batch((1_000, b"a")))
    found = await list_offset(kafka.wire, topic, 1, version=version)
    assert (found.error_code, found.offset, found.leader_epoch) == (0, 0, epoch)
