"""When the broker compacts logs, in virtual time."""

import asyncio
import time
from typing import Any

from tests.simulator.kafka.raw_client import RawClient
from tests.simulator.kafka.record_batches import make_batch
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka.cluster import Cluster

COMPACTED = {"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.1"}


async def produce_now(cluster: Cluster) -> None:
    async with await RawClient.connect(cluster) as client:
        data = make_batch(timestamp_ms=int(time.time() * 1000), key=b"a")
        assert 0 == (await client.produce("T", {0: data}))[0].error_code


def test_a_dirty_log_is_compacted_at_the_next_regular_look() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T", config=COMPACTED)
        log = cluster.topics.require("T", 0)
        for _ in range(3):
            await produce_now(cluster)
            await asyncio.sleep(2)
        counts = []
        for until_s in (14.5, 15.5):
            await asyncio.sleep(until_s - asyncio.get_running_loop().time())
            counts.append(sum(len(segment.batches) for segment in log.segments))
        return counts

    assert [3, 2] == in_virtual_time(story)


def test_an_idle_broker_sets_no_timer() -> None:
    async def story(cluster: Cluster) -> tuple[Any, Any]:
        cluster.create_topic("T", config=COMPACTED)
        await produce_now(cluster)
        before = cluster.cleaner.due_ms
        for _ in range(3):
            await asyncio.sleep(2)
            await produce_now(cluster)
        assert cluster.cleaner.due_ms is not None
        await asyncio.sleep(60)
        return before, cluster.cleaner.due_ms

    assert (None, None) == in_virtual_time(story)


def test_a_log_that_is_compacted_from_now_on_is_looked_at() -> None:
    async def story(cluster: Cluster) -> int:
        cluster.create_topic("T", config={**COMPACTED, "cleanup.policy": "delete"})
        for _ in range(3):
            await produce_now(cluster)
            await asyncio.sleep(2)
        cluster.configure_topic("T", COMPACTED)
        await asyncio.sleep(60)
        log = cluster.topics.require("T", 0)
        return sum(len(segment.batches) for segment in log.segments)

    assert 2 == in_virtual_time(story)
