"""Real clients get over what happens to a cluster of three nodes; in virtual time, and on
loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError, NotEnoughReplicasError
from kafka.protocol.admin import ElectLeadersRequest, ElectLeadersResponse
from tests.simulator.kafka.raw_client import RawClient

from station_sim.brokers import open_broker
from station_sim.clock import run_virtual
from station_sim.errors import LabError
from station_sim.kafka.cluster import Cluster

TOPIC = "T"
PARTITIONS = 3
WITHIN_S = 300.0
Trouble = Callable[[Cluster], Any]


def on_three_nodes(story: Callable[[Cluster], Any], **properties: str) -> Any:
    async def world() -> Any:
        async with open_broker("virtual", nodes=3, server_properties=properties) as broker:
            cluster = broker.simulated  # type: ignore[attr-defined]  # virtual brokers have it
            cluster.create_topic(TOPIC, partitions=PARTITIONS, replication_factor=3)
            async with asyncio.timeout(WITHIN_S):
                return await story(cluster)

    return run_virtual(world, seed=3)


@asynccontextmanager
async def producing(cluster: Cluster, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap, enable_idempotence=True, **options
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(cluster: Cluster, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=cluster.bootstrap,
        group_id="g",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        request_timeout_ms=10_000,
        **options,
    )
    await consumer.start()
    try:
        yield consumer
        await asyncio.sleep(1)  # aiokafka's stop does not survive a fetch that backs off
    finally:
        await consumer.stop()


async def send_everywhere(producer: AIOKafkaProducer, value: bytes) -> None:
    for partition in range(PARTITIONS):
        await producer.send_and_wait(TOPIC, value, partition=partition)


async def take(consumer: AIOKafkaConsumer, count: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < count:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found += [record.value for record in records]
    return sorted(found)


def leaders(cluster: Cluster) -> list[int]:
    return [log.replicas.leader_id for log in cluster.topics.logs()]


async def kill_a_leader(cluster: Cluster) -> None:
    await cluster.nodes[1].stop()


async def shut_a_leader_down(cluster: Cluster) -> None:
    await cluster.nodes[1].shut_down()


async def pause_a_leader(cluster: Cluster) -> None:
    cluster.nodes[1].pause()


async def kill_the_coordinator(cluster: Cluster) -> None:
    await cluster.nodes[cluster.coordinators.of_group("g").leader_id].stop()


async def restart_every_node_in_turn(cluster: Cluster) -> None:
    for node in cluster.nodes.values():
        await node.stop()
        await asyncio.sleep(12)
        await node.start()


async def move_leaders_behind_stale_metadata(cluster: Cluster) -> None:
    for partition in range(PARTITIONS):
        cluster.move_leader(TOPIC, partition, (partition + 1) % 3, metadata_delay_s=2.0)


async def move_the_coordinator(cluster: Cluster) -> None:
    old = cluster.coordinators.of_group("g").leader_id
    cluster.move_coordinator("g", (old + 1) % 3, metadata_delay_s=2.0)


TROUBLES = [
    kill_a_leader,
    shut_a_leader_down,
    pause_a_leader,
    kill_the_coordinator,
    restart_every_node_in_turn,
    move_leaders_behind_stale_metadata,
    move_the_coordinator,
]


def test_each_node_leads_a_partition() -> None:
    async def story(cluster: Cluster) -> list[int]:
        return leaders(cluster)

    assert [0, 1, 2] == sorted(on_three_nodes(story))


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda found: found.__name__)
def test_aiokafka_gets_over_it(trouble: Trouble) -> None:
    async def story(cluster: Cluster) -> tuple[list[bytes], list[bytes], int | None]:
        async with producing(cluster) as producer, consuming(cluster) as consumer:
            await send_everywhere(producer, b"before")
            before = await take(consumer, PARTITIONS)
            await trouble(cluster)
            await send_everywhere(producer, b"after")
            after = await take(consumer, PARTITIONS)
            await consumer.commit()
            return before, after, await consumer.committed(TopicPartition(TOPIC, 0))

    assert ([b"before"] * 3, [b"after"] * 3, 2) == on_three_nodes(story)


def test_a_slow_node_answers_late_and_rightly() -> None:
    async def story(cluster: Cluster) -> tuple[bool, list[bytes]]:
        loop = asyncio.get_running_loop()
        async with producing(cluster) as producer, consuming(cluster) as consumer:
            await send_everywhere(producer, b"before")
            await take(consumer, PARTITIONS)
            with cluster.nodes[leaders(cluster)[0]].slow(3.0):
                started_s = loop.time()
                await producer.send_and_wait(TOPIC, b"slow", partition=0)
                was_slow = loop.time() - started_s >= 3.0
            return was_slow, await take(consumer, 1)

    assert (True, [b"slow"]) == on_three_nodes(story)


def test_too_few_replicas_in_sync_refuse_acks_all_only() -> None:
    async def story(cluster: Cluster) -> tuple[str, list[bytes]]:
        cluster.configure_topic(TOPIC, {"min.insync.replicas": "2"})
        for node_id in (1, 2):
            await cluster.nodes[node_id].shut_down()
        async with consuming(cluster) as consumer:
            hasty = AIOKafkaProducer(
                bootstrap_servers=cluster.bootstrap, acks="all", request_timeout_ms=2_000
            )
            await hasty.start()
            with pytest.raises(KafkaError) as refused:
                await hasty.send_and_wait(TOPIC, b"refused", partition=0)
            await hasty.stop()
            easy = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks=1)
            await easy.start()
            await easy.send_and_wait(TOPIC, b"one is enough", partition=0)
            await easy.stop()
            async with producing(cluster) as patient:
                sending = await patient.send(TOPIC, b"when there are two", partition=0)
                await asyncio.sleep(5)
                assert not sending.done()
                await cluster.nodes[2].start()
                await sending
            found = await take(consumer, 2)
        return type(refused.value).__name__, found

    name, found = on_three_nodes(story)
    assert name in (NotEnoughReplicasError.__name__, KafkaTimeoutError.__name__)
    assert [b"one is enough", b"when there are two"] == found


def test_without_any_replica_in_sync_there_is_no_leader_until_one_comes_back() -> None:
    async def story(cluster: Cluster) -> tuple[int, bool]:
        cluster.create_topic("single", partitions=1, assignments=[[1]])
        async with producing(cluster) as producer:
            await producer.send_and_wait("single", b"a")
            await cluster.nodes[1].shut_down()
            leaderless = cluster.topics.require("single", 0).replicas.leader_id
            sending = await producer.send("single", b"b")
            await asyncio.sleep(5)
            assert not sending.done()
            await cluster.nodes[1].start()
            await sending
        return leaderless, cluster.topics.require("single", 0).end_offset == 2

    assert (-1, True) == on_three_nodes(story)


@pytest.mark.parametrize(("unclean", "leader_id"), [("false", -1), ("true", 0)])
def test_a_replica_that_was_out_of_sync_leads_by_an_unclean_election_only(
    unclean: str, leader_id: int
) -> None:
    async def story(cluster: Cluster) -> tuple[int, int, tuple[int, ...]]:
        config = {"unclean.leader.election.enable": unclean}
        cluster.create_topic("two", partitions=1, assignments=[[0, 1]], config=config)
        replicas = cluster.topics.require("two", 0).replicas
        await cluster.nodes[0].shut_down()
        await cluster.nodes[1].shut_down()
        await cluster.nodes[0].start()
        found = replicas.leader_id
        await cluster.nodes[1].start()
        return found, replicas.leader_id, replicas.in_sync_ids

    found, at_last, in_sync = on_three_nodes(story)
    assert leader_id == found
    assert (1 if unclean == "false" else 0) == at_last
    assert (0, 1) == in_sync


def test_a_client_may_ask_for_an_unclean_election() -> None:
    async def story(cluster: Cluster) -> tuple[int, int]:
        cluster.create_topic("two", partitions=1, assignments=[[0, 1]])
        await cluster.nodes[0].shut_down()
        await cluster.nodes[1].shut_down()
        await cluster.nodes[0].start()
        part = ElectLeadersRequest.TopicPartitions(topic="two", partitions=[0])
        request = ElectLeadersRequest(election_type=1, topic_partitions=[part], timeout_ms=30_000)
        async with await RawClient.connect(cluster) as client:
            answer = await client.ask(request, ElectLeadersResponse, 2)
        result = answer.replica_election_results[0].partition_result[0]
        return result.error_code, cluster.topics.require("two", 0).replicas.leader_id

    assert (0, 0) == on_three_nodes(story)


def test_a_cluster_has_at_least_one_node() -> None:
    async def world() -> None:
        async with open_broker("virtual", nodes=0):
            raise AssertionError("there is no such cluster")

    with pytest.raises(LabError, match="at least 1"):
        run_virtual(world)
