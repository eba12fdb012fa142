"""The embedded broker with a data folder: members over a kill, a disk that is full, bad folders."""

import asyncio
import os
import resource
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from kafka.protocol.admin import (
    CreateTopicsRequest,
    CreateTopicsResponse,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
)
from kafka.protocol.consumer import OffsetCommitRequest, OffsetCommitResponse
from kafka.protocol.producer import InitProducerIdRequest, InitProducerIdResponse
from tests.simulator.kafka.raw_client import RawClient
from tests.simulator.kafka.record_batches import make_batch

from data_analysis.kafka.async_consumer import close_whole
from station_sim.brokers import TopicSpec, open_broker
from station_sim.brokers.embedded import EmbeddedBroker
from station_sim.errors import LabError
from station_sim.kafka.error_codes import ErrorCode

WITHIN_S = 120
ROOM_BYTES = 2000


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(WITHIN_S):
            await story()

    asyncio.run(timed())


@asynccontextmanager
async def embedded(data: Path) -> AsyncIterator[EmbeddedBroker]:
    async with open_broker("embedded", data=data) as broker:
        assert isinstance(broker, EmbeddedBroker)
        yield broker


@contextmanager
def files_no_longer_than(broker: EmbeddedBroker, size_bytes: int) -> Iterator[None]:
    """No file of the broker's may grow beyond a size, as if the disk were full."""
    limits = resource.prlimit(broker.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (size_bytes, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, limits)


def the_file(folder: Path, pattern: str) -> Path:
    return next(folder.glob(pattern))


@asynccontextmanager
async def raw(broker: EmbeddedBroker) -> AsyncIterator[RawClient]:
    host, _, port = broker.bootstrap.rpartition(":")
    async with RawClient(*await asyncio.open_connection(host, int(port))) as client:
        yield client


def commit_request() -> Any:
    topic = OffsetCommitRequest.OffsetCommitRequestTopic
    partition = topic.OffsetCommitRequestPartition(
        partition_index=0,
        committed_offset=1,
        committed_leader_epoch=-1,
        committed_metadata="x" * 99,
    )
    return OffsetCommitRequest(
        group_id="g",
        generation_id_or_member_epoch=-1,
        member_id="",
        group_instance_id=None,
        topics=[topic(name="T", partitions=[partition])],
    )


def create_request() -> Any:
    topic = CreateTopicsRequest.CreatableTopic(
        name="U", num_partitions=1, replication_factor=1, assignments=[], configs=[]
    )
    return CreateTopicsRequest(topics=[topic], timeout_ms=1000, validate_only=False)


def delete_request(topic: str) -> Any:
    return DeleteTopicsRequest(topic_names=[topic], timeout_ms=1000)


async def errors_of_small_changes(client: RawClient) -> list[ErrorCode]:
    """What a commit, a new topic and a new producer are answered."""
    committed = await client.ask(commit_request(), OffsetCommitResponse, 7)
    created = await client.ask(create_request(), CreateTopicsResponse, 5)
    init = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1000)
    producer = await client.ask(init, InitProducerIdResponse, 1)
    return [
        ErrorCode(committed.topics[0].partitions[0].error_code),
        ErrorCode(created.topics[0].error_code),
        ErrorCode(producer.error_code),
    ]


async def fill(client: RawClient, topic: str = "T", *, batches: int) -> list[int]:
    """The offsets that were acknowledged; others were refused with Kafka's error."""
    offsets = []
    for _ in range(batches):
        answer = (await client.produce(topic, {0: make_batch(value=b"x" * 100)}))[0]
        if answer.error_code == ErrorCode.NONE:
            offsets.append(answer.base_offset)
        else:
            assert ErrorCode.KAFKA_STORAGE_ERROR == answer.error_code
    return offsets


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with embedded(tmp_path) as broker:
            await broker.make_topics(TopicSpec("T", partitions=1))
            async with raw(broker) as client:
                with files_no_longer_than(broker, ROOM_BYTES):
                    told = await fill(client, batches=30)
                assert 0 < len(told) < 30
                size_bytes = (tmp_path / "journal").stat().st_size
                with files_no_longer_than(broker, size_bytes + 5):
                    assert [
                        ErrorCode.NOT_COORDINATOR,
                        ErrorCode.KAFKA_STORAGE_ERROR,
                        ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
                    ] == await errors_of_small_changes(client)
                assert {0: (0, len(told))} == await broker.log_ranges("T")
                told += await fill(client, batches=5)
                assert [ErrorCode.NONE] * 3 == await errors_of_small_changes(client)
            await broker.kill()
            await broker.start()
            assert list(range(len(told))) == told
            assert {0: (0, len(told))} == await broker.log_ranges("T")
            assert {("T", 0)} == set(await broker.committed("g"))

    run(story)


