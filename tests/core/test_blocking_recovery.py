"""The blocking service gets over what Kafka does to it, with one consumer and with one per topic.

The same of the asynchronous one is in `test_recovery.py`; rebalances, refusals and lost positions
are in `test_blocking_trouble.py`.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from data_analysis import GapCause
from station_sim.brokers import TopicSpec, open_broker
from station_sim.kafka.error_codes import ErrorCode
from tests.core.blocking_world import FOREVER, BlockingWorld, in_blocking_world
from tests.core.test_recovery import BOTH, MINUTE_S, add_partition, delete_group, send_to
from tests.core.world import CALENDAR, DATA, GROUP, OUTPUT, World
from tests.kafka_at_hand import require_kafka


def _group(kafka: dict[str, Any]) -> str:
    return f"{GROUP}-{DATA}" if kafka else GROUP


def _committed(world: BlockingWorld, kafka: dict[str, Any], partition: int = 0) -> int | None:
    found = world.ask(world.broker.committed(_group(kafka))).get((DATA, partition))
    return None if found is None else int(found.offset)


def _until_committed(
    world: BlockingWorld, kafka: dict[str, Any], offset: int, partition: int = 0
) -> None:
    deadline = time.monotonic() + 180
    while _committed(world, kafka, partition) != offset:
        assert time.monotonic() < deadline
        time.sleep(1)


def _powers(world: BlockingWorld) -> list[float]:
    return [power for _, power in world.calls]


@BOTH
def test_a_broker_that_is_killed_and_restarted_is_used_again(kafka: dict[str, Any]) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(kafka=kafka)
        service.start(world.callback)
        world.send("A", 1.0, 2.0)
        world.until(lambda: service.engine.counters.results_uploaded == 2)
        world.ask(world.broker.kill())
        time.sleep(4 * MINUTE_S)
        assert "degraded" == service.health()["status"]
        world.ask(world.broker.start())
        world.send("A", 3.0, first_s=30)
        world.until(lambda: service.engine.counters.results_uploaded == 3, within_s=300)
        world.until(lambda: service.health()["status"] == "ok", within_s=300)
        _until_committed(world, kafka, 3)
        service.stop()
        assert [1.0, 2.0, 3.0] == _powers(world)
        assert [] == world.gaps

    in_blocking_world(story)


@BOTH
@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_connection_cut_in_the_middle_of_a_commit(drop: str, kafka: dict[str, Any]) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(kafka=kafka)
        service.start(world.callback)
        with world.simulated.faults.inject(
            "OffsetCommit", group=_group(kafka), drop=drop, count=2
        ) as cut:
            world.send("A", 1.0, 2.0)
            world.until(lambda: cut.hits == 2)
        world.until(lambda: service.engine.offsets.committed((DATA, 0)) == 2)
        assert 2 == _committed(world, kafka)
        service.stop()
        assert [1.0, 2.0] == _powers(world)
        assert [] == world.gaps

    in_blocking_world(story)


@BOTH
def test_a_commit_whose_answer_never_comes_is_unknown_and_sent_again(kafka: dict[str, Any]) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(kafka=kafka)
        service.start(world.callback)
        with world.simulated.faults.inject(
            "OffsetCommit", group=_group(kafka), hold=True, count=1
        ) as unanswered:
            world.send("A", 1.0)
            world.until(lambda: unanswered.hits == 1)
            world.until(lambda: service.health()["commits_unknown"] == 1)
            _until_committed(world, kafka, 1)
        world.until(lambda: service.engine.offsets.committed((DATA, 0)) == 1)
        service.stop()
        assert [1.0] == _powers(world)

    in_blocking_world(story)


@BOTH
def test_a_member_that_the_group_has_forgotten_joins_again(kafka: dict[str, Any]) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(kafka=kafka)
        service.start(world.callback)
        world.send("A", 1.0)
        world.until(lambda: len(world.calls) == 1)
        with world.simulated.faults.inject(
            "Heartbeat", group=_group(kafka), delay_s=40, count=1
        ) as late:
            world.until(lambda: late.hits == 1)
            world.send("A", 2.0, first_s=15)
            time.sleep(90)
        world.send("A", 3.0, first_s=30)
        world.until(lambda: 3.0 in _powers(world), within_s=300)
        _until_committed(world, kafka, 3)
        service.stop()
        assert {1.0, 2.0, 3.0} == set(_powers(world))

    in_blocking_world(story)


@BOTH
@pytest.mark.parametrize("reset", ["earliest", "latest"])
def test_a_group_that_was_deleted_while_the_service_was_down(
    reset: str, kafka: dict[str, Any]
) -> None:
    def story(world: BlockingWorld) -> None:
        first = world.service(kafka=kafka)
        first.start(world.callback)
        world.send("A", 1.0, 2.0)
        world.until(lambda: len(world.calls) == 2)
        first.stop()
        assert ErrorCode.NONE is world.simulated.groups.delete(_group(kafka))
        world.calls.clear()
        service = world.service(kafka=kafka, auto_offset_reset=reset)
        service.start(world.callback)
        world.send("A", 3.0, first_s=30)
        world.until(lambda: ("A", 3.0) in world.calls)
        service.stop()
        gaps = [(gap.cause, gap.start_offset, gap.end_offset) for gap in world.gaps]
        if reset == "earliest":
            assert ([1.0, 2.0, 3.0], []) == (_powers(world), gaps)
        else:
            assert ([3.0], [(GapCause.NO_COMMITTED_OFFSET, 0, 2)]) == (_powers(world), gaps)
        assert 3 == _committed(world, kafka)

    in_blocking_world(story)


@BOTH
def test_a_topic_deleted_and_made_again_is_read_from_its_beginning(kafka: dict[str, Any]) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(kafka=kafka)
        service.start(world.callback)
        world.send("A", 1.0, 2.0, 3.0)
        world.until(lambda: len(world.calls) == 3)
        time.sleep(10)
        world.ask(world.broker.delete_topics(DATA))
        time.sleep(30)
        world.ask(world.broker.make_topics(TopicSpec(DATA, 1, config=FOREVER)))
        world.send("A", 4.0, first_s=60)
        world.until(lambda: ("A", 4.0) in world.calls, within_s=600)
        world.until(lambda: service.health()["status"] == "ok", within_s=120)
        _until_committed(world, kafka, 1)
        service.stop()
        assert [1.0, 2.0, 3.0, 4.0] == _powers(world)
        for gap in world.gaps:
            assert 0 == gap.lost, "what was deleted had been read"

    in_blocking_world(story, {"auto.create.topics.enable": "false"})


@BOTH
@pytest.mark.parametrize("gone_s", [0, 0.5, 2])
def test_a_topic_made_again_while_the_group_is_joined_for_its_end_is_read(
    gone_s: float, kafka: dict[str, Any]
) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(kafka={**kafka, "metadata_max_age_ms": 2_000})
        service.start(world.callback)
        world.send("A", 1.0, 2.0, 3.0)
        world.until(lambda: len(world.calls) == 3)
        # A commit is still to come, and the join waits for it.
        world.ask(world.broker.delete_topics(DATA))
        time.sleep(gone_s)
        world.ask(world.broker.make_topics(TopicSpec(DATA, 1, config=FOREVER)))
        world.send("A", 4.0, first_s=60)
        world.until(lambda: ("A", 4.0) in world.calls, within_s=120)
        _until_committed(world, kafka, 1)
        service.stop()

    in_blocking_world(story, {"auto.create.topics.enable": "false"})


@BOTH
def test_a_partition_that_is_added_is_read_from_its_beginning(kafka: dict[str, Any]) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(kafka=kafka, auto_offset_reset="latest")
        service.start(world.callback)
        world.send("A", 1.0)
        world.until(lambda: len(world.calls) == 1)
        world.ask(add_partition(world.broker))
        world.ask(send_to(world.broker, 1, "B", 2.0))
        world.until(lambda: ("B", 2.0) in world.calls, within_s=900)
        _until_committed(world, kafka, 1, partition=1)
        service.stop()
        assert [1, 1] == [_committed(world, kafka, at) for at in range(2)]
        assert [] == world.gaps

    in_blocking_world(story)


async def _move_coordinator(world: BlockingWorld, group: str, node_id: int) -> None:
    world.simulated.move_coordinator(group, node_id)


@BOTH
def test_a_coordinator_that_moves_is_found_again(kafka: dict[str, Any]) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service(kafka=kafka)
        service.start(world.callback)
        for number in range(9):
            world.ask(_move_coordinator(world, _group(kafka), number % 3))
            world.send("A", float(number), first_s=15 * number)
            time.sleep(7)
        world.until(lambda: service.engine.counters.results_uploaded == 9)
        world.until(lambda: service.engine.offsets.committed((DATA, 0)) == 9, within_s=120)
        service.stop()
        assert 9 == _committed(world, kafka)
        assert [float(number) for number in range(9)] == _powers(world)

    in_blocking_world(story, nodes=3)


# The same on Apache Kafka.


def _on_apache_kafka(story: Callable[[BlockingWorld], None]) -> None:
    require_kafka("jvm")

    async def main() -> None:
        properties = {"auto.create.topics.enable": "false"}
        async with open_broker("jvm", server_properties=properties) as broker:
            await broker.make_topics(
                *(TopicSpec(topic, 1, config=FOREVER) for topic in (DATA, CALENDAR, OUTPUT))
            )
            async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
                world = BlockingWorld(World(broker, producer), asyncio.get_running_loop())
                await asyncio.to_thread(story, world)

    asyncio.run(main())


@pytest.mark.kafka
@BOTH
def test_apache_kafka_killed_a_group_deleted_a_partition_added_a_topic_made_again(
    kafka: dict[str, Any],
) -> None:
    quick = {"session_timeout_ms": 10_000, "metadata_max_age_ms": 2_000}

    def story(world: BlockingWorld) -> None:
        service = world.service(kafka={**kafka, **quick})
        service.start(world.callback)
        world.send("A", 1.0)
        world.until(lambda: service.engine.counters.results_uploaded == 1)
        world.ask(world.broker.kill())
        world.ask(world.broker.start())
        world.send("A", 2.0, first_s=15)
        world.until(lambda: ("A", 2.0) in world.calls, within_s=120)
        service.stop()
        world.ask(delete_group(world.broker, _group(kafka)))
        world.calls.clear()
        service = world.service(kafka={**kafka, **quick})
        service.start(world.callback)
        world.until(lambda: _powers(world) == [1.0, 2.0])
        world.ask(add_partition(world.broker))
        world.ask(send_to(world.broker, 1, "B", 3.0))
        world.until(lambda: ("B", 3.0) in world.calls, within_s=120)
        world.ask(world.broker.delete_topics(DATA))
        world.ask(world.broker.make_topics(TopicSpec(DATA, 1, config=FOREVER)))
        world.send("A", 4.0, first_s=30)
        world.until(lambda: ("A", 4.0) in world.calls, within_s=120)
        _until_committed(world, kafka, 1)
        service.stop()
        assert [1.0, 2.0, 3.0, 4.0] == _powers(world)
        assert all(gap.lost == 0 for gap in world.gaps)

    _on_apache_kafka(story)
