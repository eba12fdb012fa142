"""When the broker deletes old segments, in virtual time."""

import asyncio
import time
from typing import Any

from tests.simulator.kafka.raw_client import RawClient
from tests.simulator.kafka.record_batches import make_batch
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.settings import BrokerSettings


async def produce_now(cluster: Cluster, count: int = 1) -> None:
    async with await RawClient.connect(cluster) as client:
        data = make_batch(count, timestamp_ms=int(time.time() * 1000), step_ms=0)
        assert 0 == (await client.produce("T", {0: data}))[0].error_code


def test_records_go_at_the_first_regular_look_after_their_time() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T", config={"retention.ms": "60000"})
        log = cluster.topics.require("T", 0)
        await produce_now(cluster, 3)
        starts = []
        for until_s in (60.5, 329.0, 331.0):
            await asyncio.sleep(until_s - asyncio.get_running_loop().time())
            starts.append(log.log_start_offset)
        return starts

    # Looks are at 30 s and every 300 s from then on.
    assert [0, 0, 3] == in_virtual_time(story)


def test_an_idle_broker_sets_no_timer() -> None:
    async def story(cluster: Cluster) -> tuple[Any, Any]:
        cluster.create_topic("T", config={"retention.ms": "1000"})
        before = cluster.retention.due_ms
        await produce_now(cluster)
        during = cluster.retention.due_ms
        await asyncio.sleep(3600)
        assert during is not None
        return before, cluster.retention.due_ms

    assert (None, None) == in_virtual_time(story)


def test_kept_records_set_no_timer_either() -> None:
    async def story(cluster: Cluster) -> Any:
        cluster.create_topic("T", config={"retention.ms": "-1"})
        await produce_now(cluster)
        return cluster.retention.due_ms

    assert in_virtual_time(story) is None


def test_segments_go_one_by_one() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T", config={"retention.ms": "10000", "segment.ms": "3500"})
        log = cluster.topics.require("T", 0)
        starts = []
        for _ in range(30):
            await produce_now(cluster)
            await asyncio.sleep(1)
            starts.append(log.log_start_offset)
        return starts

    settings = BrokerSettings(log_retention_check_interval_ms=1000, log_initial_task_delay_ms=0)
    starts = in_virtual_time(story, settings=settings)

    assert starts == sorted(starts)
    assert {0, 4, 8, 12, 16, 20} >= set(starts)
    assert starts[-1] >= 12


def test_looks_go_on_after_a_restart() -> None:
    async def story(cluster: Cluster) -> int:
        cluster.create_topic("T", config={"retention.ms": "60000"})
        await produce_now(cluster, 2)
        await cluster.stop()
        await asyncio.sleep(3600)
        await cluster.start()
        await asyncio.sleep(31)
        return cluster.topics.require("T", 0).log_start_offset

    assert 2 == in_virtual_time(story)
