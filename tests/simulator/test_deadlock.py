"""The text of a deadlock names tasks, places and what they wait for."""

import asyncio
import math

import pytest

from station_sim.clock import run_virtual
from station_sim.errors import DeadlockError


def test_it_names_the_innermost_place_of_our_own_code_and_what_it_called() -> None:
    async def take(queue: asyncio.Queue[int]) -> None:
        await queue.get()

    async def consume() -> None:
        await take(asyncio.Queue())

    async def story() -> None:
        await asyncio.create_task(consume(), name="consumer")

    with pytest.raises(DeadlockError) as told:
        run_virtual(story)
    text = str(told.value)
    assert "consumer in " in text
    assert "<locals>.take (test_deadlock.py:14) waits for Queue.get" in text
    assert "main in " in text
    assert "waits for task consumer" in text


@pytest.mark.parametrize("name", ["Lock", "Event", "Semaphore", "Condition"])
def test_it_names_what_is_waited_for(name: str) -> None:
    async def wait(kind: str) -> None:
        if kind == "Lock":
            lock = asyncio.Lock()
            await lock.acquire()
            await lock.acquire()
        elif kind == "Event":
            await asyncio.Event().wait()
        elif kind == "Semaphore":
            await asyncio.Semaphore(0).acquire()
        else:
            async with (condition := asyncio.Condition()):
                await condition.wait()

    with pytest.raises(DeadlockError, match=rf"waits for {name}\.(acquire|wait)"):
        run_virtual(lambda: wait(name))


def test_a_timer_that_never_comes_is_none() -> None:
    with pytest.raises(DeadlockError, match="waits for sleep"):
        run_virtual(lambda: asyncio.sleep(math.inf))


def test_it_does_not_hide_the_error_that_came_before() -> None:
    async def never_end() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.Event().wait()

    async def story() -> None:
        left_behind = asyncio.create_task(never_end(), name="left behind")
        await asyncio.sleep(1)
        raise ValueError(left_behind.get_name())

    with pytest.raises(ValueError, match="left behind") as told:
        run_virtual(story)
    assert "deadlock" in told.value.__notes__[0]
