"""Blocking clients get over what happens to a cluster of three nodes, in real time."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from confluent_kafka import Consumer, Producer
from kafka import KafkaConsumer, KafkaProducer

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.settings import BrokerSettings

TOPIC, PARTITIONS = "T", 3
WITHIN_S = 90.0


class Clients(Protocol):
    """A producer and a group's consumer."""

    def send(self, value: bytes) -> None:
        """Write a record to every partition and wait for all acknowledgements."""

    def take(self, count: int) -> list[bytes]:
        """Read so many records and commit."""

    def close(self) -> None:
        """Close both."""


class ThroughConfluent:
    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "g",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        self._consumer.subscribe([TOPIC])

    def send(self, value: bytes) -> None:
        for partition in range(PARTITIONS):
            self._producer.produce(TOPIC, value, partition=partition)
        assert not self._producer.flush(WITHIN_S)

    def take(self, count: int) -> list[bytes]:
        found: list[bytes] = []
        while len(found) < count:
            message = self._consumer.poll(WITHIN_S)
            assert message is not None
            if message.error() is None:
                found.append(message.value())
        self._consumer.commit(asynchronous=False)
        return found

    def close(self) -> None:
        self._consumer.close()


class ThroughKafkaPython:
    def __init__(self, bootstrap: str) -> None:
        servers = bootstrap.split(",")
        self._producer = KafkaProducer(bootstrap_servers=servers)
        self._consumer = KafkaConsumer(
            TOPIC,
            bootstrap_servers=servers,
            group_id="g",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )

    def send(self, value: bytes) -> None:
        sent = [
            self._producer.send(TOPIC, value, partition=partition)
            for partition in range(PARTITIONS)
        ]
        for each in sent:
            each.get(timeout=WITHIN_S)

    def take(self, count: int) -> list[bytes]:
        found = [next(self._consumer).value for _ in range(count)]
        self._consumer.commit()
        return found

    def close(self) -> None:
        self._producer.close()
        self._consumer.close()


async def kill_a_leader(cluster: Cluster) -> None:
    await cluster.nodes[1].stop()


async def kill_the_coordinator(cluster: Cluster) -> None:
    await cluster.nodes[cluster.coordinators.of_group("g").leader_id].stop()


async def move_leaders_behind_stale_metadata(cluster: Cluster) -> None:
    for partition in range(PARTITIONS):
        cluster.move_leader(TOPIC, partition, (partition + 1) % 3, metadata_delay_s=1.0)


async def move_the_coordinator(cluster: Cluster) -> None:
    old = cluster.coordinators.of_group("g").leader_id
    cluster.move_coordinator("g", (old + 1) % 3, metadata_delay_s=1.0)


async def lose_a_replica_that_is_needed_for_a_while(cluster: Cluster) -> None:
    cluster.configure_topic(TOPIC, {"min.insync.replicas": "3"})
    node = cluster.nodes[2]
    await node.shut_down()
    asyncio.get_running_loop().call_later(1.0, asyncio.ensure_future, node.start())


TROUBLES = [
    kill_a_leader,
    kill_the_coordinator,
    move_leaders_behind_stale_metadata,
    move_the_coordinator,
    lose_a_replica_that_is_needed_for_a_while,
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda found: found.__name__)
@pytest.mark.parametrize("clients", [ThroughConfluent, ThroughKafkaPython])
def test_blocking_clients_get_over_it(
    clients: Callable[[str], Clients], trouble: Callable[[Cluster], Any]
) -> None:
    async def story() -> list[list[bytes]]:
        settings = BrokerSettings(broker_session_timeout_ms=1_000)
        cluster = Cluster(rng=random.Random(1), nodes=3, settings=settings)
        cluster.create_topic(TOPIC, partitions=PARTITIONS, replication_factor=3)
        await cluster.start()
        try:
            async with asyncio.timeout(WITHIN_S):
                opened = await asyncio.to_thread(clients, cluster.bootstrap)
                found = []
                for value in (b"before", b"after"):
                    await asyncio.to_thread(opened.send, value)
                    found.append(await asyncio.to_thread(opened.take, PARTITIONS))
                    if value == b"before":
                        await trouble(cluster)
                await asyncio.to_thread(opened.close)
                return found
        finally:
            await cluster.stop()

    assert [[b"before"] * 3, [b"after"] * 3] == asyncio.run(story())
