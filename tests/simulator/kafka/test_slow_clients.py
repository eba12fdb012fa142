"""Clients that do not read, do not finish and do not speak: nobody else waits for them."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from tests.simulator.kafka.raw_client import RawClient, fetch_request
from tests.simulator.kafka.record_batches import make_batch

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.connection import READ_AHEAD_BYTES

TOPIC = "T"
QUIET = 1
"""The partition that nobody writes to."""

RECORD_BYTES = 900_000
BATCHES = 4
ALL = 1 << 30
ANSWER_BYTES = BATCHES * RECORD_BYTES + 10_000
ONE_READ_BYTES = 256 << 10
ROUND_TRIP_S_MAX = 2.0
ROUNDS = 20
SILENT = 200
REPEATS = 3

Trouble = Callable[[Cluster], Awaitable[None]]


@asynccontextmanager
async def in_real_time() -> AsyncIterator[Cluster]:
    """A broker on loopback with something to fetch."""
    cluster = Cluster(rng=random.Random(1))
    cluster.create_topic(TOPIC, partitions=2)
    await cluster.start()
    try:
        async with await RawClient.connect(cluster) as client:
            for _ in range(BATCHES):
                await client.produce(TOPIC, {0: make_batch(value=bytes(RECORD_BYTES))})
        yield cluster
    finally:
        await cluster.stop()


def connect(cluster: Cluster) -> socket.socket:
    """A connection that nobody reads from, with as little room in the system as there can be."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((cluster.controller.host, cluster.controller.port))
    made.setblocking(False)
    return made


def send(client: socket.socket, data: bytes) -> None:
    """Send what the system takes."""
    try:
        while data:
            data = data[client.send(data) :]
    except BlockingIOError:
        return


def fetch_frame(partition: int = 0, *, max_wait_ms: int = 0) -> bytes:
    request = fetch_request(
        TOPIC, {partition: 0}, max_wait_ms=max_wait_ms, max_bytes=ALL, partition_max_bytes=ALL
    )
    request.API_VERSION = 11
    request.with_header(1, "slow")
    return bytes(request.encode(header=True, framed=True))


def never_reads(client: socket.socket) -> None:
    """Ask for everything over and over."""
    send(client, fetch_frame() * 500)


def waits(client: socket.socket) -> None:
    """Begin a long poll."""
    send(client, fetch_frame(QUIET, max_wait_ms=60_000))


def asks_behind_a_long_poll(client: socket.socket) -> None:
    """Send megabytes behind a request that waits."""
    send(client, fetch_frame(QUIET, max_wait_ms=60_000) + fetch_frame() * 100_000)


def sends_half_a_frame(client: socket.socket) -> None:
    """Promise a megabyte, send a piece of it."""
    send(client, struct.pack(">i", 1 << 20) + bytes(100))


def says_nothing(_: socket.socket) -> None:
    """Only be there."""


async def longest_round_trip_s(cluster: Cluster) -> float:
    """Of an ordinary client that produces and fetches."""
    loop = asyncio.get_running_loop()
    longest_s = 0.0
    async with await RawClient.connect(cluster) as client:
        for _ in range(ROUNDS):
            began_s = loop.time()
            answers = await client.produce(TOPIC, {0: make_batch()})
            await client.fetch(TOPIC, {0: answers[0].base_offset})
            longest_s = max(longest_s, loop.time() - began_s)
            await asyncio.sleep(0)
    return longest_s


@pytest.mark.parametrize(
    ("behave", "count", "bound_bytes"),
    [
        (never_reads, 3, ANSWER_BYTES + READ_AHEAD_BYTES + ONE_READ_BYTES),
        (asks_behind_a_long_poll, 3, READ_AHEAD_BYTES + ONE_READ_BYTES),
        (sends_half_a_frame, 20, REPEATS * (4 + 100)),
        (says_nothing, SILENT, 0),
    ],
)
def test_nobody_waits_for_a_client_that(
    behave: Callable[[socket.socket], None], count: int, bound_bytes: int
) -> None:
    async def story() -> tuple[float, int]:
        async with in_real_time() as cluster, AsyncExitStack() as stack:
            clients = [stack.enter_context(connect(cluster)) for _ in range(count)]
            for _ in range(REPEATS):
                for client in clients:
                    behave(client)
                longest_s = await longest_round_trip_s(cluster)
            held = [connection.held_bytes for connection in cluster.controller.connections]
            return longest_s, max(held)

    longest_s, held_bytes = asyncio.run(story())

    assert longest_s < ROUND_TRIP_S_MAX
    assert held_bytes <= bound_bytes


def test_a_client_that_went_away_holds_nothing() -> None:
    async def story() -> int:
        async with in_real_time() as cluster:
            for behave in (never_reads, waits, sends_half_a_frame):
                with connect(cluster) as client:
                    behave(client)
                    await longest_round_trip_s(cluster)
            async with asyncio.timeout(10):
                while cluster.controller.connections:
                    await asyncio.sleep(0)
            return len(cluster.controller.connections), len(
                cluster.topics.require(TOPIC, 0).waiters
            )

    assert (0, 0) == asyncio.run(story())
