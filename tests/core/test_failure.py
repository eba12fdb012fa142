"""An error that nobody has foreseen ends a service: one line, not live, nothing more committed."""

import asyncio
import logging
import threading
import time
from typing import Any

import pytest

from data_analysis import DataAnalysisError, DataAnalysisService
from tests.core.blocking_world import BlockingWorld, in_blocking_world
from tests.core.world import DATA, World, in_world

PLACES = ["received", "finished", "acknowledged_all", "handled", "taken"]
"""Methods of the engine, each called from a thread of its own kind."""


def _break(service: Any, place: str, error: BaseException | None = None) -> None:
    def broken(*arguments: Any) -> Any:
        raise error or KeyError("a bug")

    setattr(service.engine, place, broken)


def _started(
    world: BlockingWorld, place: str, error: BaseException | None = None
) -> DataAnalysisService:
    service = world.service(result_handler=lambda station_id, result: None)
    service.start(world.callback)
    world.send("A", 1.0)
    world.until(lambda: service.engine.counters.records_finished == 1)
    time.sleep(10)
    _break(service, place, error)
    world.send("A", 2.0, first_s=15)
    return service


@pytest.mark.parametrize("place", PLACES)
def test_it_ends_the_blocking_service_wherever_it_comes_up(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    def story(world: BlockingWorld) -> None:
        service = _started(world, place)
        world.until(lambda: not service.health()["live"])
        health = service.health()
        assert ("degraded", False) == (health["status"], health["ready"])
        assert health["reason"].startswith("the service has ended: ")
        assert health["reason"].endswith("met KeyError: 'a bug'")
        world.until(lambda: not service.get_service_status()["consumer_alive"])
        service.stop()
        service.stop()
        assert ("stopped", True) == (service.health()["status"], service.health()["live"])
        assert 1 == world.committed()
        again = world.service()
        again.start(world.callback)
        world.until(lambda: again.engine.counters.records_finished == 1)
        again.stop()
        assert 2 == world.committed()

    in_blocking_world(story)
    lines = [each for each in caplog.records if each.levelno == logging.CRITICAL]
    assert 1 == len(lines)
    assert lines[0].getMessage().startswith("the service has ended: ")
    assert lines[0].exc_info is not None


@pytest.mark.parametrize("place", PLACES)
def test_in_a_thread_what_is_no_exception_is_like_one(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    def story(world: BlockingWorld) -> None:
        service = _started(world, place, SystemExit("a bug"))
        world.until(lambda: not service.health()["live"])
        assert service.health()["reason"].endswith("met SystemExit: a bug")
        service.stop()
        assert 1 == world.committed()

    in_blocking_world(story)
    assert [logging.CRITICAL] == [each.levelno for each in caplog.records if each.levelno >= 50]


def test_a_world_that_ends_is_no_failure_and_ends_its_callbacks() -> None:
    began: list[str] = []
    unwound: list[type[BaseException]] = []
    services: list[DataAnalysisService] = []

    def story(world: BlockingWorld) -> None:
        def waits(station_id: str, module_input: dict[str, Any]) -> None:
            began.append(station_id)
            try:
                time.sleep(3600)
            except BaseException as error:
                unwound.append(type(error))
                raise

        services.append(world.service(on_callback_error="retry", callback_retries=5))
        services[0].start(waits)
        world.send("A", 1.0, 2.0)
        world.until(lambda: began == ["A"])

    in_blocking_world(story)
    assert (["A"], 1) == (began, len(unwound))
    assert 0 == services[0].engine.counters.callback_errors


def test_in_the_foreground_start_raises_it() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        _break(service, "received")
        world.send("A", 1.0)
        with pytest.raises(DataAnalysisError, match="the service has ended: polling met KeyError"):
            service.start(world.callback, background=False)
        assert "stopped" == service.health()["status"]

    in_blocking_world(story)


def test_in_the_foreground_start_ends_even_if_closing_fails_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        member = service.consumer.members[0]
        close = member.close

        def closes_badly() -> None:
            close()
            raise KeyError("another bug")

        monkeypatch.setattr(member, "close", closes_badly)
        monkeypatch.setattr(threading, "excepthook", lambda told: None)
        _break(service, "received")
        world.send("A", 1.0)
        with pytest.raises(DataAnalysisError, match="the service has ended: polling met KeyError"):
            service.start(world.callback, background=False)

    in_blocking_world(story)


def test_while_positions_are_found_it_is_what_start_raises() -> None:
    def story(world: BlockingWorld) -> None:
        service = world.service()
        _break(service, "assigned")
        world.send("A", 1.0)
        with pytest.raises(DataAnalysisError, match=r"the service has ended: .* KeyError: 'a bug'"):
            service.start(world.callback)
        assert [] == world.calls
        assert "stopped" == service.health()["status"]

    in_blocking_world(story)


def test_amid_a_rebalance_it_ends_the_service_and_the_others_go_on() -> None:
    def story(world: BlockingWorld) -> None:
        world.make_wide(2)
        first, second = world.wide_service(), world.wide_service()
        first.start(lambda station_id, given: None)
        _break(first, "revoked")
        second.start(lambda station_id, given: None)
        world.until(lambda: not first.health()["live"])
        world.until(lambda: len(second.consumer.assignment()) == 2)
        first.stop()
        assert second.health()["ready"]
        second.stop()

    in_blocking_world(story)


def test_a_callback_s_error_is_not_that() -> None:
    def story(world: BlockingWorld) -> None:
        def fails(station_id: str, module_input: dict[str, Any]) -> None:
            raise KeyError("no model")

        service = world.service()
        service.start(fails)
        world.send("A", 1.0)
        world.until(lambda: service.engine.counters.callback_errors == 1)
        assert service.health()["ready"]
        service.stop()
        assert 1 == world.committed(DATA)

    in_blocking_world(story)


# The asynchronous service.


@pytest.mark.parametrize("place", PLACES)
def test_it_ends_the_asynchronous_service_wherever_it_comes_up(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(world: World) -> None:
        service = world.service(result_handler=lambda station_id, result: None)
        await service.start(world.callback)
        await world.send("A", 1.0)
        await world.until(lambda: service.engine.counters.records_finished == 1)
        await asyncio.sleep(10)
        _break(service, place)
        await world.send("A", 2.0, first_s=15)
        await world.until(lambda: not service.health()["live"])
        health = service.health()
        assert ("degraded", False) == (health["status"], health["ready"])
        assert health["reason"].startswith("the service has ended: ")
        assert health["reason"].endswith("met KeyError: 'a bug'")
        await world.until(lambda: not service.get_service_status()["consumer_alive"])
        await service.stop()
        await service.stop()
        assert ("stopped", True) == (service.health()["status"], service.health()["live"])
        assert 1 == await world.committed()
        again = world.service()
        await again.start(world.callback)
        await world.until(lambda: again.engine.counters.records_finished == 1)
        await again.stop()
        assert 2 == await world.committed()

    in_world(story)
    lines = [each for each in caplog.records if each.levelno == logging.CRITICAL]
    assert 1 == len(lines)
    assert lines[0].getMessage().startswith("the service has ended: ")


def test_while_positions_are_found_it_is_what_the_asynchronous_start_raises() -> None:
    async def story(world: World) -> None:
        service = world.service()
        _break(service, "assigned")
        with pytest.raises(DataAnalysisError, match=r"the service has ended: .* KeyError: 'a bug'"):
            await service.start(world.callback)
        assert "stopped" == service.health()["status"]

    in_world(story)
