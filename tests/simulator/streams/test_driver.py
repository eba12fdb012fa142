"""SimPy on the loop's clock, virtual and real."""

import asyncio
from collections.abc import Generator

import pytest
import simpy

from station_sim.clock import run_virtual
from station_sim.streams.driver import StoryClock, drive


def ticking(env: simpy.Environment, ticks: list[tuple[float, float]]) -> None:
    """Note (SimPy's time, the loop's time) every 0.7 s, twice."""

    def tick() -> Generator[simpy.Event, None, None]:
        while True:
            yield env.timeout(0.7)
            ticks.append((env.now, asyncio.get_running_loop().time()))

    env.process(tick())
    env.process(tick())


def test_events_come_when_their_story_time_has_come() -> None:
    async def story() -> None:
        env, ticks = simpy.Environment(), list[tuple[float, float]]()
        ticking(env, ticks)
        began = asyncio.get_running_loop().time()
        await drive(env, 100.0)
        assert 2 * 142 == len(ticks)
        for story_s, loop_s in ticks:
            assert story_s == pytest.approx(loop_s - began, abs=1e-3)
        assert 100.0 == env.now
        assert began + 100.0 == pytest.approx(asyncio.get_running_loop().time(), abs=1e-3)

    run_virtual(story, seed=1)


def test_driving_in_parts_is_driving_at_once() -> None:
    async def story(parts: list[float]) -> list[float]:
        env, ticks = simpy.Environment(), list[tuple[float, float]]()
        ticking(env, ticks)
        for until_s in parts:
            await drive(env, until_s)
        return [story_s for story_s, _ in ticks]

    whole = run_virtual(lambda: story([50.0]))
    assert whole == run_virtual(lambda: story([0.7, 1.4, 20.0, 20.0, 50.0]))


def test_an_event_at_the_end_belongs_to_the_next_part() -> None:
    async def story() -> int:
        env, ticks = simpy.Environment(), list[tuple[float, float]]()
        ticking(env, ticks)
        await drive(env, 0.7)
        return len(ticks)

    assert 0 == run_virtual(story)


def test_a_pace_shortens_real_time() -> None:
    async def story() -> None:
        env, ticks = simpy.Environment(), list[tuple[float, float]]()
        ticking(env, ticks)
        loop = asyncio.get_running_loop()
        clock = StoryClock(1000.0, pace=400.0)
        began = loop.time()
        await drive(env, 70.0, clock=clock)
        assert 2 * 99 <= len(ticks) <= 2 * 100
        assert loop.time() - began >= 70 / 400 - 0.01
        assert clock.story_s() >= 69.9
        assert clock.time() >= 1069.9

    asyncio.run(story())


def test_a_driver_that_lags_lets_others_run() -> None:
    async def story() -> None:
        env, ticks = simpy.Environment(), list[tuple[float, float]]()
        ticking(env, ticks)
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        await drive(env, 20_000.0, pace=1e9)
        task.cancel()
        assert turns >= 50

    asyncio.run(story())


@pytest.mark.parametrize("pace", [0.0, -1.0, float("inf"), float("nan")])
def test_an_impossible_pace_is_refused(pace: float) -> None:
    async def story() -> None:
        with pytest.raises(ValueError, match="pace must be finite and > 0"):
            StoryClock(0.0, pace)

    asyncio.run(story())
