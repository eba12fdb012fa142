"""Stations take turns in one task, and none waits for what another one waits for."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.core.world import OUTPUT, World, in_world

STATIONS = [f"S{number}" for number in range(150)]


async def _coroutine(act: Callable[[str], Any], station_id: str, module_input: Any) -> Any:
    return act(station_id)


def _plain(act: Callable[[str], Any], station_id: str, module_input: Any) -> Any:
    return act(station_id)


def _disguised(act: Callable[[str], Any], station_id: str, module_input: Any) -> Any:
    return _coroutine(act, station_id, module_input)


@pytest.mark.parametrize("kind", [_coroutine, _plain, _disguised])
def test_callbacks_that_wait_for_nothing_share_a_task(kind: Callable[..., Any]) -> None:
    async def story(world: World) -> None:
        for station in STATIONS:
            await world.send(station, 1.0)
        tasks: dict[Any, int] = {}

        def act(station_id: str) -> None:
            task = asyncio.current_task()
            tasks[task] = tasks.get(task, 0) + 1
            assert task is service.get_station_status()[station_id]["task"]

        service = world.service()
        await service.start(partial(kind, act))
        await world.until(lambda: service.engine.counters.records_finished == len(STATIONS))
        assert 0 == service.engine.counters.callback_errors
        assert len(STATIONS) / 10 > len(tasks)
        status = service.get_station_status()
        assert all(isinstance(each["task"], asyncio.Task) for each in status.values())
        await service.stop()
        assert len(STATIONS) == len(await world.sent(OUTPUT))

    in_world(story)


@pytest.mark.parametrize("waits_for", ["S149", "S1", "S75"])
def test_a_callback_may_wait_for_that_of_another_station(waits_for: str) -> None:
    async def story(world: World) -> None:
        for station in STATIONS:
            await world.send(station, 1.0, 2.0)
        come = asyncio.Event()

        async def callback(station_id: str, module_input: dict[str, Any]) -> None:
            if station_id == waits_for:
                come.set()
            elif station_id[-1] in "05":
                await come.wait()

        service = world.service()
        await service.start(callback)
        await world.until(lambda: service.engine.counters.records_finished == 2 * len(STATIONS))
        await service.stop()
        assert 2 * len(STATIONS) == await world.committed()

    in_world(story)


@pytest.mark.parametrize("threads", [True, False])
def test_while_some_wait_for_long_all_others_go_on(threads: bool) -> None:
    async def story(world: World) -> None:
        gate = asyncio.Event()
        done: list[str] = []

        async def callback(station_id: str, module_input: dict[str, Any]) -> None:
            if int(station_id[1:]) % 7 == 0:
                await gate.wait()
            done.append(station_id)

        service = world.service(run_callbacks_in="threads" if threads else "loop")
        await service.start(callback)
        for station in STATIONS:
            await world.send(station, 1.0)
        others = [station for station in STATIONS if int(station[1:]) % 7]
        await world.until(lambda: len(done) == len(others))
        assert sorted(others) == sorted(done)
        status = service.get_station_status()
        assert not status["S7"]["task"].done()
        gate.set()
        await world.until(lambda: service.engine.counters.records_finished == len(STATIONS))
        assert status["S7"]["task"].done()
        await service.stop()

    in_world(story)


class Odd(BaseException):
    """No Exception, as what some test libraries raise."""


@pytest.mark.parametrize("kind", [_coroutine, _plain, _disguised])
@pytest.mark.parametrize("error", [Odd, asyncio.CancelledError, ValueError])
def test_whatever_a_callback_raises_is_its_own_error(
    kind: Callable[..., Any], error: type[BaseException]
) -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        calls: list[str] = []

        def act(station_id: str) -> None:
            calls.append(station_id)
            if len(calls) == 1:
                raise error

        service = world.service()
        await service.start(partial(kind, act))
        await world.until(lambda: service.engine.counters.records_finished == 2)
        assert (1, 2) == (service.engine.counters.callback_errors, len(calls))
        assert service.health()["live"]
        await service.stop()
        assert 2 == await world.committed()

    in_world(story)


def test_a_station_is_removed_without_waiting_for_what_others_do() -> None:
    async def story(world: World) -> None:
        gate = asyncio.Event()

        async def callback(station_id: str, module_input: dict[str, Any]) -> None:
            if station_id == "waits":
                await gate.wait()

        service = world.service()
        await service.start(callback)
        await world.send("done", 1.0)
        await world.send("waits", 1.0)
        await world.until(lambda: service.engine.counters.callbacks_run == 1)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await service.remove_station("done")
        assert began == loop.time()
        removing = asyncio.create_task(service.remove_station("waits"))
        await asyncio.sleep(1)
        assert not removing.done()
        gate.set()
        await removing
        await service.stop()

    in_world(story)
