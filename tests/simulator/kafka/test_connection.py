"""Connections: frames in pieces and in a row, frames that are none, bugs in handlers."""

import asyncio
import logging
import struct
from typing import Any

import pytest
from kafka.protocol.consumer import FetchResponse
from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse
from tests.simulator.kafka.raw_client import RawClient, fetch_request
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.connection import READ_AHEAD_BYTES
from station_sim.kafka.settings import BrokerSettings

API_VERSIONS_FRAME = struct.pack(">ihhih", 10, 18, 0, 77, -1)


async def still_answers(client: RawClient) -> bool:
    request = ApiVersionsRequest(client_software_name="x", client_software_version="1")
    return bool((await client.ask(request, ApiVersionsResponse, 3)).error_code == 0)


def test_a_frame_may_come_in_pieces() -> None:
    async def story(cluster: Cluster) -> int:
        async with await RawClient.connect(cluster) as client:
            for byte in API_VERSIONS_FRAME:
                client.write(bytes([byte]))
                await asyncio.sleep(0.01)
            return int((await client.receive(ApiVersionsResponse, 0)).header.correlation_id)

    assert 77 == in_virtual_time(story)


def test_requests_are_answered_in_order_behind_one_that_waits() -> None:
    async def story(cluster: Cluster) -> list[float]:
        cluster.create_topic("T")
        async with await RawClient.connect(cluster) as client:
            client.send(fetch_request("T", {0: 0}, max_wait_ms=5000), 11)
            client.write(API_VERSIONS_FRAME)
            await client.receive(FetchResponse, 11)
            first_s = asyncio.get_running_loop().time()
            await client.receive(ApiVersionsResponse, 0)
            return [first_s, asyncio.get_running_loop().time() - first_s]

    waited_s, then_s = in_virtual_time(story)

    assert 5.0 == pytest.approx(waited_s, abs=0.1)
    assert then_s < 0.1


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack(">i", -1),
        struct.pack(">i", 2**31 - 1),
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">i", 0),
        struct.pack(">ihhih", 10, 999, 0, 1, -1),
        struct.pack(">ihhih", 10, 3, 99, 1, -1),
        struct.pack(">ihhih", 10, 0, 8, 1, -1),
        struct.pack(">ihhih", 10, 1, 11, 1, 30000),
        struct.pack(">ihhihi", 14, 3, 1, 1, -1, 2**31 - 1),
    ],
    ids=[
        "negative length",
        "huge length",
        "http",
        "empty",
        "unknown key",
        "unknown version",
        "no body",
        "client id beyond the frame",
        "array beyond the frame",
    ],
)
def test_garbage_closes_its_own_connection_only(frame: bytes) -> None:
    async def story(cluster: Cluster) -> tuple[bool, bool]:
        async with (
            await RawClient.connect(cluster) as good,
            await RawClient.connect(cluster) as bad,
        ):
            bad.write(frame)
            return await bad.is_closed(), await still_answers(good)

    assert (True, True) == in_virtual_time(story)


def test_a_too_new_api_versions_is_told_which_would_do() -> None:
    async def story(cluster: Cluster) -> tuple[int, list[int]]:
        async with await RawClient.connect(cluster) as client:
            client.write(struct.pack(">ihhihb", 11, 18, 99, 1, -1, 0))
            answer = await client.receive(ApiVersionsResponse, 0)
            return answer.error_code, [row.api_key for row in answer.api_keys]

    assert (35, [18]) == in_virtual_time(story)


def test_a_bug_in_a_handler_is_logged_and_closes_its_own_connection_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(cluster: Cluster) -> tuple[bool, bool]:
        cluster.create_topic("T")

        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("a bug")

        cluster.topics.require("T", 0).read = fail  # type: ignore[assignment, method-assign]  # the bug
        async with (
            await RawClient.connect(cluster) as good,
            await RawClient.connect(cluster) as bad,
        ):
            bad.send(fetch_request("T", {0: 0}), 11)
            return await bad.is_closed(), await still_answers(good)

    with caplog.at_level(logging.ERROR):
        outcome = in_virtual_time(story)

    assert (True, True) == outcome
    assert "a bug" in caplog.text
    assert "Fetch" in caplog.text


@pytest.mark.parametrize("frame_bytes", [1_000, 30_000])
def test_what_is_sent_behind_a_waiting_request_is_bounded_and_answered(frame_bytes: int) -> None:
    count = 3 * READ_AHEAD_BYTES // frame_bytes

    async def story(cluster: Cluster) -> int:
        cluster.create_topic("T")
        name = "x" * frame_bytes
        async with await RawClient.connect(cluster) as client:
            client.send(fetch_request("T", {0: 0}, max_wait_ms=1000), 11)
            for _ in range(count):
                request = ApiVersionsRequest(client_software_name=name, client_software_version="1")
                client.send(request, 3)
            await client.receive(FetchResponse, 11)
            for _ in range(count):
                answer = await client.receive(ApiVersionsResponse, 3)
            return int(answer.header.correlation_id)

    assert count + 1 == in_virtual_time(story)


def test_a_connection_lasts_ten_minutes_after_the_last_word() -> None:
    async def story(cluster: Cluster) -> list[float]:
        loop = asyncio.get_running_loop()
        async with await RawClient.connect(cluster) as client:
            await asyncio.sleep(500)
            assert await still_answers(client)
            asked_s = loop.time()
            assert await client.is_closed()
            return [asked_s, loop.time() - asked_s]

    assert [500.0, 600.0] == pytest.approx(in_virtual_time(story), abs=1.0)


def test_a_paused_node_does_not_look_at_the_time() -> None:
    async def story(cluster: Cluster) -> bool:
        async with await RawClient.connect(cluster) as client:
            node = cluster.nodes[0]
            with node.paused():
                await asyncio.sleep(3_600)
            return await still_answers(client)

    assert in_virtual_time(story)


def test_a_negative_time_is_for_ever() -> None:
    async def story(cluster: Cluster) -> bool:
        async with await RawClient.connect(cluster) as client:
            await asyncio.sleep(7 * 86_400)
            return await still_answers(client)

    settings = BrokerSettings(connections_max_idle_ms=-1)
    assert in_virtual_time(story, settings=settings)