@contextmanager
def small_disk(path: Path, size_kb: int) -> Iterator[Path]:
    """A file system of its own that is soon full; skips the test where it may not be mounted."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_small_disk_fills_and_gets_room_again(tmp_path: Path) -> None:
    async def story(disk: Path) -> None:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(100_000))
        async with embedded(disk / "data") as broker:
            await broker.make_topics(*(TopicSpec(name, partitions=1) for name in ("T", "U")))
            async with raw(broker) as client:
                await fill(client, "U", batches=300)
                told = await fill(client, batches=3000)
                assert 0 < len(told) < 3000
                before = len(told)
                await client.ask(delete_request("U"), DeleteTopicsResponse, 5)
                told += await fill(client, batches=3000)
                assert 200 < len(told) - before
                ballast.unlink()
                more = await fill(client, batches=100)
            assert list(range(len(told) + 100)) == told + more
            await broker.kill()
            await broker.start()
            assert {0: (0, len(told) + 100)} == await broker.log_ranges("T")

    with small_disk(tmp_path / "disk", size_kb=400) as disk:
        run(lambda: story(disk))


def test_an_end_of_a_transaction_is_certain_on_a_full_disk(tmp_path: Path) -> None:
    async def story() -> None:
        async with embedded(tmp_path) as broker:
            await broker.make_topics(TopicSpec("T", partitions=1))
            producer = AIOKafkaProducer(
                bootstrap_servers=broker.bootstrap, transactional_id="t" * 200
            )
            await producer.start()
            await producer.begin_transaction()
            await producer.send_and_wait("T", b"x" * 5000, partition=0)
            log = the_file(tmp_path, "topics/*/0/*.log")
            with files_no_longer_than(broker, log.stat().st_size + 5):
                await producer.commit_transaction()
                assert {0: (0, 1)} == await broker.log_ranges("T")
            while {0: (0, 2)} != await broker.log_ranges("T"):
                await asyncio.sleep(0.05)
            await producer.stop()

    run(story)


def test_members_go_on_over_a_kill(tmp_path: Path) -> None:
    async def story() -> None:
        async with embedded(tmp_path) as broker:
            await broker.make_topics(TopicSpec("T", partitions=2))
            consumers = [
                AIOKafkaConsumer("T", bootstrap_servers=broker.bootstrap, group_id="g")
                for _ in range(2)
            ]
            for consumer in consumers:
                await consumer.start()
            while not all(consumer.assignment() for consumer in consumers):
                await asyncio.sleep(0.01)
            before = await described(broker)
            await broker.kill()
            await broker.start()
            assert before == await described(broker)
            for consumer in consumers:
                await consumer.commit(dict.fromkeys(consumer.assignment(), 0))
            assert before == await described(broker)
            for consumer in consumers:
                # Its fetches may still be backing off, which aiokafka's `stop` does not bear.
                await close_whole(consumer)

    run(story)


async def described(broker: EmbeddedBroker) -> Any:
    """State and members of the group, with their assignments."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups(["g"])
        (group,) = answer.groups
        _error, _id, state, kind, protocol, members = group[:6]
        return state, kind, protocol, sorted(members)
    finally:
        await admin.close()


@pytest.mark.parametrize(
    ("file", "at", "said"),
    [
        ("journal", 20, r"the journal .* is damaged at byte 0 of \d+: restore the folder"),
        ("topics/*/0/*.log", 70, r"\.log is damaged: at byte 0, a batch whose CRC"),
        ("version", 18, r"is of another version, 'station-lab data"),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_line(
    tmp_path: Path, file: str, at: int, said: str
) -> None:
    async def story() -> None:
        async with embedded(tmp_path) as broker:
            await broker.make_topics(TopicSpec("T", partitions=1))
            async with raw(broker) as client:
                await fill(client, batches=2)
            with pytest.raises(LabError, match="is in use by another broker"):
                async with embedded(tmp_path):
                    pass
        path = the_file(tmp_path, file)
        data = bytearray(path.read_bytes())
        data[at] ^= 0x08
        path.write_bytes(data)
        with pytest.raises(LabError, match=said):
            async with embedded(tmp_path):
                pass

    run(story)
