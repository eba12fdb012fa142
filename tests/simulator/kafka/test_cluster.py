"""The broker's life, and unmodified aiokafka clients on it, in virtual time and on loopback."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from tests.simulator.kafka.raw_client import RawClient, fetch_request
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.errors import LabError
from station_sim.kafka.batches import Batch
from station_sim.kafka.cluster import Cluster

WITHIN_S = 30
"""Deadline of stories in real time."""


def on_loopback(story: Callable[[Cluster], Awaitable[Any]]) -> Any:
    """Run `story(broker)` in real time on a free port."""

    async def main() -> Any:
        cluster = Cluster(rng=random.Random(1))
        await cluster.start()
        try:
            async with asyncio.timeout(WITHIN_S):
                return await story(cluster)
        finally:
            await cluster.stop()

    return asyncio.run(main())


async def send(cluster: Cluster, values: list[bytes], **options: Any) -> None:
    options.setdefault("client_id", "writer")
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, **options)
    await producer.start()
    try:
        for index, value in enumerate(values):
            await producer.send_and_wait("T", value, partition=index % 3)
    finally:
        await producer.stop()


async def read(cluster: Cluster, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=cluster.bootstrap,
        client_id="reader",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=200,
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition("T", index) for index in range(3)])
        found: list[bytes] = []
        while len(found) < count:
            polled = await consumer.getmany(timeout_ms=1000)
            found += [record.value for records in polled.values() for record in records]
        return sorted(found)
    finally:
        await consumer.stop()


@pytest.mark.parametrize("run", [in_virtual_time, on_loopback])
@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
def test_aiokafka_reads_what_it_wrote(run: Any, idempotent: bool, compression: str | None) -> None:
    if compression not in (None, "gzip"):
        pytest.importorskip("cramjam")
    values = [b"%03d" % index * 20 for index in range(30)]

    async def story(cluster: Cluster) -> list[bytes]:
        cluster.create_topic("T", partitions=3)
        await send(cluster, values, enable_idempotence=idempotent, compression_type=compression)
        return await read(cluster, len(values))

    assert values == run(story)


@pytest.mark.parametrize("run", [in_virtual_time, on_loopback])
def test_state_and_address_outlive_a_restart(run: Any) -> None:
    async def story(cluster: Cluster) -> tuple[bool, list[bytes]]:
        cluster.create_topic("T", partitions=3)
        await send(cluster, [b"a", b"b"])
        address = cluster.bootstrap
        await cluster.stop()
        await cluster.stop()
        assert not cluster.is_running
        await cluster.start()
        await send(cluster, [b"c"])
        return cluster.bootstrap == address, await read(cluster, 3)

    assert (True, [b"a", b"b", b"c"]) == run(story)


@pytest.mark.parametrize("run", [in_virtual_time, on_loopback])
def test_a_stop_ends_connections_and_long_polls(run: Any) -> None:
    async def story(cluster: Cluster) -> tuple[bool, int, int]:
        cluster.create_topic("T")
        log = cluster.topics.require("T", 0)
        async with await RawClient.connect(cluster) as client:
            client.send(fetch_request("T", {0: 0}, max_wait_ms=60_000), 11)
            while not log.waiters:
                await asyncio.sleep(0.01)
            await cluster.stop()
            return await client.is_closed(), len(cluster.controller.connections), len(log.waiters)

    assert (True, 0, 0) == run(story)


def test_a_taken_port_is_named() -> None:
    async def story(cluster: Cluster) -> str:
        second = Cluster(rng=random.Random(2), port=cluster.controller.port)
        with pytest.raises(LabError) as caught:
            await second.start()
        return str(caught.value)

    assert "choose another" in on_loopback(story)


def test_observers_see_what_was_written() -> None:
    class Seen:
        def __init__(self) -> None:
            self.appends: list[tuple[str, int, int, int, float]] = []

        def appended(
            self, topic: str, partition: int, base_offset: int, batch: Batch, at: float
        ) -> None:
            self.appends.append((topic, partition, base_offset, batch.count, at))

        def committed(self, *_: Any) -> None:
            raise AssertionError("nothing is committed here")

    seen = Seen()

    async def story(cluster: Cluster) -> float:
        cluster.create_topic("T", partitions=3)
        cluster.observers.append(seen)
        await send(cluster, [b"a", b"b", b"c", b"d"])
        return cluster.now_ms() / 1000

    now_s = in_virtual_time(story)

    assert [("T", 0, 0, 1), ("T", 1, 0, 1), ("T", 2, 0, 1), ("T", 0, 1, 1)] == [
        each[:4] for each in seen.appends
    ]
    assert all(0 <= now_s - each[4] < 5 for each in seen.appends)


def test_a_reader_below_the_logs_start_is_told() -> None:
    async def story(cluster: Cluster) -> bool:
        cluster.create_topic("T", partitions=3)
        await send(cluster, [b"x"] * 9)
        cluster.topics.require("T", 0).delete_records(2)
        consumer = AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap, auto_offset_reset="none")
        await consumer.start()
        try:
            consumer.assign([TopicPartition("T", 0)])
            consumer.seek(TopicPartition("T", 0), 1)
            await consumer.getmany(timeout_ms=5000)
        except OffsetOutOfRangeError:
            return True
        finally:
            await consumer.stop()
        return False

    assert in_virtual_time(story)


def test_the_request_log_says_who_asked_for_what() -> None:
    async def story(cluster: Cluster) -> Cluster:
        cluster.create_topic("T", partitions=3)
        await send(cluster, [b"a"], client_id="me")
        return cluster

    cluster = in_virtual_time(story)

    (produced,) = cluster.requests.where(kind="Produce")
    assert ("me", (("T", 0),)) == (produced.client_id, produced.partitions)
    assert 1 == cluster.requests.counts["Produce"]


def test_the_same_seed_gives_the_same_run() -> None:
    async def story(cluster: Cluster) -> list[Any]:
        cluster.create_topic("T", partitions=3)
        await send(cluster, [b"a"] * 9, enable_idempotence=True)
        await read(cluster, 9)
        topic = cluster.topics.get("T")
        assert topic is not None
        return [cluster.cluster_id, topic.topic_id, list(cluster.requests)]

    first, again, other = (in_virtual_time(story, seed=seed) for seed in (5, 5, 6))

    assert first == again
    assert first[:2] != other[:2]
