"""What clients were told outlives the broker's process: kill -9 amid produce, commit, transaction.

The clients go on over every kill by themselves; what they were told is compared with what is there.
"""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from kafka import KafkaConsumer as BlockingConsumer
from kafka import KafkaProducer as BlockingProducer
from kafka import TopicPartition as BlockingPartition
from kafka.errors import KafkaError as BlockingKafkaError
from kafka.structs import OffsetAndMetadata

from station_sim.brokers import TopicSpec, open_broker
from station_sim.brokers.embedded import EmbeddedBroker

WITHIN_S = 120
STEP_S = 0.002
"""How often a driver looks whether enough was acknowledged."""
RETRY_S = 0.05

CALM, IN_TRANSACTIONS, BLOCKING = "calm", "in-transactions", "blocking"


class Load:
    """Clients at work, and what they were told; `total` counts what was acknowledged."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.broker = broker
        self.told: dict[str, list[int]] = {CALM: [], IN_TRANSACTIONS: [], BLOCKING: []}
        self.committed = 0
        self.over = threading.Event()

    @property
    def total(self) -> int:
        """How many acknowledgements there were."""
        return sum(map(len, self.told.values())) + self.committed

    async def produce(self) -> None:
        """An idempotent producer, several records on their way at once."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.broker.bootstrap, enable_idempotence=True, linger_ms=1
        )
        await producer.start()
        number = 0
        while not self.over.is_set():
            sent = []
            for _ in range(5):
                sent.append(await producer.send(CALM, b"%d" % number, partition=0))
                number += 1
            for future in sent:
                self.told[CALM].append(int((await future).offset))
            await asyncio.sleep(0)
        await producer.stop()

    async def transact(self) -> None:
        """A transactional producer that moves a group's offset with each record."""
        number = 0
        while not self.over.is_set():
            producer = AIOKafkaProducer(
                bootstrap_servers=self.broker.bootstrap, transactional_id="t"
            )
            try:
                await producer.start()
                while not self.over.is_set():
                    await self._transaction(producer, number)
                    self.told[IN_TRANSACTIONS].append(number)
                    number += 1
            except KafkaError:
                number += 1  # whether it was committed is not known
            finally:
                await producer.stop()

    async def _transaction(self, producer: Any, number: int) -> None:
        async with producer.transaction():
            await producer.send_and_wait(IN_TRANSACTIONS, b"%d" % number, partition=0)
            offsets = {TopicPartition(IN_TRANSACTIONS, 0): number + 1}
            await producer.send_offsets_to_transaction(offsets, "g-transactions")

    def produce_and_commit(self) -> None:
        """A blocking producer, and a member of a group that commits behind it."""
        producer = BlockingProducer(
            bootstrap_servers=self.broker.bootstrap, acks="all", enable_idempotence=True
        )
        consumer = BlockingConsumer(bootstrap_servers=self.broker.bootstrap, group_id="g")
        partition = BlockingPartition(BLOCKING, 0)
        consumer.assign([partition])
        number = 0
        while not self.over.is_set():
            future = producer.send(BLOCKING, b"%d" % number, partition=0)
            self.told[BLOCKING].append(future.get(timeout=WITHIN_S).offset)
            number += 1
            self._commit(consumer, {partition: OffsetAndMetadata(number, f"m{number}", -1)})
            self.committed = number
        producer.close()
        consumer.close(autocommit=False)

    def _commit(self, consumer: Any, offsets: Any) -> None:
        """Until it is acknowledged: this client does not ask again when nobody listens."""
        while True:
            try:
                consumer.commit(offsets)
                return
            except BlockingKafkaError:
                self.over.wait(RETRY_S)


@asynccontextmanager
async def at_work(broker: EmbeddedBroker) -> AsyncIterator[Load]:
    """Clients at work for as long as the block runs; what fails in them fails here."""
    load = Load(broker)
    blocking = asyncio.create_task(asyncio.to_thread(load.produce_and_commit))
    tasks = [blocking, asyncio.create_task(load.produce()), asyncio.create_task(load.transact())]
    try:
        yield load
    finally:
        load.over.set()
        await asyncio.gather(*tasks)


async def wait_for(condition: Callable[[], bool], load: Load) -> None:
    """Return when it holds; a load that does not get on in time is a failure."""
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(STEP_S)


async def read_all(bootstrap: str, topic: str, **options: Any) -> list[tuple[int, int]]:
    """Offset and value of all records that a reader of committed ones finds."""
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", **options
    )
    await consumer.start()
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    end = (await consumer.end_offsets([partition]))[partition]
    found: list[tuple[int, int]] = []
    async with asyncio.timeout(WITHIN_S):
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [(record.offset, int(record.value)) for record in records]
    await consumer.stop()
    return found


async def live_through(path: Path, *, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    async with open_broker("embedded", data=path) as broker:
        assert isinstance(broker, EmbeddedBroker)
        await broker.make_topics(
            *(TopicSpec(name, partitions=1) for name in (CALM, IN_TRANSACTIONS, BLOCKING))
        )
        async with at_work(broker) as load:
            for _ in range(kills):
                enough = load.total + rng.randrange(20, 200)
                await wait_for(lambda enough=enough: load.total >= enough, load)  # type: ignore[misc]  # bound now
                await broker.kill()
                await broker.start()
        await broker.kill()
        await broker.start()
        await check(broker, load)


async def check(broker: EmbeddedBroker, load: Load) -> None:
    """All that was told is there, in order, once."""
    for topic in (CALM, BLOCKING):
        found = await read_all(broker.bootstrap, topic)
        assert load.told[topic] == [offset for offset, _ in found][: len(load.told[topic])]
        assert list(range(len(found))) == [number for _, number in found]
    numbers = [number for _, number in await read_all(broker.bootstrap, IN_TRANSACTIONS)]
    assert sorted(set(numbers)) == numbers
    assert set(load.told[IN_TRANSACTIONS]) <= set(numbers)
    committed = await broker.committed("g-transactions")
    assert numbers[-1] + 1 == committed[IN_TRANSACTIONS, 0].offset
    committed = await broker.committed("g")
    assert (load.committed, f"m{load.committed}") == committed[BLOCKING, 0]


def run(what: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(what(), 4 * WITHIN_S))  # type: ignore[arg-type]  # a coroutine


def test_what_was_acknowledged_outlives_kills(tmp_path: Path) -> None:
    run(lambda: live_through(tmp_path, kills=5, seed=1))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(2, 6))
def test_what_was_acknowledged_outlives_many_kills(tmp_path: Path, seed: int) -> None:
    run(lambda: live_through(tmp_path, kills=20, seed=seed))
