"""Unmodified kafka-python, all its threads too, lives in virtual time; a seed decides its story."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaTimeoutError, TopicAlreadyExistsError

from station_sim.blocking import run_virtual_blocking
from station_sim.brokers import TopicSpec, open_broker
from station_sim.clock import run_virtual

RECORDS = 30
BOOTSTRAP = "kafka:9092"


def story(seed: int) -> list[object]:
    """What a group of two saw of a transactional producer, and when; their work is a pool's."""
    return run_virtual(_world, seed=seed)


async def _world() -> list[object]:
    async with open_broker("virtual") as broker:
        await broker.make_topics(TopicSpec("T", partitions=3), TopicSpec("OUT", partitions=2))
        return await asyncio.to_thread(_story)


def _story() -> list[object]:
    seen: list[object] = []
    end = threading.Event()
    consumers = [threading.Thread(target=_consume, args=(seen, end, i)) for i in range(2)]
    for consumer in consumers:
        consumer.start()
    _produce()
    deadline = time.monotonic() + 300
    while sum(isinstance(each, tuple) for each in seen) < RECORDS and time.monotonic() < deadline:
        time.sleep(0.5)
    end.set()
    for consumer in consumers:
        consumer.join()
    seen.append(time.time())
    return seen


def _produce() -> None:
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id="tx")
    producer.init_transactions()
    for number in range(RECORDS):
        producer.begin_transaction()
        producer.send("T", key=b"%d" % number, value=b"lost")
        producer.abort_transaction() if number % 5 == 0 else producer.commit_transaction()
        if number % 5 == 0:
            producer.begin_transaction()
            producer.send("T", key=b"%d" % number, value=b"again")
            producer.commit_transaction()
        time.sleep(0.7)
    producer.close()


def _consume(seen: list[object], end: threading.Event, number: int) -> None:
    consumer = KafkaConsumer(
        "T",
        bootstrap_servers=BOOTSTRAP,
        group_id="g",
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=2_000,
        client_id=f"consumer-{number}",
    )
    with ThreadPoolExecutor(2) as pool:
        while not end.is_set():
            for where, records in sorted(consumer.poll(timeout_ms=2_000).items()):
                names = list(pool.map(_work, records))
                seen.extend(
                    (where, each.offset, each.key, each.value, each.timestamp, name)
                    for each, name in zip(records, names, strict=True)
                )
                seen.append(time.monotonic())
    consumer.close()


def _work(record: object) -> str:
    time.sleep(0.01)
    return threading.current_thread().name


def test_a_group_reads_what_transactions_committed() -> None:
    seen = [each for each in story(1) if isinstance(each, tuple)]
    assert {b"%d" % number for number in range(RECORDS)} == {each[2] for each in seen}
    assert RECORDS == len(seen)
    assert {b"again"} == {each[3] for each in seen if int(each[2]) % 5 == 0}
    assert 1 < len({each[-1] for each in seen})
    assert threading.active_count() == len(threading.enumerate())
    assert not [each for each in threading.enumerate() if each.name.startswith("kafka")]


def test_a_seed_tells_the_same_story_in_every_process() -> None:
    def told_by(hash_seed: int) -> str:
        program = (
            "import hashlib\n"
            "from tests.simulator.threads.test_kafka_python import story\n"
            "for seed in (1, 2, 3): print(hashlib.sha256(repr(story(seed)).encode()).hexdigest())\n"
        )
        env = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
        return subprocess.run(
            [sys.executable, "-c", program],
            env=env,
            capture_output=True,
            check=True,
            text=True,
            timeout=300,
        ).stdout

    first = told_by(1)
    assert first == told_by(2)
    assert 3 == len(set(first.split()))


def test_a_story_follows_its_seed_not_what_ran_before() -> None:
    assert story(4) == story(4)


def test_an_admin_client_asks() -> None:
    def ask() -> tuple[set[str], int]:
        admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
        admin.create_topics([NewTopic("made", num_partitions=2, replication_factor=1)])
        with pytest.raises(TopicAlreadyExistsError):
            admin.create_topics([NewTopic("made", num_partitions=2, replication_factor=1)])
        topics = set(admin.list_topics())
        producer = KafkaProducer(bootstrap_servers=BOOTSTRAP)
        producer.send("made", b"x", partition=1).get(timeout=10)
        consumer = KafkaConsumer(bootstrap_servers=BOOTSTRAP)
        end = consumer.end_offsets([TopicPartition("made", 1)])[TopicPartition("made", 1)]
        for client in (consumer, producer, admin):
            client.close()
        return topics, end

    async def world() -> tuple[set[str], int]:
        async with open_broker("virtual"):
            return await asyncio.to_thread(ask)

    assert ({"made"}, 1) == run_virtual(world)


def test_without_a_broker_it_gives_up_in_virtual_time() -> None:
    def connect() -> float:
        with pytest.raises(KafkaTimeoutError):
            KafkaProducer(bootstrap_servers=BOOTSTRAP, bootstrap_timeout_ms=5_000)
        return time.monotonic()

    assert 5 <= run_virtual_blocking(connect) < 10


def test_clients_left_open_end_with_their_world() -> None:
    async def world() -> None:
        async with open_broker("virtual") as broker:
            await broker.make_topics(TopicSpec("T"))
            await asyncio.to_thread(_leave_open)

    before = threading.enumerate()
    run_virtual(world)
    assert before == threading.enumerate()


_left: list[object] = []


def _leave_open() -> None:
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP)
    producer.send("T", b"x").get(timeout=10)
    consumer = KafkaConsumer("T", bootstrap_servers=BOOTSTRAP, group_id="g")
    consumer.poll(timeout_ms=1_000)
    _left[:] = [producer, consumer]
