"""Altered requests of real clients against a broker in a process of its own, in real time."""

import asyncio
import random
import re

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaAdminClient
from tests.simulator.kafka.fuzzing.mutations import sent_by_a_mutant
from tests.simulator.kafka.fuzzing.recording import PARTITIONS, TOPIC, recorded_frames

from station_sim.brokers import Broker, TopicSpec, open_broker
from station_sim.brokers.embedded import EmbeddedBroker

MUTANTS = 300
MUTANTS_IN_FULL = 5_000
AT_ONCE = 8
PATIENCE_S = 0.2
HEALTHY = "healthy"
ROUND_TRIP_S_MAX = 5.0
"""Of the healthy client; generous, for other tests run at the same time."""

TROUBLE = re.compile(r"failed|Traceback|Error")


async def let_mutants_in(broker: Broker, frames: tuple[bytes, ...], seed: int, count: int) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    host, _, port = broker.bootstrap.rpartition(":")

    async def one(number: int) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(sent_by_a_mutant(frames, random.Random(f"{seed}/{number}")))
            await asyncio.wait({asyncio.ensure_future(_closed(reader))}, timeout=PATIENCE_S)
            writer.close()

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))


async def _closed(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(1 << 16):
            pass
    except ConnectionError:
        return


async def healthy_life(broker: Broker, mutants: "asyncio.Task[None]") -> list[bytes]:
    """Write and read one record after another, each in time, until the mutants are gone."""
    consumer = AIOKafkaConsumer(
        HEALTHY,
        bootstrap_servers=broker.bootstrap,
        group_id=HEALTHY,
        auto_offset_reset="earliest",
    )
    came: list[bytes] = []
    async with consumer, AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        while not mutants.done():
            async with asyncio.timeout(ROUND_TRIP_S_MAX):
                await producer.send_and_wait(HEALTHY, b"%d" % len(came))
                came.append((await consumer.getone()).value)
        await consumer.commit()
    return came


async def all_is_readable(broker: Broker) -> None:
    """Read every record of the topic that was altered; raises where one cannot be read."""
    async with AIOKafkaConsumer(
        TOPIC, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        for partition, end in ends.items():
            while await consumer.position(partition) < end:
                await consumer.getmany(timeout_ms=500)


def every_group_answers(bootstrap: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    groups = [found["group_id"] for found in admin.list_groups()]
    assert set(groups) == set(admin.describe_groups(groups))
    admin.close()


async def fuzz(frames: tuple[bytes, ...], seed: int, count: int) -> list[bytes]:
    async with open_broker("embedded") as broker:
        assert isinstance(broker, EmbeddedBroker)
        await broker.make_topics(TopicSpec(TOPIC, partitions=PARTITIONS), TopicSpec(HEALTHY))
        mutants = asyncio.ensure_future(let_mutants_in(broker, frames, seed, count))
        came = await healthy_life(broker, mutants)
        await mutants
        async with asyncio.timeout(60):
            await all_is_readable(broker)
            await asyncio.to_thread(every_group_answers, broker.bootstrap)
        lines = broker.log_path.read_text(errors="replace").splitlines()
        assert [] == [line for line in lines if TROUBLE.search(line)]
        return came


@pytest.mark.parametrize(
    ("seed", "count"), [(1, MUTANTS), pytest.param(2, MUTANTS_IN_FULL, marks=pytest.mark.full)]
)
def test_nobody_else_notices_mutants(seed: int, count: int) -> None:
    came = asyncio.run(fuzz(recorded_frames(), seed, count))
    assert [b"%d" % number for number in range(len(came))] == came
    assert came
