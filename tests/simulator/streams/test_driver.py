"""Records by the loop's clock, virtual and real."""

import asyncio
from collections.abc import Iterator

import pytest

from station_sim.clock import run_virtual
from station_sim.streams.driver import RecordDriver, StoryClock
from station_sim.streams.record import Record


def ticking(every_ms: int = 700) -> Iterator[Record]:
    """Two records each 0.7 s, without end."""
    at_ms = 0
    while True:
        at_ms += every_ms
        for key in ("a", "b"):
            yield Record(at_ms, at_ms, "T", key, b"{}", at_ms, (key,))


def driving(clock: StoryClock) -> tuple[RecordDriver, list[tuple[float, float]]]:
    """A driver, and (story's time, loop's time) of what it handed over."""
    ticks: list[tuple[float, float]] = []

    def note(record: Record) -> None:
        ticks.append((record.due_ms / 1000, asyncio.get_running_loop().time()))

    return RecordDriver(ticking(), clock, note), ticks


def test_records_come_when_their_story_time_has_come() -> None:
    async def story() -> None:
        began = asyncio.get_running_loop().time()
        driver, ticks = driving(StoryClock(0.0))
        await driver.drive(100.0)
        assert 2 * 142 == len(ticks)
        for story_s, loop_s in ticks:
            assert story_s == pytest.approx(loop_s - began, abs=1e-3)
        assert 100.0 == driver.now_s
        assert began + 100.0 == pytest.approx(asyncio.get_running_loop().time(), abs=1e-3)

    run_virtual(story, seed=1)


def test_driving_in_parts_is_driving_at_once() -> None:
    async def story(parts: list[float]) -> list[float]:
        driver, ticks = driving(StoryClock(0.0))
        for until_s in parts:
            await driver.drive(until_s)
        return [story_s for story_s, _ in ticks]

    whole = run_virtual(lambda: story([50.0]))
    assert whole == run_virtual(lambda: story([0.7, 1.4, 20.0, 20.0, 50.0]))


def test_a_record_at_the_end_belongs_to_the_next_part() -> None:
    async def story() -> int:
        driver, ticks = driving(StoryClock(0.0))
        await driver.drive(0.7)
        return len(ticks)

    assert 0 == run_virtual(story)


def test_records_that_end_leave_time_to_pass() -> None:
    async def story() -> float:
        driver = RecordDriver(iter(()), StoryClock(0.0), print)
        await driver.drive(5.0)
        return driver.now_s

    assert 5.0 == run_virtual(story)


def test_a_pace_shortens_real_time() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        clock = StoryClock(1000.0, pace=400.0)
        driver, ticks = driving(clock)
        began = loop.time()
        await driver.drive(70.0)
        assert 2 * 99 <= len(ticks) <= 2 * 100
        assert loop.time() - began >= 70 / 400 - 0.01
        assert clock.story_s() >= 69.9
        assert clock.time() >= 1069.9

    asyncio.run(story())


def test_a_driver_that_lags_lets_others_run() -> None:
    async def story() -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        driver, _ = driving(StoryClock(0.0, pace=1e9))
        await driver.drive(20_000.0)
        task.cancel()
        assert turns >= 50

    asyncio.run(story())


@pytest.mark.parametrize("pace", [0.0, -1.0, float("inf"), float("nan")])
def test_an_impossible_pace_is_refused(pace: float) -> None:
    async def story() -> None:
        with pytest.raises(ValueError, match="pace must be finite and > 0"):
            StoryClock(0.0, pace)

    asyncio.run(story())
