"""Multi-consumer mode: one consumer, group and quota per topic; what fails in one stays there."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from data_analysis import AsyncDataAnalysisService, AsyncKafkaConsumerClient, ConfigurationError
from station_sim.brokers import TopicSpec
from station_sim.kafka.error_codes import ErrorCode
from tests.core.world import GROUP, World, in_world, small_config

TOPICS = ("OWN-A", "OWN-B", "OWN-C")
MULTI = {"multi_consumer_mode": True}
FOREVER = {"retention.ms": "-1"}


def _in_wide_world(
    story: Callable[[World], Awaitable[None]], topics: tuple[str, ...] = TOPICS
) -> None:
    async def main(world: World) -> None:
        await world.broker.make_topics(*(TopicSpec(topic, 2, config=FOREVER) for topic in topics))
        await story(world)

    in_world(main)


def _service(world: World, *topics: str, **options: Any) -> AsyncDataAnalysisService:
    detail = {
        topic: {"fields": [f"n_{topic}"], "modules": ["m"], "window_size": 3}
        for topic in topics or TOPICS
    }
    kafka = {**MULTI, **options.pop("kafka", {})}
    given = {"config": small_config(TOPIC_DETAIL=detail), "upload_results": False, **options}
    return world.service(module_name="m", kafka=kafka, **given)


async def _send(world: World, topic: str, *numbers: int) -> None:
    for number in numbers:
        value = json.dumps({"stationId": f"{topic}{number % 2}", f"n_{topic}": number}).encode()
        await world.send_raw(topic, value)


def _note(seen: list[tuple[str, int]]) -> Callable[[str, dict[str, Any]], None]:
    return lambda station_id, given: seen.append((station_id, given[f"n_{station_id[:-1]}"]))


async def _committed(world: World, topic: str) -> int | None:
    found = (await world.broker.committed(f"{GROUP}-{topic}")).get((topic, 0))
    return None if found is None else found.offset


def test_each_topic_has_a_consumer_in_a_group_of_its_own() -> None:
    async def story(world: World) -> None:
        service = _service(world)
        assert dict.fromkeys(TOPICS) == service.consumer.get_consumer()
        seen: list[Any] = []
        for topic in TOPICS:
            await _send(world, topic, 1, 2)
        await service.start(_note(seen))
        consumers = service.consumer.get_consumer()
        assert list(TOPICS) == list(consumers)
        for topic, consumer in consumers.items():
            assert isinstance(consumer, AIOKafkaConsumer)
            assert f"{GROUP}-{topic}" == consumer._group_id
            assert {TopicPartition(topic, at) for at in range(2)} == consumer.assignment()
        await world.until(lambda: len(seen) == 6)
        await service.stop()
        assert [2, 2, 2] == [await _committed(world, topic) for topic in TOPICS]
        assert {} == await world.broker.committed(GROUP)

    _in_wide_world(story)


def test_one_topic_falls_back_to_a_single_consumer_and_works() -> None:
    async def story(world: World) -> None:
        service = _service(world, "OWN-A")
        seen: list[Any] = []
        await _send(world, "OWN-A", 1)
        await service.start(_note(seen))
        assert isinstance(service.consumer.get_consumer(), AIOKafkaConsumer)
        await world.until(lambda: len(seen) == 1)
        await service.stop()
        assert 1 == (await world.broker.committed(GROUP))[("OWN-A", 0)].offset

    _in_wide_world(story)


def test_without_the_mode_there_is_the_one_consumer() -> None:
    async def story(world: World) -> None:
        service = _service(world, kafka={"multi_consumer_mode": False})
        assert service.consumer.get_consumer() is None
        await service.start()
        assert GROUP == service.consumer.get_consumer()._group_id
        await service.stop()

    _in_wide_world(story)


def test_counts_per_topic_are_in_the_debug_log_word_for_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(world: World) -> None:
        service = _service(world)
        await _send(world, "OWN-A", 1, 2, 3)
        await _send(world, "OWN-C", 1)
        await service.start()
        await asyncio.sleep(12)
        await service.stop()

    with caplog.at_level(logging.DEBUG, "data_analysis"):
        _in_wide_world(story)
    lines = [line for line in caplog.messages if "多消费者" in line]
    assert "多消费者拉取统计 [OWN-A:3,OWN-B:0,OWN-C:1]" == lines[0]
    assert "多消费者拉取统计 [OWN-A:0,OWN-B:0,OWN-C:0]" == lines[1]


def test_a_topic_whose_group_is_refused_holds_no_other_up() -> None:
    async def story(world: World) -> None:
        seen: list[Any] = []
        for topic in TOPICS:
            await _send(world, topic, 1)
        service = _service(world)
        faults = world.broker.simulated.faults  # type: ignore[attr-defined]  # a virtual broker
        with faults.inject(
            "JoinGroup", group=f"{GROUP}-OWN-B", answer=ErrorCode.GROUP_AUTHORIZATION_FAILED
        ):
            await service.start(_note(seen))
            await world.until(lambda: len(seen) == 2)
            assert {"OWN-A1", "OWN-C1"} == {station for station, _ in seen}
            await _send(world, "OWN-A", 2)
            await world.until(lambda: len(seen) == 3)
            assert "degraded" == service.health()["status"]
            assert any("GroupAuthorization" in line for line in service.health()["trouble"])
            await asyncio.sleep(20)
            assert 2 == await _committed(world, "OWN-A")
        await world.until(lambda: ("OWN-B1", 1) in seen, within_s=300)
        await world.until(lambda: service.health()["status"] == "ok")
        await service.stop()

    _in_wide_world(story)


def test_a_topic_whose_work_hangs_takes_no_other_s_room() -> None:
    async def story(world: World) -> None:
        seen: list[Any] = []
        gate = asyncio.Event()

        async def hangs(station_id: str, given: dict[str, Any]) -> None:
            if station_id.startswith("OWN-A"):
                await gate.wait()
            seen.append(station_id)

        service = _service(world, max_pending_records=6)
        await service.start(hangs)
        await _send(world, "OWN-A", *range(50))
        await _send(world, "OWN-B", *range(20))
        await world.until(lambda: len(seen) == 20)
        assert 2 == service.engine.in_flight
        assert {"OWN-B0", "OWN-B1"} == set(seen)
        gate.set()
        await world.until(lambda: len(seen) == 70)
        await service.stop()
        assert [50, 20] == [await _committed(world, topic) for topic in TOPICS[:2]]

    _in_wide_world(story)


def test_a_commit_that_hangs_in_one_group_holds_no_other_up() -> None:
    async def story(world: World) -> None:
        seen: list[Any] = []
        service = _service(world)
        await service.start(_note(seen))
        faults = world.broker.simulated.faults  # type: ignore[attr-defined]  # a virtual broker
        with faults.inject("OffsetCommit", group=f"{GROUP}-OWN-A", delay_s=3600):
            await _send(world, "OWN-A", 1)
            await _send(world, "OWN-B", 1)
            await world.until(lambda: len(seen) == 2)
            await asyncio.sleep(8)
            assert [None, 1] == [
                (await _committed(world, topic)) or None for topic in ("OWN-A", "OWN-B")
            ]
            await _send(world, "OWN-B", 2)
            await asyncio.sleep(8)
            assert 2 == await _committed(world, "OWN-B")
        await asyncio.sleep(60)
        assert 1 == await _committed(world, "OWN-A")
        await service.stop()

    _in_wide_world(story)


def test_a_lost_position_is_found_again_per_consumer() -> None:
    async def story(world: World) -> None:
        seen: list[Any] = []
        for topic in TOPICS:
            await _send(world, topic, 1)
        first = _service(world)
        await first.start(_note(seen))
        await world.until(lambda: len(seen) == 3)
        await first.stop()
        await _send(world, "OWN-B", *range(2, 7))
        await world.broker.cut_head("OWN-B", 0, before_offset=4)
        service = _service(world)
        await service.start(_note(seen))
        await world.until(lambda: len(seen) == 5)
        (gap,) = world.gaps
        assert ("OWN-B", 1, 4) == (gap.topic, gap.start_offset, gap.end_offset)
        await service.stop()
        assert [1, 6, 1] == [await _committed(world, topic) for topic in TOPICS]

    _in_wide_world(story)


def test_members_share_each_topic_and_a_clean_rebalance_hands_nothing_over_twice() -> None:
    async def story(world: World) -> None:
        seen: list[Any] = []

        async def slow(station_id: str, given: dict[str, Any]) -> None:
            await asyncio.sleep(0.02)
            seen.append((station_id, given[f"n_{station_id[:-1]}"]))

        services = [_service(world), _service(world)]
        await services[0].start(slow)
        for number in range(30):
            for topic in TOPICS:
                await _send(world, topic, number)
            if number == 10:
                joining = asyncio.create_task(services[1].start(slow))
        await joining
        for topic in TOPICS:
            held = [
                len(service.consumer.get_consumer()[topic].assignment()) for service in services
            ]
            assert [1, 1] == held
        await world.until(lambda: len(set(seen)) == 90)
        await services[1].stop()
        await asyncio.sleep(20)
        assert 6 == len(services[0].consumer.assignment())
        await services[0].stop()
        assert 90 == len(seen)

    _in_wide_world(story)


def test_a_reload_adds_and_removes_consumers_and_leaves_the_others_alone() -> None:
    async def story(world: World) -> None:
        seen: list[Any] = []
        config = small_config(
            TOPIC_DETAIL={
                topic: {"fields": [f"n_{topic}"], "modules": ["m"], "window_size": 3}
                for topic in TOPICS
            }
        )
        service = _service(world, config=config)
        await service.start(_note(seen))
        stays = service.consumer.get_consumer()["OWN-A"]
        del config.TOPIC_DETAIL["OWN-C"]
        config.TOPIC_DETAIL["OWN-D"] = {"fields": ["n_OWN-D"], "modules": ["m"], "window_size": 3}
        service.reload_config()
        await _send(world, "OWN-D", 1)
        await _send(world, "OWN-A", 1)
        await _send(world, "OWN-C", 1)
        await world.until(lambda: len(seen) == 2)
        assert {"OWN-A1", "OWN-D1"} == {station for station, _ in seen}
        assert ["OWN-A", "OWN-B", "OWN-D"] == list(service.consumer.get_consumer())
        assert stays is service.consumer.get_consumer()["OWN-A"]
        await world.until(lambda: service.health()["status"] == "ok")
        for topic in ("OWN-B", "OWN-D"):
            del config.TOPIC_DETAIL[topic]
        with pytest.raises(ConfigurationError, match="restart the service"):
            service.reload_config()
        await service.stop()
        assert 1 == await _committed(world, "OWN-D")

    _in_wide_world(story, (*TOPICS, "OWN-D"))


def test_fewer_pending_records_than_topics_are_refused() -> None:
    async def story(world: World) -> None:
        with pytest.raises(ConfigurationError, match="max_pending_records must be >= 3"):
            _service(world, max_pending_records=2)

    in_world(story)


def test_the_client_alone_reads_every_topic_with_its_own_quota() -> None:
    async def story(world: World) -> None:
        for topic in TOPICS[:2]:
            await _send(world, topic, 1, 2, 3)
        config = {
            "bootstrap_servers": [world.broker.bootstrap],
            "group_id": "alone",
            "auto_offset_reset": "earliest",
            **MULTI,
        }
        client = AsyncKafkaConsumerClient(list(TOPICS), config)
        await client.start()
        assert [f"alone-{topic}" for topic in TOPICS] == [
            consumer._group_id for consumer in client.get_consumer().values()
        ]
        await asyncio.sleep(1)
        ones = {(await client.getone()).topic for _ in range(2)}
        assert {"OWN-A", "OWN-B"} == ones, "a topic with much does not hold the others back"
        records = []
        async with asyncio.timeout(30):
            while len(records) < 3:
                for batch in (await client.getmany(timeout_ms=500, max_records=1)).values():
                    assert 1 == len(batch)
                    records.extend(batch)
        await client.commit({TopicPartition("OWN-B", 0): (2, "")})
        await world.until(lambda: client.get_lag_info()["OWN-B"][0]["committed_offset"] == 2)
        assert 1 == client.get_lag_info()["OWN-B"][0]["lag"]
        await client.stop()

    _in_wide_world(story)
