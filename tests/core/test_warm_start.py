"""What a warm start fills windows with, and what it leaves alone."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from data_analysis import AsyncDataAnalysisService, DataAnalysisService
from tests.core import warm_story
from tests.core.world import DATA, World, in_world


def test_windows_are_filled_and_nobody_is_called_for_what_was_handled() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0, 3.0, 4.0, 5.0)
        service = world.service()
        await service.start(world.callback)
        await world.until(lambda: len(world.calls) == 5)
        await service.stop()
        seen: list[Any] = []
        again = world.service(warm_start=True)
        await again.start(lambda _, given: seen.append(given["totalPower_window"]))
        held = again.dispatcher.get_topic_window("A", DATA)
        assert [2.0, 3.0, 4.0, 5.0] == [point["totalPower"] for point in held]
        await world.send("A", 6.0, first_s=75)
        await world.until(lambda: bool(seen))
        await asyncio.sleep(10)
        await again.stop()
        assert [[3.0, 4.0, 5.0, 6.0]] == seen
        assert 6 == await world.committed()

    in_world(story)


def test_without_it_windows_begin_empty() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        for expected in ([1.0, 2.0], []):
            service = world.service()
            await service.start(lambda station_id, given: None)
            await asyncio.sleep(10)
            held = service.dispatcher.get_topic_window("A", DATA)
            assert expected == [point["totalPower"] for point in held]
            await service.stop()

    in_world(story)


ALL = list(warm_story.PARTITIONS)


def _tell(seed: int, topics: list[str], blocking: bool) -> None:
    async def story(world: World) -> None:
        def make(group: str, warm: bool) -> Any:
            options: dict[str, Any] = {
                "module_name": "m",
                "topics": topics,
                "config": warm_story.CONFIG,
                "upload_results": False,
                "data_expire_seconds": warm_story.EXPIRE_S,
                "warm_start": warm,
            }
            kafka = {
                "bootstrap_servers": [world.broker.bootstrap],
                "group_id": group,
                "auto_offset_reset": "earliest",
                "fetch_max_wait_ms": 10_000,
            }
            shell = DataAnalysisService if blocking else AsyncDataAnalysisService
            return shell(kafka_config=kafka, **options)

        async def call(method: Callable[[], Any]) -> Any:
            return await (asyncio.to_thread(method) if blocking else method())

        told = await warm_story.tell(world, seed, topics, make, call)
        steady, warm = told.windows(topics)
        assert len(steady) > len(topics)
        assert steady == warm
        if len(topics) == 1:
            assert told.seen_by_one == told.seen_by_other
        for service in told.services:
            await call(service.stop)

    in_world(story)


@pytest.mark.parametrize("seed", range(3))
def test_windows_are_those_of_a_service_that_never_stopped(seed: int) -> None:
    _tell(seed, ALL, blocking=False)


@pytest.mark.parametrize("topic", [topic for topic in ALL if topic != warm_story.DAYS])
def test_callbacks_get_what_those_of_a_service_that_never_stopped_get(topic: str) -> None:
    _tell(7, [topic], blocking=False)


def test_the_blocking_service_starts_as_warm() -> None:
    _tell(1, [warm_story.OWN, warm_story.SPREAD, warm_story.DAYS], blocking=True)
