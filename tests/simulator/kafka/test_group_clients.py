"""Groups of unmodified clients: aiokafka in both kinds of time, kafka-python in threads."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaConsumer

from station_sim.clock import run_virtual
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.settings import BrokerSettings

TOPIC = "t"
GROUP = "g"
PARTITIONS = 6
ALL = [(TOPIC, partition) for partition in range(PARTITIONS)]
WITHIN_S = 30.0
POLL_S = 0.01

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


def run_on_loopback(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(main())


def run_in_virtual_time(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return run_virtual(main, seed=7)


BOTH = pytest.mark.parametrize("run", [run_on_loopback, run_in_virtual_time])


@asynccontextmanager
async def running_broker() -> AsyncIterator[Cluster]:
    settings = BrokerSettings(group_min_session_timeout_ms=500)
    cluster = Cluster(rng=random.Random(1), settings=settings)
    cluster.create_topic(TOPIC, partitions=PARTITIONS)
    await cluster.start()
    try:
        yield cluster
    finally:
        await cluster.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(POLL_S)


async def member(cluster: Cluster, name: str, **options: Any) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=cluster.bootstrap,
        client_id=name,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=1_000,
        heartbeat_interval_ms=100,
        **options,
    )
    await consumer.start()
    return consumer


def shares(*consumers: AIOKafkaConsumer) -> list[list[tuple[str, int]]]:
    return [sorted((tp.topic, tp.partition) for tp in c.assignment()) for c in consumers]


def is_shared_out(*consumers: AIOKafkaConsumer) -> bool:
    return is_partition_of_all(shares(*consumers))


def is_partition_of_all(taken: list[list[tuple[str, int]]]) -> bool:
    return sorted(tp for share in taken for tp in share) == ALL and all(taken)


def producing(cluster: Cluster) -> AIOKafkaProducer:
    return AIOKafkaProducer(bootstrap_servers=cluster.bootstrap)


async def produce(cluster: Cluster, count: int) -> None:
    async with producing(cluster) as producer:
        for number in range(count):
            await producer.send(TOPIC, b"%d" % number, partition=number % PARTITIONS)


async def consume(consumer: AIOKafkaConsumer, count: int) -> list[int]:
    values: list[int] = []
    async with asyncio.timeout(WITHIN_S):
        while len(values) < count:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                values += [int(record.value) for record in records]
    return sorted(values)


@BOTH
def test_three_share_out_all_partitions_and_one_leaves(run: Run) -> None:
    async def main() -> list[int]:
        async with running_broker() as cluster:
            a, b, c = [await member(cluster, name) for name in "abc"]
            await until(lambda: is_shared_out(a, b, c))
            sizes = [len(share) for share in shares(a, b, c)]
            await c.stop()
            await until(lambda: is_shared_out(a, b))
            await a.stop()
            await until(lambda: is_shared_out(b))
            await b.stop()
            group = cluster.groups.get(GROUP)
            assert group is not None
            assert group.state.value == "Empty"
            return sizes

    assert run(main) == [2, 2, 2]


@BOTH
def test_one_that_dies_without_a_word_is_missed_after_its_session(run: Run) -> None:
    async def main() -> bool:
        async with running_broker() as cluster:
            a, b, c = [await member(cluster, name) for name in "abc"]
            await until(lambda: is_shared_out(a, b, c))
            with cluster.faults.inject("LeaveGroup", client_id="c", drop="before"):
                await c.stop()
            group = cluster.groups.get(GROUP)
            assert group is not None
            had_three = len(group.members) == 3
            await until(lambda: is_shared_out(a, b))
            await a.stop()
            await b.stop()
            return had_three

    assert run(main)


@BOTH
def test_committed_offsets_are_where_the_next_member_resumes(run: Run) -> None:
    async def main() -> tuple[list[int], list[int]]:
        async with running_broker() as cluster:
            await produce(cluster, 30)
            a = await member(cluster, "a")
            first = await consume(a, 30)
            await a.commit()
            assert {5} == {await a.committed(TopicPartition(*tp)) for tp in ALL}
            await a.stop()
            await produce(cluster, 12)
            b = await member(cluster, "b")
            second = await consume(b, 12)
            await b.stop()
            return first, second

    assert (list(range(30)), list(range(12))) == run(main)


@BOTH
def test_members_go_on_after_a_broker_restart(run: Run) -> None:
    async def main() -> list[int]:
        async with running_broker() as cluster:
            a, b = [await member(cluster, name) for name in "ab"]
            await until(lambda: is_shared_out(a, b))
            await cluster.stop()
            await cluster.start()
            await produce(cluster, 12)
            await until(lambda: is_shared_out(a, b))
            counts = {a: len(shares(a)[0]), b: len(shares(b)[0])}
            values = await consume(a, 2 * counts[a]) + await consume(b, 2 * counts[b])
            await a.stop()
            await b.stop()
            return sorted(values)

    assert list(range(12)) == run(main)


@BOTH
def test_static_members_come_back_without_a_rebalance(run: Run) -> None:
    async def main() -> tuple[int, int]:
        async with running_broker() as cluster:
            a = await member(cluster, "a", group_instance_id="i-a")
            b = await member(cluster, "b", group_instance_id="i-b")
            await until(lambda: is_shared_out(a, b))
            group = cluster.groups.get(GROUP)
            assert group is not None
            before = group.generation_id
            await b.stop()
            again = await member(cluster, "b", group_instance_id="i-b")
            await until(lambda: is_shared_out(a, again))
            after = group.generation_id
            await a.stop()
            await again.stop()
            return before, after

    before, after = run(main)
    assert before == after


class ThreadedMember:
    """A blocking kafka-python consumer that polls in a thread of its own.

    Its polls are long and ended by a record: kafka-python 3.0.12 loses its assignment when a poll
    times out between JoinGroup and SyncGroup, against Apache Kafka as well.
    """

    def __init__(self, bootstrap: str, name: str) -> None:
        self.values: list[int] = []
        self._stopping = threading.Event()
        self._consumer = KafkaConsumer(
            TOPIC,
            bootstrap_servers=bootstrap,
            client_id=name,
            group_id=GROUP,
            auto_offset_reset="earliest",
            auto_commit_interval_ms=100,
            session_timeout_ms=1_000,
            heartbeat_interval_ms=100,
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for records in self._consumer.poll(timeout_ms=1000 * WITHIN_S).values():
                self.values += [int(record.value) for record in records if record.value]
        self._consumer.close()

    @property
    def share(self) -> list[tuple[str, int]]:
        """The partitions it has now."""
        return sorted((tp.topic, tp.partition) for tp in self._consumer.assignment())

    async def stop(self, producer: AIOKafkaProducer) -> None:
        """Wake it with an empty record; it commits and leaves."""
        self._stopping.set()
        await producer.send_and_wait(TOPIC, b"", partition=self.share[0][1])
        await asyncio.to_thread(self._thread.join, WITHIN_S)
        assert not self._thread.is_alive()


def test_blocking_clients_in_threads_share_out_and_resume() -> None:
    def is_shared_out_to(*members: ThreadedMember) -> bool:
        return is_partition_of_all([member.share for member in members])

    async def main() -> tuple[set[int], list[int]]:
        async with running_broker() as cluster, producing(cluster) as producer:
            await produce(cluster, 30)
            members = [
                await asyncio.to_thread(ThreadedMember, cluster.bootstrap, name) for name in "abc"
            ]
            await until(lambda: is_shared_out_to(*members))
            await until(lambda: {*range(30)} == {v for m in members for v in m.values})
            a, b, c = members
            await a.stop(producer)
            await until(lambda: is_shared_out_to(b, c))
            with cluster.faults.inject("LeaveGroup", client_id="c", drop="before"):
                await c.stop(producer)
            await until(lambda: is_shared_out_to(b))
            await b.stop(producer)
            await produce(cluster, 12)
            d = await asyncio.to_thread(ThreadedMember, cluster.bootstrap, "d")
            await until(lambda: len(d.values) >= 12)
            await d.stop(producer)
            return {v for m in members for v in m.values}, sorted(d.values)

    assert ({*range(30)}, list(range(12))) == asyncio.run(main())
