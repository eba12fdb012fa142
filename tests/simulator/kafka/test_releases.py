"""Real clients on a broker that looks like an older release, on loopback."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, Producer
from kafka import KafkaConsumer, KafkaProducer

from station_sim.errors import LabError
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.releases import offered_by

WITHIN_S = 60.0
RELEASES = ("0.11", "1.1", "2.8", "3.9", "4.0", "4.1")
VALUES = [b"a", b"b", b"c"]


async def through_aiokafka(bootstrap: str) -> list[bytes]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    consumer = AIOKafkaConsumer(
        "T", bootstrap_servers=bootstrap, group_id="g", auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()
    try:
        for value in VALUES:
            await producer.send_and_wait("T", value)
        return [(await consumer.getone()).value for _ in VALUES]
    finally:
        await producer.stop()
        await consumer.stop()


def through_kafka_python(bootstrap: str) -> list[bytes]:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for value in VALUES:
        producer.send("T", value).get(timeout=WITHIN_S)
    producer.close()
    consumer = KafkaConsumer(
        "T", bootstrap_servers=bootstrap, group_id="g", auto_offset_reset="earliest"
    )
    try:
        return [next(consumer).value for _ in VALUES]
    finally:
        consumer.close()


def through_confluent(bootstrap: str) -> list[bytes]:
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for value in VALUES:
        producer.produce("T", value)
    assert not producer.flush(WITHIN_S)
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "g", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["T"])
    found: list[bytes] = []
    try:
        while len(found) < len(VALUES):
            message = consumer.poll(WITHIN_S)
            assert message is not None
            assert message.error() is None, message.error()
            found.append(message.value())
        return found
    finally:
        consumer.close()


BLOCKING = {"kafka-python": through_kafka_python, "confluent-kafka": through_confluent}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("client", ["aiokafka", *BLOCKING])
def test_clients_work_on_an_older_release(client: str, release: str) -> None:
    async def story() -> list[bytes]:
        cluster = Cluster(rng=random.Random(1), as_version=release)
        cluster.create_topic("T")
        await cluster.start()
        try:
            async with asyncio.timeout(WITHIN_S):
                if client in BLOCKING:
                    return await asyncio.to_thread(BLOCKING[client], cluster.bootstrap)
                return await through_aiokafka(cluster.bootstrap)
        finally:
            await cluster.stop()

    assert VALUES == asyncio.run(story())


def test_the_newest_release_offers_what_the_broker_speaks() -> None:
    newest: Callable[..., Any] = Cluster
    plain = newest(rng=random.Random(1)).kinds
    clamped = newest(rng=random.Random(1), as_version="4.1").kinds
    assert {kind.name: kind.advertised for kind in plain.values()} == {
        kind.name: kind.advertised for kind in clamped.values()
    }


def test_an_unknown_release_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(LabError, match=r"known are: 0\.11, 1\.0"):
        offered_by("5.0")
