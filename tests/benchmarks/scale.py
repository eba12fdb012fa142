"""Many connections and partitions at one simulated broker: memory, and what others notice.

    python -m tests.benchmarks.scale [CONNECTIONS [PARTITIONS]]

The broker is a process of its own. Every connection asks for its versions and metadata and then
waits in a long poll, as an idle consumer does; meanwhile an ordinary client writes and reads.
At the end the broker is told to end while all of them still wait.
"""

import asyncio
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest

from station_sim.kafka.open_file_limit import raise_limit

CONNECTIONS, PARTITIONS = 1_000, 2_000
PARTITIONS_PER_TOPIC = 100
PARTITIONS_PER_POLL = 4
LONG_POLL_MS = 300_000
OPENED_AT_ONCE = 50
ROUND_TRIPS = 100
RECORD = b"x" * 200
RSS_MB_MAX = 300
ENDS_WITHIN_S = 1.0
TIMEOUT_S = 120.0
_KIB_PER_MB = 1000 * 1000 / 1024


@dataclass(frozen=True)
class Measured:
    """What was found; the broker's resident memory in MB (10**6 bytes)."""

    connections: int
    partitions: int
    bare_rss_mb: float
    before_rss_mb: float
    after_rss_mb: float
    opened_in_s: float
    latencies_s: tuple[float, ...]
    ended_in_s: float
    exit_code: int
    output: str

    @property
    def per_connection_kb(self) -> float:
        """What a connection that waits costs, in kB."""
        return (self.after_rss_mb - self.before_rss_mb) * 1000 / self.connections

    @property
    def per_partition_kb(self) -> float:
        """What an empty partition costs, in kB."""
        return (self.before_rss_mb - self.bare_rss_mb) * 1000 / self.partitions

    def lines(self) -> list[str]:
        """All of it, for people."""
        ordered = sorted(self.latencies_s)
        middle_ms, slow_ms = (ordered[len(ordered) * n // 100] * 1000 for n in (50, 99))
        return [
            f"broker alone         {self.bare_rss_mb:9.1f} MB",
            f"{self.partitions:6} partitions    {self.before_rss_mb:9.1f} MB"
            f"   {self.per_partition_kb:6.1f} kB each",
            f"{self.connections:6} connections   {self.after_rss_mb:9.1f} MB"
            f"   {self.per_connection_kb:6.1f} kB each, opened in {self.opened_in_s:.2f} s"
            f"   (target < {RSS_MB_MAX} MB)",
            f"write and read meanwhile: median {middle_ms:.1f} ms, 99 % {slow_ms:.1f} ms",
            f"ended on SIGTERM in {self.ended_in_s:.2f} s with code {self.exit_code}"
            f"   (target < {ENDS_WITHIN_S:g} s)",
        ]


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    told = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    return int(told.stdout) / _KIB_PER_MB


def frame_of(request: Any, version: int) -> bytes:
    """A request as it is sent."""
    request.API_VERSION = version
    request.with_header(1, "scale")
    return bytes(request.encode(header=True, framed=True))


def long_poll(number: int, partitions: int) -> bytes:
    """A fetch of some of the partitions, at their ends."""
    topics: dict[str, list[int]] = {}
    for each in range(PARTITIONS_PER_POLL):
        partition = (number * PARTITIONS_PER_POLL + each) % partitions
        topic = topic_name(partition // PARTITIONS_PER_TOPIC)
        topics.setdefault(topic, []).append(partition % PARTITIONS_PER_TOPIC)
    wanted = FetchRequest.FetchTopic
    request = FetchRequest(
        max_wait_ms=LONG_POLL_MS,
        min_bytes=1,
        max_bytes=1 << 20,
        session_id=0,
        session_epoch=-1,
        topics=[
            wanted(
                topic=topic,
                partitions=[
                    wanted.FetchPartition(
                        partition=index, fetch_offset=0, partition_max_bytes=1 << 20
                    )
                    for index in indexes
                ],
            )
            for topic, indexes in topics.items()
        ],
    )
    return frame_of(request, 11)


def topic_name(number: int) -> str:
    """The name of one of the topics that are there from the start."""
    return f"topic-{number}"


def topic_options(partitions: int) -> list[str]:
    """The topics, as the command is told."""
    options = ["--topic", "ordinary:1"]
    for number, first in enumerate(range(0, partitions, PARTITIONS_PER_TOPIC)):
        count = min(PARTITIONS_PER_TOPIC, partitions - first)
        options += ["--topic", f"{topic_name(number)}:{count}"]
    return options


@asynccontextmanager
async def broker(
    options: Sequence[str], log: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A broker process and its address; killed at the end if it still lives."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "station_sim.kafka", "--port", "0", *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
        )
        try:
            assert process.stdout is not None
            line = (await process.stdout.readline()).decode()
            yield process, line.removeprefix("listening on ").strip()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def idle_consumers(bootstrap: str, count: int, partitions: int) -> list[asyncio.StreamWriter]:
    """Connections that each wait in a long poll."""
    gate = asyncio.Semaphore(OPENED_AT_ONCE)
    host, _, port = bootstrap.rpartition(":")
    versions = frame_of(ApiVersionsRequest(), 0)
    about = MetadataRequest(topics=[MetadataRequest.MetadataRequestTopic(name=topic_name(0))])
    metadata = frame_of(about, 5)

    async def one(number: int) -> asyncio.StreamWriter:
        async with gate:
            reader, writer = await asyncio.open_connection(host, int(port))
            for frame in (versions, metadata):
                writer.write(frame)
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                await reader.readexactly(size)
            writer.write(long_poll(number, partitions))
            return writer

    return await asyncio.gather(*map(one, range(count)))


async def round_trips(bootstrap: str, count: int) -> tuple[float, ...]:
    """Seconds from sending a record to having read it, of an ordinary client."""
    taken: list[float] = []
    consumer = AIOKafkaConsumer(
        "ordinary", bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer, consumer:
        for _ in range(count):
            began_s = time.perf_counter()
            await producer.send_and_wait("ordinary", RECORD)
            await consumer.getone()
            taken.append(time.perf_counter() - began_s)
    return tuple(taken)


async def measure(connections: int, partitions: int, *, trips: int = ROUND_TRIPS) -> Measured:
    """Start a broker, fill it, and end it."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        async with broker(["--log-level", "warning"], log) as (process, _):
            bare_rss_mb = rss_mb(process.pid)
        options = ["--log-level", "warning", *topic_options(partitions)]
        async with asyncio.timeout(TIMEOUT_S), broker(options, log) as (process, bootstrap):
            before_rss_mb = rss_mb(process.pid)
            began_s = time.perf_counter()
            writers = await idle_consumers(bootstrap, connections, partitions)
            opened_in_s = time.perf_counter() - began_s
            latencies_s = await round_trips(bootstrap, trips)
            after_rss_mb = rss_mb(process.pid)
            began_s = time.perf_counter()
            os.kill(process.pid, signal.SIGTERM)
            exit_code = await process.wait()
            ended_in_s = time.perf_counter() - began_s
            for writer in writers:
                writer.close()
        return Measured(
            connections,
            partitions,
            bare_rss_mb,
            before_rss_mb,
            after_rss_mb,
            opened_in_s,
            latencies_s,
            ended_in_s,
            exit_code,
            await asyncio.to_thread(log.read_text),
        )


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 if every target was met, else 1."""
    counts = (*map(int, arguments), *(CONNECTIONS, PARTITIONS)[len(arguments) :])
    raise_limit()
    measured = asyncio.run(measure(*counts))
    print("\n".join(measured.lines()))
    met = measured.after_rss_mb < RSS_MB_MAX and measured.ended_in_s < ENDS_WITHIN_S
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
