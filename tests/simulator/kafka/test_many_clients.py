"""A broker process with many clients: what it takes, how it ends, what it says at its limits."""

import asyncio
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka.protocol.consumer import JoinGroupRequest
from tests.benchmarks.scale import broker, frame_of, idle_consumers, measure, topic_options

CONNECTIONS, PARTITIONS = 200, 400
RSS_MB_MAX = 150
CONNECTION_KB_MAX = 50
LATENCY_S_MAX = 5.0
ENDS_WITHIN_S = 5.0
"""Generous, for other tests run at the same time; `tests.benchmarks.scale` asks for 1 s."""

FILES = 64
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 7, -1)


def test_many_connections_and_partitions_take_little() -> None:
    measured = asyncio.run(measure(CONNECTIONS, PARTITIONS, trips=10))

    assert measured.after_rss_mb < RSS_MB_MAX
    assert measured.per_connection_kb < CONNECTION_KB_MAX
    assert max(measured.latencies_s) < LATENCY_S_MAX
    assert (0, "") == (measured.exit_code, measured.output)
    assert measured.ended_in_s < ENDS_WITHIN_S


def join(number: int) -> bytes:
    """A member that waits for others of its group."""
    protocol = JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=b"")
    request = JoinGroupRequest(
        group_id=f"group-{number % 3}",
        session_timeout_ms=60_000,
        rebalance_timeout_ms=60_000,
        member_id="",
        protocol_type="consumer",
        protocols=[protocol],
    )
    return frame_of(request, 1)


async def busy_broker_ends(number: signal.Signals, log: Path) -> tuple[float, int]:
    """Seconds from a signal to the end of a broker in whom all kinds of clients wait."""
    options = ["--log-level", "warning", *topic_options(PARTITIONS)]
    loop = asyncio.get_running_loop()
    async with broker(options, log) as (process, bootstrap):
        writers = await idle_consumers(bootstrap, CONNECTIONS, PARTITIONS)
        host, _, port = bootstrap.rpartition(":")
        for index in range(30):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write((join(index), struct.pack(">i", 5000) + b"half", b"")[index % 3])
            writers.append(writer)
        began_s = loop.time()
        os.kill(process.pid, number)
        async with asyncio.timeout(ENDS_WITHIN_S):
            code = await process.wait()
        took_s = loop.time() - began_s
        for writer in writers:
            writer.close()
    return took_s, code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_busy_broker_ends_at_once_and_silently(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    took_s, ended_with = asyncio.run(busy_broker_ends(number, log))

    assert (code, "") == (ended_with, log.read_text())
    assert took_s < ENDS_WITHIN_S


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


async def crowded(log: Path, before: Callable[[], None]) -> bytes:
    """More connections than files; what a client gets after the others left."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "station_sim.kafka", "--port", "0", "--log-level", "warning"),
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            preexec_fn=before,
        )
    try:
        assert process.stdout is not None
        host, _, port = (await process.stdout.readline()).decode().split()[-1].rpartition(":")
        clients = [socket.create_connection((host, int(port))) for _ in range(2 * FILES)]
        async with asyncio.timeout(30):
            while b"no further connection" not in await asyncio.to_thread(log.read_bytes):
                await asyncio.sleep(0.05)
            for client in clients:
                client.close()
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(API_VERSIONS)
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            answer = await reader.readexactly(size)
            writer.close()
        return answer
    finally:
        process.kill()
        await process.wait()


def test_too_few_files_are_told_in_a_line_each_and_gotten_over(tmp_path: Path) -> None:
    log = tmp_path / "log"
    answer = asyncio.run(crowded(log, few_files))

    assert (7, 0) == struct.unpack_from(">ih", answer)
    lines = log.read_text().splitlines()
    assert [
        f"station-lab: this system allows {FILES} open files, too few for 1,000 connections; raise "
        "the limit (ulimit -n 1100, or LimitNOFILE of the service)"
    ] == lines[:1]
    assert all("no further connection can be accepted" in line for line in lines[1:])
    assert len(lines) < 6
