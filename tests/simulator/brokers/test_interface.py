"""What every kind of broker does, each body the same on all of them."""

from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from tests.simulator.brokers.living import KINDS, is_running, live, produce

from station_sim.brokers import Broker, TopicSpec
from station_sim.errors import LabError


async def commit(broker: Broker, group: str, topic: str, offset: int) -> None:
    where = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([where])
        await consumer.commit({where: OffsetAndMetadata(offset, "note")})
    finally:
        await consumer.stop()


async def error_of(awaitable: Any) -> str:
    with pytest.raises(LabError) as caught:
        await awaitable
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_topics_logs_and_offsets(kind: str) -> None:
    async def body(broker: Broker) -> None:
        assert kind == broker.kind
        assert (kind == "virtual") == broker.is_virtual

        await broker.make_topics(TopicSpec("a", partitions=3), TopicSpec("b"))
        assert {"a", "b"} <= set(await broker.topic_names())
        assert {0: (0, 0), 1: (0, 0), 2: (0, 0)} == await broker.log_ranges("a")

        await produce(broker, "a", 10)
        assert (0, 10) == (await broker.log_ranges("a"))[0]
        assert 4 == await broker.cut_head("a", 0, before_offset=4)
        assert {0: (4, 10), 1: (0, 0), 2: (0, 0)} == await broker.log_ranges("a")

        assert {} == await broker.committed("nobody")
        await commit(broker, "group", "a", 7)
        assert {("a", 0): OffsetAndMetadata(7, "note")} == await broker.committed("group")

        await broker.delete_topics("b", "never-there")
        assert "b" not in await broker.topic_names()

    live(kind, body)


@pytest.mark.parametrize("kind", KINDS)
def test_refusals_are_one_line(kind: str) -> None:
    async def body(broker: Broker) -> list[str]:
        await broker.make_topics(TopicSpec("a"))
        return [
            await error_of(broker.make_topics(TopicSpec("a"))),
            await error_of(broker.make_topics(TopicSpec("c", config={"no.such.setting": "1"}))),
            await error_of(broker.cut_head("a", 0, before_offset=1)),
        ]

    lines = live(kind, body)

    for line, telling in zip(
        lines, ["TopicAlreadyExists", "InvalidConfiguration", "OffsetOutOfRange"], strict=True
    ):
        assert telling in line
        assert "\n" not in line


@pytest.mark.parametrize("kind", KINDS)
def test_stop_and_start_keep_address_and_data(kind: str) -> None:
    async def body(broker: Broker) -> None:
        await broker.make_topics(TopicSpec("a"))
        await produce(broker, "a", 3)
        await commit(broker, "group", "a", 2)
        address = broker.bootstrap

        await broker.stop()
        await broker.start()

        assert address == broker.bootstrap
        assert {0: (0, 3)} == await broker.log_ranges("a")
        assert {("a", 0): OffsetAndMetadata(2, "note")} == await broker.committed("group")

    live(kind, body)


@pytest.mark.parametrize("kind", KINDS)
def test_kill_and_start_keep_acknowledged_records(kind: str) -> None:
    async def body(broker: Broker) -> None:
        await broker.make_topics(TopicSpec("a"))
        await produce(broker, "a", 3)

        await broker.kill()
        await broker.start()

        assert {0: (0, 3)} == await broker.log_ranges("a")

    live(kind, body)


@pytest.mark.parametrize("kind", ["embedded", pytest.param("jvm", marks=pytest.mark.kafka)])
def test_nothing_is_left_of_a_process(kind: str) -> None:
    async def body(broker: Any) -> tuple[Any, list[int]]:
        family = psutil.Process().children(recursive=True)
        assert broker.pid in {each.pid for each in family}
        return broker.directory, [each.pid for each in family]

    directory, pids = live(kind, body)

    assert not directory.exists()
    assert not [pid for pid in pids if is_running(pid)]


@pytest.mark.kafka
@pytest.mark.docker
def test_nothing_is_left_of_a_container() -> None:
    async def body(broker: Any) -> str:
        return str(broker.container_id)

    container_id = live("docker", body)

    import docker

    engine = docker.from_env()
    try:
        with pytest.raises(docker.errors.NotFound):
            engine.containers.get(container_id)
    finally:
        engine.close()
