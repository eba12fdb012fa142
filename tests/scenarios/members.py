"""A group of three plain members on four topics of three partitions; prints the digest of the run.

Run as `python -m tests.scenarios.members SEED`, so that another process with another
`PYTHONHASHSEED` can tell the same story. Members come one after another and one leaves half-way.
"""

import asyncio
import random
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from station_scenarios.digest import Observables
from station_sim.brokers import TopicSpec, open_broker
from station_sim.brokers.virtual import VirtualBroker
from station_sim.clock import run_virtual

TOPICS = ("ALPHA", "BETA", "GAMMA", "DELTA")
RECORDS = 300


async def _member(name: str, broker: VirtualBroker, seen: Observables, life_s: float) -> None:
    """Poll, note what came per partition, commit; leave after `life_s`."""
    consumer = AIOKafkaConsumer(
        *TOPICS,
        bootstrap_servers=broker.bootstrap,
        group_id="members",
        client_id=name,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    ends_at = time.monotonic() + life_s
    while time.monotonic() < ends_at:
        batches = await consumer.getmany(timeout_ms=500)
        for where in sorted(batches):
            for record in batches[where]:
                stream = f"handed/{where.topic}/{where.partition}"
                seen.note(stream, name, record.offset, record.value, time.time())
        if batches:
            done = {where: batches[where][-1].offset + 1 for where in sorted(batches)}
            await consumer.commit(done)
    await consumer.stop()


async def _produce(broker: VirtualBroker) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    await producer.start()
    for number in range(RECORDS):
        topic = random.choice(TOPICS)
        key = f"station-{random.randrange(20)}".encode()
        await producer.send(topic, f"{number}".encode(), key=key)
        await asyncio.sleep(random.uniform(0.0, 0.3))
    await producer.stop()


async def _story() -> tuple[str, int]:
    seen = Observables()
    async with open_broker("virtual") as broker:
        assert isinstance(broker, VirtualBroker)
        broker.simulated.observers.append(seen)
        await broker.make_topics(*(TopicSpec(name, partitions=3) for name in TOPICS))
        lives_s = {"one": 80.0, "two": 25.0, "three": 75.0}
        async with asyncio.TaskGroup() as group:
            group.create_task(_produce(broker))
            for name, life_s in lives_s.items():
                group.create_task(_member(name, broker, seen, life_s))
                await asyncio.sleep(2.0)
        committed = await broker.committed("members")
        return seen.digest(), sum(kept.offset for kept in committed.values())


def tell(seed: int) -> str:
    """The digest of the story; every record was handed over and committed."""
    digest, committed = run_virtual(_story, seed=seed)
    assert RECORDS == committed
    return digest


if __name__ == "__main__":
    print(tell(int(sys.argv[1])))
