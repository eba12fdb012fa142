"""Where partitions are read from when assignments, brokers and retention get in the way."""

import asyncio
import json
from typing import Any

from aiokafka import AIOKafkaProducer

from data_analysis import AsyncDataAnalysisService, GapCause
from station_sim.brokers import TopicSpec
from station_sim.kafka.error_codes import ErrorCode
from tests.core.world import DATA, GROUP, World, in_world, small_config

WIDE = "OWN-WIDE"
FOREVER = {"retention.ms": "-1"}


def _config(*topics: str) -> Any:
    detail = {topic: {"fields": ["n"], "modules": ["m"], "window_size": 3} for topic in topics}
    return small_config(TOPIC_DETAIL=detail)


def _service(world: World, *topics: str, **options: Any) -> AsyncDataAnalysisService:
    return world.service(
        module_name="m", upload_results=False, config=_config(*topics or (WIDE,)), **options
    )


async def _send(world: World, topic: str, partitions: int, first: int, count: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=world.broker.bootstrap, metadata_max_age_ms=1000)
    await producer.start()
    for number in range(first, first + count):
        value = json.dumps({"stationId": f"S{number % partitions}", "n": number}).encode()
        await producer.send_and_wait(topic, value, partition=number % partitions)
    await producer.stop()


def _simulated(world: World) -> Any:
    return world.broker.simulated  # type: ignore[attr-defined]  # a virtual broker


def test_records_that_come_before_their_position_is_known_are_not_passed_over() -> None:
    async def story(world: World) -> None:
        partitions = 8
        await world.broker.make_topics(TopicSpec(WIDE, partitions, config=FOREVER))
        seen: list[int] = []
        gate = asyncio.Event()

        async def note(station_id: str, given: dict[str, Any]) -> None:
            await gate.wait()
            seen.append(given["n"])

        first = _service(world, stop_timeout_seconds=0)
        second = _service(world)
        await first.start(note)
        await second.start(note)
        await asyncio.sleep(10)
        await _send(world, WIDE, partitions, 0, 160)
        # The second one is idle in a long poll on its own partitions when it gets all of them.
        with _simulated(world).faults.inject("OffsetFetch", delay_s=0.5):
            await first.stop()
            gate.set()
            await world.until(lambda: set(seen) == set(range(160)), within_s=120)
        await second.stop()
        committed = await world.broker.committed(GROUP)
        assert [20] * 8 == [committed[(WIDE, at)].offset for at in range(partitions)]

    in_world(story)


def test_a_partition_whose_leader_does_not_answer_does_not_hold_up_the_others() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 3, config=FOREVER))
        await _send(world, WIDE, 3, 0, 30)
        seen: list[int] = []
        consumer = _service(world)
        await consumer.start(lambda station_id, given: seen.append(given["n"]))
        await world.until(lambda: len(seen) == 30)
        await consumer.stop()
        await _send(world, WIDE, 3, 30, 30)
        for at in range(3):
            await world.broker.cut_head(WIDE, at, before_offset=12)
        seen.clear()
        service = _service(world)
        with _simulated(world).faults.inject(
            "ListOffsets",
            topic=WIDE,
            partition=0,
            answer=ErrorCode.UNKNOWN_SERVER_ERROR,
        ):
            await service.start(lambda station_id, given: seen.append(given["n"]))
            await world.until(lambda: len(seen) == 16, within_s=30)
            assert [1, 2] == sorted(gap.partition for gap in world.gaps)
        await world.until(lambda: len(seen) == 24)
        await service.stop()

    in_world(story)


def test_retention_that_wins_the_race_makes_two_gaps_and_no_hole() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 1)
        await service.stop()
        for index in range(10):
            await world.send("A", float(index), first_s=15 * (index + 1))
        await world.broker.cut_head(DATA, 0, before_offset=4)
        log = _simulated(world).topics.partition(DATA, 0)

        def note(gap: Any) -> None:
            world.gaps.append(gap)
            log.delete_records(7)

        again = world.service(on_gap=note)
        await again.start(world.callback)
        await world.until(lambda: len(world.calls) == 5)
        await again.stop()
        ranges = [(gap.start_offset, gap.end_offset) for gap in world.gaps]
        assert [(1, 4), (4, 7)] == ranges
        assert 11 == await world.committed()

    in_world(story)


def test_an_offset_refused_without_cause_is_asked_for_again_with_a_back_off() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0)
        service = world.service()
        with _simulated(world).faults.inject(
            "Fetch", topic=DATA, answer=ErrorCode.OFFSET_OUT_OF_RANGE
        ) as refused:
            await service.start(world.callback)
            await asyncio.sleep(60)
        assert 40 > refused.hits
        await world.until(lambda: len(world.calls) == 1)
        assert [] == world.gaps
        await service.stop()

    in_world(story)


def test_a_partition_that_appears_later_is_read_from_its_beginning_by_whoever_gets_it() -> None:
    async def story(world: World) -> None:
        await world.broker.make_topics(TopicSpec(WIDE, 1, config=FOREVER))
        services = [_service(world, auto_offset_reset="latest") for _ in range(2)]
        seen: list[int] = []
        for service in services:
            await service.start(lambda station_id, given: seen.append(given["n"]))
        topic = _simulated(world).topics.get(WIDE)
        (log,) = topic.partitions
        topic.partitions.append(type(log)(WIDE, 1, log.config, producer_expiration_ms=10**9))
        await _send(world, WIDE, 2, 0, 6)
        await world.until(lambda: sorted(seen) == list(range(6)), within_s=900)
        for service in services:
            await service.stop()

    in_world(story)


def test_a_slow_handler_of_gaps_holds_nothing_up() -> None:
    async def story(world: World) -> None:
        told: list[GapCause] = []

        async def slow(gap: Any) -> None:
            await asyncio.sleep(3600)
            told.append(gap.cause)

        await world.send("A", 1.0)
        service = world.service(auto_offset_reset="latest", on_gap=slow, stop_timeout_seconds=7200)
        await service.start(world.callback)
        await world.send("A", 2.0, first_s=15)
        await world.until(lambda: world.calls == [("A", 2.0)])
        await service.stop()
        assert [GapCause.NO_COMMITTED_OFFSET] == told

    in_world(story)
