"""The request log keeps the newest requests, their answers, and not more than its bounds."""

import asyncio
from dataclasses import replace

import pytest
from kafka.protocol.consumer import HeartbeatRequest, HeartbeatResponse
from tests.simulator.kafka.raw_client import RawClient
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.request_log import (
    REMEMBERED_NAME_BYTES,
    REMEMBERED_NAMES,
    REMEMBERED_REQUESTS,
    LoggedRequest,
    RequestLog,
)


def logged(at_ms: int, partitions: int) -> LoggedRequest:
    named = tuple(("T", index) for index in range(partitions))
    return LoggedRequest(at_ms, at_ms / 1000, "Fetch", 12, "client", partitions=named)


def test_the_newest_requests_are_kept() -> None:
    log = RequestLog()
    for at_ms in range(REMEMBERED_REQUESTS + 5):
        log.add(logged(at_ms, 0))
    assert REMEMBERED_REQUESTS == len(log)
    assert REMEMBERED_REQUESTS + 5 == log.counts["Fetch"]
    assert 5 == next(iter(log)).at_ms


def test_requests_that_name_very_many_partitions_crowd_out_old_ones() -> None:
    log = RequestLog()
    for at_ms in range(300):
        log.add(logged(at_ms, 2_000))
    assert REMEMBERED_NAMES // 2_000 == len(log)
    assert 299 == list(log)[-1].at_ms


def test_long_names_crowd_out_old_requests() -> None:
    log = RequestLog()
    for at_ms in range(1_000):
        log.add(replace(logged(at_ms, 0), client_id="c" * 32_000))
    assert REMEMBERED_NAME_BYTES // 32_000 == len(log)


def test_answers_are_remembered_with_their_time_size_and_errors() -> None:
    async def story(cluster: Cluster) -> Cluster:
        cluster.create_topic("T", partitions=2)
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Fetch", delay_s=2):
                await client.fetch("T", {0: 0, 1: 99, 2: 0})
        return cluster

    (entry,) = in_virtual_time(story).requests.where(kind="Fetch")

    assert 2.0 == pytest.approx(entry.took_s, abs=0.01)
    assert (1, 3) == entry.error_codes
    assert entry.answer_bytes > entry.request_bytes > 50
    assert (("T", 0), ("T", 1), ("T", 2)) == entry.partitions
    assert ("raw", "/localhost", 0) == (entry.client_id, entry.client_host, entry.node_id)


def test_requests_are_found_by_what_they_are_about() -> None:
    async def story(cluster: Cluster) -> list[int]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            await client.fetch("T", {0: 0})
            await asyncio.sleep(10)
            await client.fetch("U", {0: 0})
            request = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
            await client.ask(request, HeartbeatResponse, 3)
        log = cluster.requests
        found = (
            log.where(),
            log.where(kind="Fetch"),
            log.where(client="r*"),
            log.where(client="other"),
            log.where(topic="T", partition=0),
            log.where(group="g"),
            log.where(error=3),
            log.where(since_s=5),
        )
        return [len(entries) for entries in found]

    assert [3, 2, 3, 0, 1, 1, 1, 2] == in_virtual_time(story)


def test_a_request_without_an_answer_has_no_time() -> None:
    async def story(cluster: Cluster) -> Cluster:
        async with await RawClient.connect(cluster) as client:
            with cluster.faults.inject("Heartbeat", drop="after"):
                client.send(HeartbeatRequest(group_id="g", generation_id=1, member_id="m"), 3)
                await client.is_closed()
        return cluster

    (entry,) = in_virtual_time(story).requests

    assert (None, None, 0) == (entry.answered_s, entry.took_s, entry.answer_bytes)
