"""The service gets over what Kafka does to it, by itself, with one consumer and with one per topic.

Positions and gaps are in `test_gap_recovery.py` and `test_positions.py`, rebalances and refused
uploads in `test_trouble.py`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from kafka import KafkaAdminClient

from data_analysis import AsyncDataAnalysisService, GapCause
from station_sim.brokers import Broker, TopicSpec, open_broker
from station_sim.clock import run_virtual
from station_sim.kafka.error_codes import ErrorCode
from tests.core.world import CALENDAR, DATA, GROUP, OUTPUT, World, in_world
from tests.kafka_at_hand import require_kafka

FOREVER = {"retention.ms": "-1"}
MULTI = {"multi_consumer_mode": True}
BOTH = pytest.mark.parametrize("kafka", [{}, MULTI], ids=["single", "multi"])
MINUTE_S = 60.0


def _group(kafka: dict[str, Any]) -> str:
    return f"{GROUP}-{DATA}" if kafka else GROUP


async def _committed(world: World, kafka: dict[str, Any], partition: int = 0) -> int | None:
    found = (await world.broker.committed(_group(kafka))).get((DATA, partition))
    return None if found is None else int(found.offset)


def _faults(world: World) -> Any:
    return world.broker.simulated.faults  # type: ignore[attr-defined]  # a virtual broker


@BOTH
def test_a_broker_that_is_away_for_minutes_is_used_again(kafka: dict[str, Any]) -> None:
    async def story(world: World) -> None:
        service = world.service(kafka=kafka)
        await service.start(world.callback)
        await world.send("A", 1.0, 2.0)
        await world.until(lambda: service.engine.counters.results_uploaded == 2)
        await world.broker.kill()
        await asyncio.sleep(4 * MINUTE_S)
        assert "degraded" == service.health()["status"]
        await world.broker.start()
        await world.send("A", 3.0, first_s=30)
        await world.until(lambda: service.engine.counters.results_uploaded == 3, within_s=300)
        await world.until(lambda: service.health()["status"] == "ok")
        await asyncio.sleep(10)
        await service.stop()
        assert [1.0, 2.0, 3.0] == [power for _, power in world.calls]
        assert 3 == await _committed(world, kafka)
        assert [] == world.gaps

    in_world(story)


@BOTH
@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_connection_cut_in_the_middle_of_a_commit(drop: str, kafka: dict[str, Any]) -> None:
    async def story(world: World) -> None:
        service = world.service(kafka=kafka)
        await service.start(world.callback)
        with _faults(world).inject("OffsetCommit", group=_group(kafka), drop=drop, count=2) as cut:
            await world.send("A", 1.0, 2.0)
            await cut.hit(2)
        await world.until(lambda: service.engine.offsets.committed((DATA, 0)) == 2)
        assert 2 == await _committed(world, kafka)
        await service.stop()
        assert [1.0, 2.0] == [power for _, power in world.calls]
        assert [] == world.gaps

    in_world(story)


@BOTH
def test_a_commit_whose_answer_never_comes_is_unknown_and_sent_again(kafka: dict[str, Any]) -> None:
    async def story(world: World) -> None:
        service = world.service(kafka=kafka)
        await service.start(world.callback)
        with _faults(world).inject(
            "OffsetCommit", group=_group(kafka), hold=True, count=1
        ) as unanswered:
            await world.send("A", 1.0)
            await unanswered.hit()
            await asyncio.sleep(20)
            assert 1 == service.health()["commits_unknown"]
        await world.until(lambda: service.engine.offsets.committed((DATA, 0)) == 1)
        await service.stop()
        assert 1 == await _committed(world, kafka)

    in_world(story)


@BOTH
def test_a_member_that_the_group_has_forgotten_joins_again(kafka: dict[str, Any]) -> None:
    async def story(world: World) -> None:
        service = world.service(kafka=kafka)
        await service.start(world.callback)
        await world.send("A", 1.0)
        await world.until(lambda: len(world.calls) == 1)
        with _faults(world).inject("Heartbeat", group=_group(kafka), delay_s=40, count=1) as late:
            await late.hit()
            await world.send("A", 2.0, first_s=15)
            await asyncio.sleep(90)
        await world.send("A", 3.0, first_s=30)
        await world.until(lambda: 3.0 in [power for _, power in world.calls], within_s=300)
        await asyncio.sleep(10)
        await service.stop()
        assert {1.0, 2.0, 3.0} == {power for _, power in world.calls}
        assert 3 == await _committed(world, kafka)

    in_world(story, {"group.min.session.timeout.ms": "6000"})


@BOTH
@pytest.mark.parametrize("reset", ["earliest", "latest"])
def test_a_group_that_was_deleted_while_the_service_was_down(
    reset: str, kafka: dict[str, Any]
) -> None:
    async def story(world: World) -> None:
        first = world.service(kafka=kafka)
        await first.start(world.callback)
        await world.send("A", 1.0, 2.0)
        await world.until(lambda: len(world.calls) == 2)
        await first.stop()
        groups = world.broker.simulated.groups  # type: ignore[attr-defined]  # a virtual broker
        assert ErrorCode.NONE is groups.delete(_group(kafka))
        world.calls.clear()
        service = world.service(kafka=kafka, auto_offset_reset=reset)
        await service.start(world.callback)
        await world.send("A", 3.0, first_s=30)
        await world.until(lambda: ("A", 3.0) in world.calls)
        await service.stop()
        if reset == "earliest":
            assert [1.0, 2.0, 3.0] == [power for _, power in world.calls]
            assert [] == world.gaps
        else:
            assert [("A", 3.0)] == world.calls
            (gap,) = world.gaps
            assert (GapCause.NO_COMMITTED_OFFSET, 0, 2) == (
                gap.cause,
                gap.start_offset,
                gap.end_offset,
            )
        assert 3 == await _committed(world, kafka)

    in_world(story)


@BOTH
def test_a_topic_deleted_and_made_again_is_read_from_its_beginning(kafka: dict[str, Any]) -> None:
    async def story(world: World) -> None:
        service = world.service(kafka=kafka)
        await service.start(world.callback)
        await world.send("A", 1.0, 2.0, 3.0)
        await world.until(lambda: len(world.calls) == 3)
        await asyncio.sleep(10)
        await world.broker.delete_topics(DATA)
        await asyncio.sleep(30)
        await world.broker.make_topics(TopicSpec(DATA, 1, config=FOREVER))
        await world.send("A", 4.0, first_s=60)
        await world.until(lambda: ("A", 4.0) in world.calls, within_s=600)
        await asyncio.sleep(10)
        await world.until(lambda: service.health()["status"] == "ok", within_s=120)
        await service.stop()
        assert 1 == await _committed(world, kafka)
        for gap in world.gaps:
            assert 0 == gap.lost, "what was deleted had been read"

    in_world(story, {"auto.create.topics.enable": "false"})


@BOTH
def test_a_partition_that_is_added_is_read_from_its_beginning(kafka: dict[str, Any]) -> None:
    async def story(world: World) -> None:
        service = world.service(kafka=kafka, auto_offset_reset="latest")
        await service.start(world.callback)
        await world.send("A", 1.0)
        await world.until(lambda: len(world.calls) == 1)
        await add_partition(world.broker)
        await send_to(world.broker, 1, "B", 2.0)
        await world.until(lambda: ("B", 2.0) in world.calls, within_s=900)
        await asyncio.sleep(10)
        await service.stop()
        assert [1, 1] == [await _committed(world, kafka, at) for at in range(2)]
        assert [] == world.gaps

    in_world(story)


async def add_partition(broker: Broker) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({DATA: NewPartitions(2)})
    finally:
        await admin.close()


async def send_to(broker: Broker, partition: int, station_id: str, power: float) -> None:
    value = json.dumps({"stationId": station_id, "totalPower": power}).encode()
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, metadata_max_age_ms=1000)
    await producer.start()
    try:
        async with asyncio.timeout(60):
            while len(await producer.partitions_for(DATA)) <= partition:
                await asyncio.sleep(0.1)
        await producer.send_and_wait(DATA, value, partition=partition)
    finally:
        await producer.stop()


async def delete_group(broker: Broker, group: str) -> None:
    """Delete a group as an operator does; its members have left."""

    def delete() -> None:
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        try:
            admin.delete_groups([group])
        finally:
            admin.close()

    await asyncio.to_thread(delete)


@BOTH
def test_uploads_that_fail_for_minutes_are_bounded_and_lose_nothing(
    kafka: dict[str, Any],
) -> None:
    async def story(world: World) -> None:
        service = world.service(kafka=kafka, max_pending_records=20)
        bound = 10 if kafka else 20
        await service.start(world.callback)
        with _faults(world).inject("Produce", topic=OUTPUT, answer=ErrorCode.NOT_ENOUGH_REPLICAS):
            for number in range(100):
                await world.send("A", float(number), first_s=15 * number)
            await asyncio.sleep(4 * MINUTE_S)
            assert bound == service.engine.in_flight
            assert bound == len(world.calls)
            trouble = service.health()["trouble"]
            assert any(line.startswith("upload: ") for line in trouble)
            assert "paused: too many records in work" in trouble
            assert 0 == (await _committed(world, kafka) or 0)
            assert service.get_service_status()["consumer_alive"]
        await world.until(lambda: service.engine.counters.results_uploaded == 100, within_s=300)
        await world.until(lambda: service.health()["status"] == "ok")
        await service.stop()
        assert [float(number) for number in range(100)] == [power for _, power in world.calls]
        assert 100 == await _committed(world, kafka)

    in_world(story)


def test_a_busy_partition_starves_no_other() -> None:
    async def story(world: World) -> None:
        most, hot = 20, 600
        done: list[str] = []

        async def slow(station_id: str, given: dict[str, Any]) -> None:
            await asyncio.sleep(0.05)
            done.append(station_id)

        await add_partition(world.broker)
        for number in range(hot):
            await world.send(f"H{number % 4}", float(number))
        service = world.service(max_pending_records=most, upload_results=False)
        await service.start(slow)
        await world.until(lambda: len(done) > 50)
        at_arrival = len(done)
        await send_to(world.broker, 1, "COLD", 1.0)
        await world.until(lambda: "COLD" in done)
        # What is in work when it comes, and what is done while it is fetched and called.
        assert done.index("COLD") - at_arrival <= 4 * most
        await service.stop()

    in_world(story)


# Several nodes.


def _in_cluster(story: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_broker("virtual", nodes=3) as broker:
            await broker.make_topics(
                *(TopicSpec(topic, 1, config=FOREVER) for topic in (DATA, CALENDAR, OUTPUT))
            )
            producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
            await producer.start()
            try:
                await story(World(broker, producer))
            finally:
                await producer.stop()

    run_virtual(main, seed=1)


@BOTH
def test_a_coordinator_that_moves_is_found_again(kafka: dict[str, Any]) -> None:
    async def story(world: World) -> None:
        service = world.service(kafka=kafka)
        await service.start(world.callback)
        simulated = world.broker.simulated  # type: ignore[attr-defined]  # a virtual broker
        for number in range(9):
            simulated.move_coordinator(_group(kafka), number % 3)
            await world.send("A", float(number), first_s=15 * number)
            await asyncio.sleep(7)
        await world.until(lambda: service.engine.counters.results_uploaded == 9)
        await world.until(lambda: service.engine.offsets.committed((DATA, 0)) == 9, within_s=120)
        await service.stop()
        assert 9 == await _committed(world, kafka)
        assert [float(number) for number in range(9)] == [power for _, power in world.calls]

    _in_cluster(story)


# The same on Apache Kafka.


def _lag(service: AsyncDataAnalysisService) -> int | None:
    return service.consumer.get_lag_info()[DATA].get(0, {}).get("lag")


@pytest.mark.kafka
@BOTH
def test_apache_kafka_killed_a_group_deleted_a_partition_added_a_topic_made_again(
    kafka: dict[str, Any],
) -> None:
    require_kafka("jvm")

    async def story(world: World) -> None:
        quick = {"session_timeout_ms": 10_000, "metadata_max_age_ms": 3_000}
        service = world.service(kafka={**kafka, **quick})
        await service.start(world.callback)
        await world.send("A", 1.0)
        await world.until(lambda: service.engine.counters.results_uploaded == 1)
        await world.broker.kill()
        await world.broker.start()
        await world.send("A", 2.0, first_s=15)
        await world.until(lambda: ("A", 2.0) in world.calls, within_s=120)
        await service.stop()
        await delete_group(world.broker, _group(kafka))
        world.calls.clear()
        service = world.service(kafka={**kafka, **quick})
        await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 2)
        await add_partition(world.broker)
        await send_to(world.broker, 1, "B", 3.0)
        await world.until(lambda: ("B", 3.0) in world.calls, within_s=120)
        await world.broker.delete_topics(DATA)
        await world.broker.make_topics(TopicSpec(DATA, 1, config=FOREVER))
        await world.send("A", 4.0, first_s=30)
        await world.until(lambda: ("A", 4.0) in world.calls, within_s=120)
        await world.until(lambda: _lag(service) == 0)
        await service.stop()
        assert 1 == await _committed(world, kafka)
        assert [1.0, 2.0, 3.0, 4.0] == [power for _, power in world.calls]

    async def main() -> None:
        properties = {"auto.create.topics.enable": "false"}
        async with open_broker("jvm", server_properties=properties) as broker:
            await broker.make_topics(
                *(TopicSpec(topic, 1, config=FOREVER) for topic in (DATA, CALENDAR, OUTPUT))
            )
            producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
            await producer.start()
            try:
                await story(World(broker, producer))
            finally:
                await producer.stop()

    asyncio.run(main())
