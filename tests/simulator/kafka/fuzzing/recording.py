"""Real requests as bytes: what aiokafka, kafka-python and confluent-kafka send in a short life.

They talk to a broker in this process, in real time on loopback; of each kind, version and client a
few frames are kept. How frames are altered is in `mutations.py`.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

import confluent_kafka
import kafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin import ConfigResource as ConfluentResource
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic

from station_sim.kafka import connection
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.dispatch import read_call

TOPIC = "fuzzed"
GROUP = "fuzzed-group"
PARTITIONS = 3
KEPT_PER_KIND = 4
TIMEOUT_S = 10.0
_KIND_BYTES = 4


@cache
def recorded_frames() -> tuple[bytes, ...]:
    """Frames without their lengths, recorded once for all tests of a process."""
    return asyncio.run(_record())


async def _record() -> tuple[bytes, ...]:
    cluster = Cluster(rng=random.Random(1))
    cluster.create_topic(TOPIC, partitions=PARTITIONS)
    await cluster.start()
    kept: list[bytes] = []
    try:
        with _listening(kept):
            await _aiokafka(cluster.bootstrap)
        for life in (_kafka_python, _kafka_python_admin, _confluent, _confluent_admin):
            with _listening(kept):
                await asyncio.to_thread(life, cluster.bootstrap)
    finally:
        await cluster.stop()
    return tuple(kept)


@contextmanager
def _listening(kept: list[bytes]) -> Iterator[None]:
    seen: dict[bytes, int] = defaultdict(int)

    def read(frame: bytes, **who: Any) -> Any:
        kind = frame[:_KIND_BYTES]
        seen[kind] += 1
        if seen[kind] <= KEPT_PER_KIND:
            kept.append(frame)
        return read_call(frame, **who)

    with mock.patch.object(connection, "read_call", read):
        yield


async def _aiokafka(bootstrap: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(TOPIC, b"value", b"key")
    await _aiokafka_transaction(bootstrap)
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap,
        group_id=GROUP,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
    )
    async with consumer:
        await consumer.getone()
        await consumer.commit()
        await consumer.end_offsets([TopicPartition(TOPIC, 0)])
        await consumer.offsets_for_times({TopicPartition(TOPIC, 0): 1})


async def _aiokafka_transaction(bootstrap: str) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id="fuzzed-aiokafka", compression_type="gzip"
    )
    async with producer, producer.transaction():
        await producer.send_and_wait(TOPIC, b"value", b"key", headers=[("h", b"1")])
        await producer.send_offsets_to_transaction({TopicPartition(TOPIC, 0): 1}, GROUP)


def _kafka_python(bootstrap: str) -> None:
    producer = kafka.KafkaProducer(
        bootstrap_servers=bootstrap, transactional_id="fuzzed-kafka-python", compression_type="lz4"
    )
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(TOPIC, b"value", b"key").get(TIMEOUT_S)
    producer.abort_transaction()
    producer.close()
    consumer = kafka.KafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap,
        group_id=f"{GROUP}-kafka-python",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
    )
    consumer.poll(2000)
    consumer.commit()
    consumer.offsets_for_times({kafka.TopicPartition(TOPIC, 0): 1})
    consumer.close()


def _kafka_python_admin(bootstrap: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    name = f"{TOPIC}-by-kafka-python"
    admin.create_topics([NewTopic(name, 2, 1, topic_configs={"retention.ms": "100000"})])
    admin.create_partitions({name: NewPartitions(4)})
    resource = ConfigResource(ConfigResourceType.TOPIC, name, configs={"segment.ms": "100000"})
    admin.describe_configs([resource])
    admin.alter_configs([resource])
    admin.describe_cluster()
    admin.describe_topics([name])
    admin.list_groups()
    admin.delete_topics([name])
    admin.close()


def _confluent(bootstrap: str) -> None:
    plain = confluent_kafka.Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "log_level": 0}
    )
    plain.produce(TOPIC, b"value", b"key", headers={"h": b"1"})
    plain.flush(TIMEOUT_S)
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "transactional.id": "fuzzed-confluent",
            "compression.type": "zstd",
        }
    )
    producer.init_transactions(TIMEOUT_S)
    producer.begin_transaction()
    producer.produce(TOPIC, b"value", b"key")
    producer.commit_transaction(TIMEOUT_S)
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "group.id": f"{GROUP}-confluent",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "group.instance.id": "static",
        }
    )
    consumer.subscribe([TOPIC])
    consumer.poll(TIMEOUT_S)
    consumer.commit(asynchronous=False)
    consumer.offsets_for_times([confluent_kafka.TopicPartition(TOPIC, 0, 1)], timeout=TIMEOUT_S)
    consumer.close()


def _confluent_admin(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    name = f"{TOPIC}-by-confluent"
    made = admin.create_topics([confluent_kafka.admin.NewTopic(name, 2, 1)])
    made[name].result(TIMEOUT_S)
    resource = ConfluentResource(ConfluentResource.Type.TOPIC, name)
    group = f"{GROUP}-confluent"
    _wait_for_all(admin.describe_configs([resource]))
    admin.list_consumer_groups().result(TIMEOUT_S)
    _wait_for_all(admin.describe_consumer_groups([group]))
    _wait_for_all(admin.delete_records([confluent_kafka.TopicPartition(name, 0, 0)]))
    _wait_for_all(admin.delete_consumer_groups([f"{GROUP}-kafka-python"]))
    _wait_for_all(admin.delete_topics([name]))


def _wait_for_all(answers: Mapping[Any, Future[Any]]) -> None:
    for answer in answers.values():
        answer.result(TIMEOUT_S)
