"""Connections on which nothing is said; on brokers of this family that may last 2 s."""

import asyncio
from typing import Any

from kafka.protocol.metadata import ApiVersionsRequest

from tests.contract.asking import fetch_request
from tests.contract.bench import Bench
from tests.contract.connection import Connection
from tests.contract.registry import case

MAX_IDLE_S = 2.0  # as said in `worlds.py`
PATIENCE_S = 10.0


async def seconds_until_closed(wire: Connection) -> float:
    """How long it takes until the broker hangs up, on which nothing is said."""
    loop = asyncio.get_running_loop()
    since_s = loop.time()
    async with asyncio.timeout(PATIENCE_S):
        assert await wire.hung_up()
    return loop.time() - since_s


def api_versions() -> Any:
    """A request that every broker answers at once."""
    return ApiVersionsRequest(client_software_name="x", client_software_version="1")


@case("ApiVersions")
async def case_idle_connection_is_closed(kafka: Bench) -> None:
    """A connection on which nothing is said is closed, one in use is not."""
    loop = asyncio.get_running_loop()
    used, unused = await kafka.connect(), await kafka.connect()
    until_s = loop.time() + 2 * MAX_IDLE_S
    while loop.time() < until_s:
        assert (await used.ask(api_versions(), 3)).error_code == 0
        await asyncio.sleep(MAX_IDLE_S / 10)
    assert await seconds_until_closed(unused) < 0.5
    assert await seconds_until_closed(used) > MAX_IDLE_S / 2


@case("Fetch")
async def case_waiting_is_idle(kafka: Bench) -> None:
    """A request that waits for its answer longer than that does not keep its connection open."""
    topic = await kafka.topic()
    wire = await kafka.connect()
    wire.send(fetch_request(topic, 0, max_wait_ms=8_000), 11)
    assert 0.9 * MAX_IDLE_S < await seconds_until_closed(wire) < 6.0


@case("ApiVersions")
async def case_half_a_request_is_idle(kafka: Bench) -> None:
    """A connection whose request never ends is closed as if nothing had been said on it."""
    wire = await kafka.connect()
    wire.send_bytes(b"\x00\x00\x01\x00\x00\x12")
    assert 0.9 * MAX_IDLE_S < await seconds_until_closed(wire) < 3 * MAX_IDLE_S


@case("ApiVersions")
async def case_every_byte_keeps_a_connection(kafka: Bench) -> None:
    """A request that comes bit by bit, for longer than a connection may be idle, is answered."""
    request = api_versions()
    request.API_VERSION = 3
    request.with_header(correlation_id=7, client_id="slow")
    frame = bytes(request.encode(header=True, framed=True))
    pieces = [frame[at : at + 2] for at in range(0, len(frame), 2)]
    pause_s = 1.5 * MAX_IDLE_S / len(pieces)
    wire = await kafka.connect()
    for piece in pieces:
        wire.send_bytes(piece)
        await asyncio.sleep(pause_s)
    assert (await wire.answer(request, 3, 7)).error_code == 0
