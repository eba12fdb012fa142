"""What a request costs the simulated Kafka: from the bytes of its frame to those of its answer.

    python -m tests.benchmarks.requests [--seconds S]

No network, no client: a connection is fed frames, and a transport that only counts takes what it
writes. Versions are those that aiokafka 0.14 and librdkafka negotiate. Times are
the processor's.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.producer import ProduceRequest

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.connection import Connection
from station_sim.kafka.topics import Topic
from tests.benchmarks.yardstick import print_yardstick

PARTITIONS = 8
VALUE = bytes(range(256)) + bytes(94)
LARGE_RECORDS = 180
"""Records of a batch that is large: about 64 KiB."""

AIOKAFKA, LIBRDKAFKA = (7, 11), (10, 16)
"""The versions of Produce and Fetch that they negotiate."""


class CountingTransport(asyncio.Transport):
    """Takes what is written and counts it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "socket": self})
        self.written_bytes = 0

    def write(self, data: Any) -> None:
        """Count it."""
        self.written_bytes += len(data)

    def writelines(self, list_of_data: Any) -> None:
        """Count it."""
        self.written_bytes += sum(map(len, list_of_data))

    def is_closing(self) -> bool:
        """Never."""
        return False


@dataclass(frozen=True)
class Row:
    """A request that is asked again and again, and how many records pass with each."""

    name: str
    version: int
    frame: bytes
    records: int


def batch(records: int) -> bytes:
    """A batch without compression."""
    builder = DefaultRecordBatchBuilder(
        2, 0, 0, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1 << 20
    )
    for number in range(records):
        builder.append(number, int(time.time() * 1000), None, VALUE, [])
    return bytes(builder.build())


def framed(request: Any, version: int) -> bytes:
    """The bytes of a request as a client sends them."""
    request.with_header(correlation_id=7, client_id="figures")
    return bytes(request.encode(version=version, header=True, framed=True))


def produce(topic: Topic, version: int, records: int, partitions: int) -> bytes:
    """A Produce request with a batch for each of some partitions."""
    named = ProduceRequest.TopicProduceData(
        name=topic.name,
        topic_id=topic.topic_id,
        partition_data=[
            ProduceRequest.TopicProduceData.PartitionProduceData(index=n, records=batch(records))
            for n in range(partitions)
        ],
    )
    return framed(ProduceRequest(acks=-1, timeout_ms=30_000, topic_data=[named]), version)


def fetch(topic: Topic, version: int, partition_max_bytes: int) -> bytes:
    """A Fetch request from the beginning of all partitions."""
    asked = FetchRequest.FetchTopic(
        topic=topic.name,
        topic_id=topic.topic_id,
        partitions=[
            FetchRequest.FetchTopic.FetchPartition(
                partition=n,
                current_leader_epoch=-1,
                fetch_offset=0,
                log_start_offset=-1,
                partition_max_bytes=partition_max_bytes,
            )
            for n in range(PARTITIONS)
        ],
    )
    return framed(
        FetchRequest(
            replica_id=-1,
            max_wait_ms=500,
            min_bytes=1,
            max_bytes=52_428_800,
            isolation_level=0,
            session_epoch=-1,
            topics=[asked],
        ),
        version,
    )


def rows(cluster: Cluster, connection: Connection) -> list[Row]:
    """The requests to measure, with logs for them to read."""
    found = []
    many = cluster.topics.create("many-small", partitions=PARTITIONS)
    few = cluster.topics.create("few-large", partitions=PARTITIONS)
    for _ in range(2_500):
        connection.data_received(produce(many, 7, 1, PARTITIONS))
    for _ in range(16):
        connection.data_received(produce(few, 7, LARGE_RECORDS, PARTITIONS))
    for produces, fetches in (AIOKAFKA, LIBRDKAFKA):
        sink = cluster.topics.create(f"sink-{produces}", partitions=PARTITIONS)
        single, large = (1, 1), (LARGE_RECORDS, PARTITIONS)
        found += [
            Row("Produce 1 record", produces, produce(sink, produces, *single), 1),
            Row("Produce 8 large", produces, produce(sink, produces, *large), 8 * LARGE_RECORDS),
            Row("Fetch 8 x 1 batch", fetches, fetch(few, fetches, 1), 8 * LARGE_RECORDS),
            Row("Fetch large batches", fetches, fetch(few, fetches, 1 << 20), 0),
            Row("Fetch small batches", fetches, fetch(many, fetches, 1 << 20), 0),
        ]
    return found


def measure(connection: Connection, row: Row, seconds: float, forget: Callable[[], None]) -> float:
    """CPU microseconds of a request, the median; other programs hardly add to it."""
    times = []
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        began_s = time.thread_time()
        connection.data_received(row.frame)
        times.append(time.thread_time() - began_s)
        if len(times) % 64 == 0:
            forget()
    times.sort()
    return 1e6 * times[len(times) // 2]


async def compare(seconds: float) -> None:
    """Measure every row and print it."""
    cluster = Cluster(rng=random.Random(0))
    await cluster.start()
    node = next(iter(cluster.nodes.values()))
    connection = Connection(node)
    transport = CountingTransport()
    connection.connection_made(transport)

    def forget() -> None:
        for topic in cluster.topics:
            if topic.name.startswith("sink"):
                for log in topic.partitions:
                    log.segments.clear()

    print(f"{'request':24}{'version':>8}{'answer bytes':>14}{'us':>10}")
    for row in rows(cluster, connection):
        before = transport.written_bytes
        connection.data_received(row.frame)
        size = transport.written_bytes - before
        took_us = measure(connection, row, seconds, forget)
        print(f"{row.name:24}{row.version:8}{size:14,}{took_us:10.1f}", flush=True)
    connection.connection_lost(None)
    await cluster.stop()


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    asyncio.run(compare(options.seconds))
    print_yardstick()


if __name__ == "__main__":
    main()
