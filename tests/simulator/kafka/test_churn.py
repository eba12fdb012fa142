"""Clients, groups and producers that come and go: the broker keeps nothing of them for ever."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable

import pytest
from kafka.protocol.consumer import (
    JoinGroupRequest,
    JoinGroupResponse,
    LeaveGroupRequest,
    LeaveGroupResponse,
    OffsetCommitRequest,
    OffsetCommitResponse,
)
from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse
from kafka.protocol.producer import InitProducerIdRequest, InitProducerIdResponse
from tests.simulator.kafka.raw_client import RawClient, fetch_request
from tests.simulator.kafka.record_batches import make_batch
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka import request_log
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.settings import BrokerSettings

COUNT = 500
COUNT_IN_FULL = 10_000
OBJECTS_PER_CLIENT_MAX = 0.5
"""That there are more after a client came and went; one that is kept costs dozens."""

TEN_MINUTES_S = 601
A_DAY_S = 86_401
each_count = pytest.mark.parametrize(
    "count", [COUNT, pytest.param(COUNT_IN_FULL, marks=pytest.mark.full)]
)
Visit = Callable[[Cluster, int], Awaitable[None]]


async def ask_and_go(cluster: Cluster, number: int) -> None:
    async with await RawClient.connect(cluster) as client:
        await client.ask(ApiVersionsRequest(), ApiVersionsResponse, 0)


async def go_amid_a_long_poll(cluster: Cluster, number: int) -> None:
    async with await RawClient.connect(cluster) as client:
        client.send(fetch_request("T", {0: 0}, max_wait_ms=60_000), 11)
        await asyncio.sleep(0.1)


async def go_amid_a_frame(cluster: Cluster, number: int) -> None:
    async with await RawClient.connect(cluster) as client:
        client.write(b"\0\0\x10\0" + bytes(100))
        await asyncio.sleep(0.1)


async def send_what_is_none(cluster: Cluster, number: int) -> None:
    async with await RawClient.connect(cluster) as client:
        client.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await client.is_closed()


async def join_alone(client: RawClient, group_id: str) -> str:
    """Join a group at version 1, as old clients do: at once, as its leader."""
    request = JoinGroupRequest(
        group_id=group_id,
        session_timeout_ms=10_000,
        rebalance_timeout_ms=10_000,
        member_id="",
        protocol_type="consumer",
        protocols=[JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=b"")],
    )
    answer = await client.ask(request, JoinGroupResponse, 1)
    assert 0 == answer.error_code
    return str(answer.member_id)


async def visit_a_group(cluster: Cluster, number: int) -> None:
    async with await RawClient.connect(cluster) as client:
        member_id = await join_alone(client, f"group-{number}")
        leave = LeaveGroupRequest(group_id=f"group-{number}", member_id=member_id)
        await client.ask(leave, LeaveGroupResponse, 1)


async def vanish_from_a_group(cluster: Cluster, number: int) -> None:
    async with await RawClient.connect(cluster) as client:
        await join_alone(client, f"group-{number}")


async def commit_for_a_group(cluster: Cluster, number: int) -> None:
    topic = OffsetCommitRequest.OffsetCommitRequestTopic
    partition = topic.OffsetCommitRequestPartition(
        partition_index=0, committed_offset=0, committed_metadata=""
    )
    request = OffsetCommitRequest(
        group_id=f"group-{number}",
        generation_id_or_member_epoch=-1,
        member_id="",
        topics=[topic(name="T", partitions=[partition])],
    )
    async with await RawClient.connect(cluster) as client:
        answer = await client.ask(request, OffsetCommitResponse, 2)
        assert 0 == answer.topics[0].partitions[0].error_code


async def write_once(cluster: Cluster, number: int) -> None:
    async with await RawClient.connect(cluster) as client:
        request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1)
        given = await client.ask(request, InitProducerIdResponse, 0)
        batch = make_batch(producer_id=given.producer_id, epoch=0, sequence=0)
        answers = await client.produce("T", {0: batch})
        assert 0 == answers[0].error_code


async def many(cluster: Cluster, visit: Visit, count: int) -> None:
    for first in range(0, count, 50):
        async with asyncio.TaskGroup() as group:
            for number in range(first, min(first + 50, count)):
                group.create_task(visit(cluster, number))


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


@each_count
@pytest.mark.parametrize(
    "visit", [ask_and_go, go_amid_a_long_poll, go_amid_a_frame, send_what_is_none]
)
def test_nothing_is_kept_of_a_connection(
    visit: Visit,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(request_log, "REMEMBERED_REQUESTS", 10)
    caplog.set_level(logging.ERROR, logger="station_sim.kafka")  # pytest keeps each line

    async def story(cluster: Cluster) -> tuple[int, int, int]:
        cluster.create_topic("T")
        await many(cluster, visit, 50)
        await asyncio.sleep(1)
        before = objects()
        await many(cluster, visit, count)
        await asyncio.sleep(1)
        waiting = len(cluster.topics.require("T", 0).waiters)
        return objects() - before, len(cluster.controller.connections), waiting

    more, connections, waiting = in_virtual_time(story)

    assert (0, 0) == (connections, waiting)
    assert more < OBJECTS_PER_CLIENT_MAX * count


@each_count
@pytest.mark.parametrize("visit", [visit_a_group, vanish_from_a_group])
def test_groups_without_members_and_offsets_are_forgotten(visit: Visit, count: int) -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        await many(cluster, visit, count)
        there = len(tuple(cluster.groups))
        await asyncio.sleep(TEN_MINUTES_S)
        await visit_a_group(cluster, count)
        return there, len(tuple(cluster.groups))

    assert (count, 1) == in_virtual_time(story)


@each_count
def test_groups_whose_offsets_are_old_are_forgotten(count: int) -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("T")
        await many(cluster, commit_for_a_group, count)
        await asyncio.sleep(TEN_MINUTES_S)
        await visit_a_group(cluster, count)
        there = len(tuple(cluster.groups))
        await asyncio.sleep(A_DAY_S)
        await visit_a_group(cluster, count + 1)
        return there, len(tuple(cluster.groups))

    settings = BrokerSettings(offsets_retention_minutes=24 * 60)
    assert (count + 1, 1) == in_virtual_time(story, settings=settings)


@each_count
def test_idempotent_producers_are_forgotten(count: int) -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("T")
        producers = cluster.topics.require("T", 0).producers
        await many(cluster, write_once, count)
        there = len(producers)
        await asyncio.sleep(A_DAY_S)
        await write_once(cluster, count)
        return there, len(producers)

    assert (count, 1) == in_virtual_time(story)
