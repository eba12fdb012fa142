"""What outlives a broker's stop and start.

Each case starts Apache Kafka anew, which takes seconds: there are no more of them than needed.
"""

import time
from functools import partial

import pytest

from tests.contract.asking import (
    EARLIEST,
    LATEST,
    delete_records,
    list_offset,
    metadata,
    produce,
    producer_id,
)
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.cases.group_protocol import find_coordinator, member
from tests.contract.configuring import FROM_TOPIC, TOPIC, settings_of
from tests.contract.member import commit, committed
from tests.contract.registry import case
from tests.contract.waiting import eventually

COORDINATOR_LOAD_IN_PROGRESS = 14


async def restart(kafka: Bench) -> None:
    """Stop and start the broker; `kafka.wire` is a new connection afterwards."""
    await kafka.broker.stop()
    await kafka.broker.start()
    await kafka.connect_anew()


async def ends_at(kafka: Bench, topic: str, offset: int, partition: int = 0) -> bool:
    """Whether a partition is led, and its log ends there."""
    found = await list_offset(kafka.wire, topic, LATEST, partition=partition)
    return bool((found.error_code, found.offset) == (0, offset))


@case("Produce", "ListOffsets", "OffsetCommit", "OffsetFetch", "InitProducerId")
async def case_restart_keeps_everything(kafka: Bench) -> None:
    """Records, cuts, commits and producers' sequence numbers outlive a restart; new producer ids
    are new.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    pid = await producer_id(kafka.wire)
    now_ms = int(time.time() * 1000)  # producers last seen long ago are forgotten over a restart
    first = batch(b"a", b"b", b"c", producer_id=pid, epoch=0, sequence=0, at_ms=now_ms)
    assert (await produce(kafka.wire, topic, first)).base_offset == 0
    await delete_records(kafka.wire, topic, 1)
    await find_coordinator(kafka, group)
    assert await commit(kafka.wire, group, topic, 2, metadata="kept") == 0
    await restart(kafka)

    await eventually(partial(ends_at, kafka, topic, 3))
    assert (await list_offset(kafka.wire, topic, EARLIEST)).offset == 1
    again = await produce(kafka.wire, topic, first)
    assert (again.error_code, again.base_offset) == (0, 0)
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 3
    assert await producer_id(kafka.wire) != pid
    await find_coordinator(kafka, group)
    assert await committed(kafka.wire, group, topic) == (2, "kept", 0)


@case("Metadata", "DescribeConfigs", "CreateTopics")
async def case_restart_keeps_topics(kafka: Bench) -> None:
    """Topics outlive a restart with their partitions, ids and settings."""
    topic = await kafka.topic(partitions=3, config={"segment.ms": "7000"})
    topic_id = await kafka.topic_id(topic)
    await restart(kafka)
    for partition in range(3):
        await eventually(partial(ends_at, kafka, topic, 0, partition))
    assert 3 == len((await metadata(kafka.wire, topic)).topics[0].partitions)
    assert topic_id == await kafka.topic_id(topic)
    settings = await settings_of(kafka.wire, TOPIC, topic, "segment.ms")
    assert {"segment.ms": ("7000", FROM_TOPIC)} == settings


@case("JoinGroup", "SyncGroup", "Heartbeat", "OffsetCommit")
async def case_restart_keeps_members(kafka: Bench) -> None:
    """A group outlives a restart with its generation and members, who go on without joining
    again.
    """
    topic = await kafka.topic()
    alone = await member(kafka, kafka.name("g"), session_timeout_ms=60_000)
    await alone.enter()
    await restart(kafka)
    await find_coordinator(kafka, alone.group)
    alone.wire = await kafka.connect()

    async def known() -> bool:
        return await alone.heartbeat() != COORDINATOR_LOAD_IN_PROGRESS

    await eventually(known)
    assert 0 == await alone.heartbeat()
    assert b"all" == (await alone.sync()).assignment
    assert 0 == await alone.commit(topic, 3)


@case("ApiVersions")
async def case_stopped_broker_is_not_there(kafka: Bench) -> None:
    """A broker that is stopped hangs up and lets nobody in; started again, it is at the address
    where it was.
    """
    before = kafka.bootstrap
    waiting = await kafka.connect()
    await kafka.broker.stop()
    assert await waiting.hung_up()
    with pytest.raises(OSError, match=r".*"):
        await kafka.connect()
    await kafka.broker.start()
    assert before == kafka.bootstrap
    await kafka.connect_anew()
