"""The virtual loop: time jumps, order is kept, deadlocks are named, the seed decides everything."""

import asyncio
import gc
import os
import random
import secrets
import subprocess
import sys
import time
import uuid

import pytest

from station_sim.clock import EPOCH_S, VirtualLoop, run_virtual
from station_sim.errors import DeadlockError, VirtualTimeError

SECONDS_PER_DAY = 86_400


def test_a_sleeping_program_costs_no_real_time() -> None:
    async def sleep_for_a_month() -> float:
        await asyncio.sleep(30 * SECONDS_PER_DAY)
        return asyncio.get_running_loop().time()

    assert run_virtual(sleep_for_a_month) == pytest.approx(30 * SECONDS_PER_DAY, abs=0.001)


def test_the_clocks_of_the_process_are_the_worlds() -> None:
    async def read() -> tuple[float, float, int, str]:
        await asyncio.sleep(3600)
        return (
            time.time(),
            time.monotonic(),
            time.time_ns(),
            time.strftime("%Y-%m-%d", time.gmtime()),
        )

    wall, monotonic, wall_ns, day = run_virtual(read)
    assert EPOCH_S + 3600 == pytest.approx(wall, abs=0.001)
    assert monotonic == pytest.approx(3600, abs=0.001)
    assert wall_ns / 1e9 == pytest.approx(wall, abs=0.001)
    assert day == "2026-02-28"


def test_everything_is_put_back_afterwards() -> None:
    before = (time.time, time.monotonic, os.urandom, random.getstate(), gc.isenabled())

    async def draw() -> None:
        random.random()

    run_virtual(draw)
    assert before == (time.time, time.monotonic, os.urandom, random.getstate(), gc.isenabled())


def test_everything_is_put_back_after_an_error() -> None:
    before = (time.time, os.urandom)

    async def fail() -> None:
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        run_virtual(fail)
    assert before == (time.time, os.urandom)


def test_timers_of_one_instant_run_in_the_order_in_which_they_were_set() -> None:
    async def set_many() -> list[int]:
        loop, ran = asyncio.get_running_loop(), []
        for number in range(200):
            loop.call_at(10.0, ran.append, number)
        await asyncio.sleep(11)
        return ran

    assert run_virtual(set_many) == list(range(200))


def test_a_client_that_polls_until_a_deadline_gets_there() -> None:
    async def poll() -> bool:
        deadline_s = time.monotonic() + 1e-4
        while time.monotonic() < deadline_s:
            await asyncio.sleep(0)
        return True

    assert run_virtual(poll)


def test_reading_the_clock_does_not_move_it() -> None:
    async def read() -> set[float]:
        return {time.monotonic() for _ in range(1000)}

    assert len(run_virtual(read)) == 1


def draws(seed: int) -> tuple[float, bytes, str, bytes]:
    async def draw() -> tuple[float, bytes, str, bytes]:
        return random.random(), os.urandom(8), str(uuid.uuid4()), secrets.token_bytes(4)

    return run_virtual(draw, seed=seed)


def test_the_seed_decides_randomness() -> None:
    assert draws(1) == draws(1)
    assert draws(1) != draws(2)


def test_a_deadlock_says_who_waits_for_what() -> None:
    async def forgotten_promise() -> None:
        await asyncio.get_running_loop().create_future()

    async def wait() -> None:
        await asyncio.create_task(forgotten_promise(), name="promise")

    with pytest.raises(DeadlockError, match=r"promise in .*forgotten_promise.* waits for Future"):
        run_virtual(wait)


def test_real_time_calls_raise_and_name_themselves() -> None:
    async def call(make) -> None:
        make()

    import fcntl
    import socket

    forbidden = {
        "time.sleep": lambda: time.sleep(0),
        "socket.create_connection": lambda: socket.create_connection(("localhost", 80)),
        "subprocess.Popen": lambda: subprocess.Popen(["true"]),
        "os.fork": lambda: os.fork(),
        "fcntl.flock": lambda: fcntl.flock(0, fcntl.LOCK_SH),
    }
    for name, make in forbidden.items():
        with pytest.raises(VirtualTimeError, match=name):
            run_virtual(lambda make=make: call(make))


def test_a_world_inside_a_running_loop_is_refused() -> None:
    async def nested() -> None:
        run_virtual(lambda: asyncio.sleep(0))

    with pytest.raises(VirtualTimeError, match="inside a running loop"):
        asyncio.run(nested())


def test_another_thread_keeps_real_time() -> None:
    """Only the world's own thread lives in virtual time."""
    import threading

    seen: list[float] = []
    begin, end = threading.Event(), threading.Event()

    def read() -> None:
        begin.wait(10)
        seen.append(time.time())
        end.set()

    thread = threading.Thread(target=read)
    thread.start()

    async def let_it_read() -> float:
        begin.set()
        end.wait(10)
        return time.time()

    before = time.time()
    virtual = run_virtual(let_it_read)
    thread.join()
    assert before <= seen[0] <= time.time()
    assert EPOCH_S == pytest.approx(virtual, abs=1)


def test_ctrl_c_lets_the_program_clean_up() -> None:
    cleaned: list[float] = []

    async def interrupted() -> None:
        asyncio.get_running_loop().call_later(5, interrupt)
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            cleaned.append(asyncio.get_running_loop().time())

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_virtual(interrupted)
    assert cleaned == [pytest.approx(6.0, abs=0.01)]


def test_tasks_that_end_the_program_leave_none_of_it_behind() -> None:
    ended: list[str] = []

    async def end(name: str) -> None:
        try:
            await asyncio.sleep(1)
        finally:
            ended.append(name)
            raise SystemExit(3)

    async def main() -> None:
        tasks = [asyncio.create_task(end(name)) for name in "abc"]
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(1)
            ended.append("main")
        assert tasks

    with pytest.raises(SystemExit):
        run_virtual(main, seed=1)
    assert ["a", "b", "c", "main"] == sorted(ended)


def test_tasks_left_behind_are_cancelled() -> None:
    ended: list[str] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("lingerer")

    async def leave_behind() -> None:
        asyncio.get_running_loop().create_task(linger(), name="lingerer")
        await asyncio.sleep(1)

    run_virtual(leave_behind)
    assert ended == ["lingerer"]


def test_the_program_is_the_same_in_another_process() -> None:
    program = (
        "import asyncio, random\n"
        "from station_sim.clock import run_virtual\n"
        "async def main():\n"
        "    got = []\n"
        "    for name in {'a', 'b', 'c'}: await asyncio.sleep(random.random())\n"
        "    return asyncio.get_running_loop().time(), random.random()\n"
        "print(run_virtual(main, seed=5))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in (1, 2)
    }
    assert len(outputs) == 1


def test_the_loop_is_closed_with_its_world() -> None:
    async def mine() -> VirtualLoop:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return loop

    assert run_virtual(mine).is_closed()
