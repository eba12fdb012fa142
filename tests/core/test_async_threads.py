"""Callbacks in threads, and callbacks that hold the loop."""

import asyncio
import functools
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from data_analysis import ConfigurationError
from data_analysis.async_threads import CallbackThreads, TimedSteps
from data_analysis.callbacks import is_coroutine_function
from data_analysis.clock import SystemClock
from data_analysis.handover import SECONDS_AT_ONCE
from station_sim.brokers import TopicSpec, open_broker
from tests.core.world import CALENDAR, DATA, OUTPUT, World, in_world

WITHIN_S = 60.0


def _in_real_world(story: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_broker("embedded") as broker:
            await broker.make_topics(*(TopicSpec(topic, 1) for topic in (DATA, CALENDAR, OUTPUT)))
            producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
            await producer.start()
            try:
                async with asyncio.timeout(WITHIN_S):
                    await story(World(broker, producer))
            finally:
                await producer.stop()

    asyncio.run(main())


def test_a_callback_that_blocks_holds_up_its_own_station_alone() -> None:
    async def story(world: World) -> None:
        gate = threading.Event()
        running: dict[str, int] = {}
        most: dict[str, int] = {}
        threads: set[str] = set()

        def blocks(station_id: str, given: dict[str, Any]) -> dict[str, Any]:
            running[station_id] = running.get(station_id, 0) + 1
            most[station_id] = max(most.get(station_id, 0), running[station_id])
            threads.add(threading.current_thread().name)
            if station_id == "A":
                assert gate.wait(WITHIN_S)
            running[station_id] -= 1
            return {"power": given["totalPower"]}

        handled: list[tuple[str, bool]] = []
        service = world.service(
            run_callbacks_in="threads",
            max_workers=2,
            result_handler=lambda station_id, result: handled.append(
                (station_id, threading.current_thread() is threading.main_thread())
            ),
        )
        await service.start(blocks)
        await world.send("A", 1.0, 2.0)
        await world.send("B", 3.0, 4.0, 5.0)
        await world.until(lambda: len(handled) == 3)
        assert {"B"} == {station for station, _ in handled}
        gate.set()
        await world.until(lambda: len(handled) == 5)
        await service.stop()
        assert {False} == {on_main for _, on_main in handled}
        assert {"A": 1, "B": 1} == most
        assert 2 >= len(threads)
        assert all(name.startswith("data-analysis-callback") for name in threads)
        assert 5 == await world.committed()

    _in_real_world(story)


def test_coroutine_functions_stay_on_the_loop_and_errors_are_counted() -> None:
    async def story(world: World) -> None:
        on_main: list[bool] = []

        async def asks(station_id: str, given: dict[str, Any]) -> None:
            on_main.append(threading.current_thread() is threading.main_thread())
            await asyncio.sleep(0)

        def fails(station_id: str, given: dict[str, Any]) -> None:
            raise StopIteration("like anything")

        service = world.service(run_callbacks_in="threads", upload_results=False)
        await service.add_station("B", fails)
        await service.start(asks)
        await world.send("A", 1.0)
        await world.send("B", 1.0)
        await world.until(lambda: service.engine.counters.records_finished == 2)
        await service.stop()
        assert [True] == on_main
        assert 1 == service.engine.counters.callback_errors

    _in_real_world(story)


@pytest.mark.parametrize(
    "error",
    [SystemExit(3), GeneratorExit(), asyncio.CancelledError(), pytest.fail.Exception("no model")],
    ids=lambda error: type(error).__name__,
)
def test_what_is_raised_in_a_thread_is_an_error_whatever_it_is(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(world: World) -> None:
        tries: list[float] = []

        def fails_once(station_id: str, given: dict[str, Any]) -> dict[str, float]:
            tries.append(given["totalPower"])
            if len(tries) == 1:
                raise error
            return {"power": tries[-1]}

        def handler(station_id: str, result: Any) -> None:
            raise error

        service = world.service(run_callbacks_in="threads", result_handler=handler)
        await service.start(fails_once)
        await world.send("A", 1.0, 2.0)
        counters = service.engine.counters
        await world.until(lambda: counters.records_finished == 2)
        await service.stop()
        assert [1.0, 2.0] == tries
        assert (1, 1) == (counters.callback_errors, counters.handler_errors)
        assert 2 == await world.committed()

    in_world(story)
    assert 1 == caplog.text.count("callback failed for station A")
    assert 2 <= caplog.text.count(type(error).__name__)


def test_stop_does_not_wait_for_a_thread_beyond_its_limit() -> None:
    async def story(world: World) -> None:
        gate = threading.Event()
        service = world.service(run_callbacks_in="threads", stop_timeout_seconds=0.2)
        await service.start(lambda station_id, given: gate.wait(WITHIN_S))
        await world.send("A", 1.0)
        await world.until(lambda: service.engine.in_flight == 1)
        began = time.monotonic()
        await service.stop()
        assert 10 > time.monotonic() - began
        gate.set()
        assert {} == {tp: at for tp, at in (await _commits(world)).items() if at}

    _in_real_world(story)


async def _commits(world: World) -> dict[Any, int]:
    return {
        tp: found.offset for tp, found in (await world.broker.committed("service-tests")).items()
    }


class _AsyncObject:
    async def __call__(self) -> None:
        """Be a coroutine function of sorts."""


async def _coroutine() -> None:
    """Be a coroutine function."""


def test_what_counts_as_a_coroutine_function() -> None:
    assert is_coroutine_function(_coroutine)
    assert is_coroutine_function(functools.partial(_coroutine))
    assert is_coroutine_function(_AsyncObject())
    assert not is_coroutine_function(print)
    assert not is_coroutine_function(lambda: _coroutine())


def test_what_a_function_in_a_thread_makes_is_awaited_by_the_caller() -> None:
    async def main() -> None:
        threads = CallbackThreads(1)
        made = await threads.call(lambda: _coroutine())
        assert asyncio.iscoroutine(made)
        await made
        threads.close()

    asyncio.run(main())


# Callbacks on the loop.


class _Clock(SystemClock):
    """A clock that computing may move."""

    passed_s = 0.0

    def monotonic(self) -> float:
        """Return the time with what was computed."""
        return super().monotonic() + self.passed_s


def test_a_callback_that_holds_the_loop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        clock = _Clock()

        def plain(station_id: str, given: dict[str, Any]) -> None:
            clock.passed_s += given["totalPower"]

        async def between_waits(station_id: str, given: dict[str, Any]) -> None:
            await asyncio.sleep(30)
            clock.passed_s += given["totalPower"]
            await asyncio.sleep(30)

        service = world.service(clock=clock, callback_stall_seconds=2, upload_results=False)
        await service.add_station("plain", plain)
        await service.add_station("async", between_waits)
        await service.start()
        for station in ("plain", "async"):
            await world.send(station, 1.5, 2.5)
        await world.until(lambda: service.engine.counters.records_finished == 4, within_s=300)
        await service.stop()

    in_world(story)
    lines = [line for line in caplog.messages if "held the event loop" in line]
    assert ["plain", "async"] == [line.split("station ")[1].split()[0] for line in lines]
    assert all("for 2.5 s" in line and "run_callbacks_in='threads'" in line for line in lines)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("turns", [False, True])
def test_callbacks_that_take_long_leave_the_loop_to_others(turns: bool, fails: bool) -> None:
    async def story(world: World) -> None:
        for number in range(20):
            await world.send(f"S{number}", 1.0)
        clock, called = _Clock(), [0]

        def slow(station_id: str, given: dict[str, Any]) -> None:
            clock.passed_s += 0.6 * SECONDS_AT_ONCE
            if not called[-1]:
                asyncio.get_running_loop().call_soon(called.append, 0)
            called[-1] += 1
            if fails:
                raise ValueError("no model")

        service = world.service(clock=clock)
        await service.start(slow, (lambda *_: None) if turns else None)
        await world.until(lambda: service.engine.counters.records_finished == 20)
        await service.stop()
        assert 20 == sum(called)
        assert 2 == max(called)

    in_world(story)


def test_timed_steps_pass_everything_on() -> None:
    async def raises() -> None:
        await asyncio.sleep(0)
        raise ValueError("no model")

    async def is_cancelled() -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "cleaned up"
        return "never"

    async def times_out() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(3600)

    async def main() -> None:
        clock = SystemClock()
        with pytest.raises(ValueError, match="no model"):
            await TimedSteps(raises(), clock)
        with pytest.raises(TimeoutError):
            await TimedSteps(times_out(), clock)

        async def wait() -> str:
            return str(await TimedSteps(is_cancelled(), clock))

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        assert "cleaned up" == await task

    asyncio.run(main())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"run_callbacks_in": "processes"}, "run_callbacks_in must be one of 'loop', 'threads'"),
        ({"max_workers": 0}, "max_workers must be an integer >= 1"),
        ({"callback_stall_seconds": 0}, "callback_stall_seconds must be a number > 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    async def story(world: World) -> None:
        with pytest.raises(ConfigurationError, match=words):
            world.service(**options)

    in_world(story)
