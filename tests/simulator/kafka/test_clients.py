"""Other unmodified clients on the simulated broker: kafka-python and, if there, librdkafka."""

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import kafka
import pytest

from station_sim.kafka.cluster import Cluster

WITHIN_S = 30


@pytest.fixture(name="cluster")
def running_broker() -> Iterator[Cluster]:
    """A broker in a thread of its own, with a topic T of three partitions."""
    cluster = Cluster(rng=random.Random(1))
    cluster.create_topic("T", partitions=3)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(cluster.start(), loop).result(WITHIN_S)
        yield cluster
        asyncio.run_coroutine_threadsafe(cluster.stop(), loop).result(WITHIN_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_kafka_python_reads_what_it_wrote(
    cluster: Cluster, idempotent: bool, compression: str | None
) -> None:
    values = [b"%03d" % index for index in range(60)]
    producer = kafka.KafkaProducer(
        bootstrap_servers=cluster.bootstrap,
        enable_idempotence=idempotent,
        compression_type=compression,
    )
    for index, value in enumerate(values):
        producer.send("T", value, partition=index % 3)
    producer.flush(WITHIN_S)
    producer.close()
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=cluster.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    consumer.assign([kafka.TopicPartition("T", index) for index in range(3)])
    found: list[bytes] = []
    deadline = time.monotonic() + WITHIN_S
    while len(found) < len(values) and time.monotonic() < deadline:
        polled = consumer.poll(timeout_ms=500)
        found += [record.value for records in polled.values() for record in records]
    consumer.close()

    assert values == sorted(found)


def test_kafka_python_administers(cluster: Cluster) -> None:
    admin = kafka.KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    try:
        admin.create_topics([kafka.admin.NewTopic("N", 2, 1)])
        assert {"T", "N"} == set(admin.list_topics())
        assert cluster.cluster_id == admin.describe_cluster()["cluster_id"]
        admin.delete_topics(["N"])
        assert ["T"] == admin.list_topics()
    finally:
        admin.close()


@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_librdkafka_reads_what_it_wrote(
    cluster: Cluster, idempotent: bool, compression: str
) -> None:
    confluent = pytest.importorskip("confluent_kafka")
    values = [b"%03d" % index * 20 for index in range(60)]
    failures: list[Any] = []

    def note(error: Any, _message: Any) -> None:
        if error is not None:
            failures.append(error)

    producer = confluent.Producer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "enable.idempotence": idempotent,
            "compression.type": compression,
        }
    )
    for index, value in enumerate(values):
        producer.produce("T", value, partition=index % 3, on_delivery=note)
    assert 0 == producer.flush(WITHIN_S)
    assert [] == failures
    consumer = confluent.Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "g", "enable.auto.commit": False}
    )
    consumer.assign([confluent.TopicPartition("T", index, 0) for index in range(3)])
    found: list[bytes] = []
    deadline = time.monotonic() + WITHIN_S
    while len(found) < len(values) and time.monotonic() < deadline:
        messages = consumer.consume(100, 0.5)
        found += [message.value() for message in messages if message.error() is None]
    consumer.close()

    assert values == sorted(found)
