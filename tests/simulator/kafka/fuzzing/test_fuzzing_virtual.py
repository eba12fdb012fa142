"""Altered requests of real clients against a broker in virtual time, beside a client that works."""

import asyncio
import logging
import random

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from tests.simulator.kafka.fuzzing.invariants import broken_invariants
from tests.simulator.kafka.fuzzing.mutations import sent_by_a_mutant
from tests.simulator.kafka.fuzzing.recording import GROUP, PARTITIONS, TOPIC, recorded_frames
from tests.simulator.kafka.random_requests import random_request
from tests.simulator.kafka.raw_client import RawClient
from tests.simulator.kafka.record_batches import make_batch
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka.batches import parse_batch
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.requests.registry import KINDS, KINDS_BY_NAME
from station_sim.kafka.settings import LONG_MAX, BrokerSettings

MUTANTS = 400
MUTANTS_IN_FULL = 20_000
AT_ONCE = 8
PATIENCE_S = 0.2
"""Virtual seconds in which a mutant waits for the broker before it goes."""

ANY_TIME = BrokerSettings(log_message_timestamp_after_max_ms=LONG_MAX)
"""The requests were recorded by another clock."""

HEALTHY = "healthy"
RECORDS = 50


def plausible_frames(rng: random.Random) -> list[bytes]:
    """A request of every kind and version that means nothing in particular."""
    words = (TOPIC, GROUP, "fuzzed-aiokafka", "")
    return [
        bytes(made.encode(header=True))
        for kind in KINDS.values()
        for version in range(kind.versions[0], kind.versions[1] + 1)
        if (made := _with_header(kind.request, version, rng, words))
    ]


def _with_header(
    request_class: object, version: int, rng: random.Random, words: tuple[str, ...]
) -> object:
    made = random_request(request_class, version, rng, words=words)
    made.API_VERSION = version
    made.with_header(1, "random")
    return made


async def let_mutants_in(cluster: Cluster, frames: list[bytes], seed: int, count: int) -> None:
    """Have `count` mutants connect, a few at a time, and leave."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        rng = random.Random(f"{seed}/{number}")
        async with gate, await RawClient.connect(cluster) as client:
            if TOPIC not in cluster.topics:
                cluster.create_topic(TOPIC, partitions=PARTITIONS)
            client.write(sent_by_a_mutant(frames, rng))
            await asyncio.wait({asyncio.ensure_future(client.is_closed())}, timeout=PATIENCE_S)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))


async def healthy_life(cluster: Cluster, mutants: "asyncio.Task[None]") -> list[bytes]:
    """Produce and consume until the mutants are gone and all is read; what came, in order."""
    consumer = AIOKafkaConsumer(
        HEALTHY,
        bootstrap_servers=cluster.bootstrap,
        group_id=HEALTHY,
        auto_offset_reset="earliest",
    )
    came: list[bytes] = []
    async with consumer, AIOKafkaProducer(bootstrap_servers=cluster.bootstrap) as producer:
        sent = 0
        while sent < RECORDS or not mutants.done():
            await producer.send_and_wait(HEALTHY, b"%d" % sent)
            sent += 1
            await asyncio.sleep(PATIENCE_S)
        while len(came) < sent:
            came.append((await consumer.getone()).value)
        await consumer.commit()
    return came


def fuzz(seed: int, frames: list[bytes], count: int) -> tuple[list[bytes], list[str]]:
    """What the healthy client read, and which invariants are broken."""

    async def story(cluster: Cluster) -> tuple[list[bytes], list[str]]:
        cluster.create_topic(TOPIC, partitions=PARTITIONS)
        cluster.create_topic(HEALTHY)
        mutants = asyncio.ensure_future(let_mutants_in(cluster, frames, seed, count))
        came = await healthy_life(cluster, mutants)
        await mutants
        await asyncio.sleep(1)
        return came, broken_invariants(cluster)

    return in_virtual_time(story, settings=ANY_TIME, seed=seed)


def check(seed: int, frames: list[bytes], count: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        came, broken = fuzz(seed, frames, count)
    failed = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert ([], []) == (failed, broken), f"seed {seed}, {count} mutants"
    assert came == [b"%d" % number for number in range(len(came))]
    assert len(came) >= RECORDS


@pytest.mark.parametrize("seed", range(4))
def test_mutants_of_real_requests(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    check(seed, list(recorded_frames()), MUTANTS, caplog)


@pytest.mark.parametrize("seed", range(4))
def test_mutants_of_every_kind(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    check(seed, plausible_frames(random.Random(seed)), MUTANTS, caplog)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 104))
def test_a_great_many_mutants(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    frames = [*recorded_frames(), *plausible_frames(random.Random(seed))]
    check(seed, frames, MUTANTS_IN_FULL, caplog)


def test_a_broker_that_fails_is_noticed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    frames = list(recorded_frames())
    kind = KINDS_BY_NAME["ListGroups"].handled_by(fail)
    monkeypatch.setitem(KINDS, kind.api_key, kind)
    with pytest.raises(AssertionError, match="the broker failed at ListGroups"):
        check(1, frames, MUTANTS, caplog)


def test_a_log_with_a_hole_is_noticed() -> None:
    async def story(cluster: Cluster) -> list[str]:
        cluster.create_topic(TOPIC)
        log = cluster.topics.require(TOPIC, 0)
        for offset in (0, 5):
            log.end_offset = offset
            log.append(parse_batch(make_batch(1)), cluster.now_ms())
        return broken_invariants(cluster)

    assert [f"{TOPIC}-0: 5 follows 1"] == in_virtual_time(story)
