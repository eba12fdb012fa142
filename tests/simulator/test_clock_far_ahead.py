"""However late it is, time moves on, timers keep their order, and cancelled ones take no room."""

import asyncio
import math
import time

import pytest

from station_sim.clock import CANCELLED_TIMERS_KEPT, VirtualLoop, run_virtual

YEAR_S = 365 * 86_400


@pytest.mark.parametrize("years", [0.6, 10, 40, 100])
def test_clients_that_poll_get_to_their_deadlines(years: float) -> None:
    async def poll() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(years * YEAR_S)
        by_loop = by_wall = 0
        deadline = loop.time() + 1e-5
        while loop.time() < deadline:
            await asyncio.sleep(0)
            by_loop += 1
        wall_deadline = time.time() + 1e-5
        while time.time() < wall_deadline:
            await asyncio.sleep(0)
            by_wall += 1
        return by_loop, by_wall

    assert all(1 <= turns <= 200 for turns in run_virtual(poll))


@pytest.mark.parametrize("years", [0.6, 10, 40, 100])
def test_timers_run_at_their_time_and_equal_ones_in_order(years: float) -> None:
    async def set_timers() -> tuple[list[int], float]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(years * YEAR_S)
        due = loop.time() + 1
        order: list[int] = []
        late: list[float] = []
        for number in range(5):
            loop.call_at(due, order.append, number)
        loop.call_at(due, lambda: late.append(loop.time() - due))
        await asyncio.sleep(2)
        return order, late[0]

    assert ([0, 1, 2, 3, 4], 0.0) == run_virtual(set_timers)


def test_cancelled_timers_take_no_room() -> None:
    async def set_and_cancel() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        largest = 0
        for _ in range(50):
            for _ in range(1000):
                loop.call_later(500, print).cancel()
            await asyncio.sleep(0)
            largest = max(largest, len(loop._timers))
        return largest

    assert run_virtual(set_and_cancel) <= CANCELLED_TIMERS_KEPT + 1000


def test_a_deadline_in_the_past_is_now() -> None:
    async def set_timer() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(100)
        done = loop.create_future()
        loop.call_at(3, done.set_result, None)
        await done
        return loop.time()

    assert run_virtual(set_timer) == pytest.approx(100, abs=1e-5)


def test_a_deadline_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="nan"):
        run_virtual(lambda: asyncio.sleep(math.nan))


def test_debug_mode_changes_no_time() -> None:
    async def story() -> float:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            await asyncio.gather(*map(asyncio.sleep, (1, 2, 3)))
        return loop.time()

    async def story_in_debug_mode() -> float:
        asyncio.get_running_loop().set_debug(True)
        return await story()

    assert run_virtual(story) == run_virtual(story_in_debug_mode)
