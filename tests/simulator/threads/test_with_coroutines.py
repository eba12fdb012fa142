"""Threads and coroutines of one world work together through asyncio's own ways."""

import asyncio
import contextvars
import queue
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from station_sim.blocking import run_virtual_blocking
from station_sim.clock import VirtualLoop, run_virtual

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


def virtual_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def test_blocking_work_takes_its_time_and_lets_others_run() -> None:
    async def program() -> tuple[list[float], float]:
        ticks: list[float] = []

        async def tick() -> None:
            while True:
                await asyncio.sleep(10)
                ticks.append(round(time.monotonic()))

        ticking = asyncio.create_task(tick())
        await asyncio.to_thread(time.sleep, 35)
        ticking.cancel()
        return ticks, time.monotonic()

    ticks, end = run_virtual(program)
    assert [10, 20, 30] == ticks
    assert end == pytest.approx(35, abs=0.001)


def test_a_pool_of_ones_own_runs_for_the_loop() -> None:
    async def program() -> list[str]:
        with ThreadPoolExecutor(2, thread_name_prefix="mine") as pool:
            loop = asyncio.get_running_loop()
            calls = [loop.run_in_executor(pool, _named_after, delay) for delay in (3, 1, 1)]
            return list(await asyncio.gather(*calls))

    assert ["mine_0", "mine_1", "mine_1"] == run_virtual(program)


def _named_after(seconds: float) -> str:
    time.sleep(seconds)
    return threading.current_thread().name


def test_an_error_comes_back_from_a_thread() -> None:
    async def program() -> None:
        await asyncio.to_thread(int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        run_virtual(program)
    with pytest.raises(ValueError, match="invalid literal"):
        run_virtual_blocking(lambda: int("x"))


def test_a_thread_asks_the_loop() -> None:
    async def answer(question: int) -> int:
        await asyncio.sleep(question)
        return question + 1

    async def program() -> tuple[int, list[str], float]:
        loop = asyncio.get_running_loop()
        called: list[str] = []

        def ask() -> int:
            loop.call_soon_threadsafe(called.append, "called")
            return asyncio.run_coroutine_threadsafe(answer(5), loop).result(timeout=100)

        return await asyncio.to_thread(ask), called, time.monotonic()

    answered, called, end = run_virtual(program)
    assert 6 == answered
    assert ["called"] == called
    assert end == pytest.approx(5, abs=0.001)


def test_a_thread_sees_no_running_loop() -> None:
    def look() -> str:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        time.sleep(1)
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return "looked"

    async def program() -> str:
        looked = await asyncio.to_thread(look)
        assert asyncio.get_running_loop().is_running()
        return looked

    assert "looked" == run_virtual(program)


def test_to_thread_takes_the_context_along_and_a_thread_its_host_only() -> None:
    async def program() -> list[tuple[str, str]]:
        seen: list[tuple[str, str]] = []
        VARIABLE.set("outer")

        def look() -> None:
            seen.append((VARIABLE.get(), socket.gethostname()))

        with virtual_loop().network.host("service-1"):
            await asyncio.to_thread(look)
            thread = threading.Thread(
                target=lambda: seen.append((VARIABLE.get(), socket.gethostname()))
            )
            thread.start()
            await asyncio.to_thread(thread.join)
        return seen

    assert [("outer", "service-1"), ("unset", "service-1")] == run_virtual(program)


def test_coroutines_put_and_threads_get() -> None:
    async def program() -> list[tuple[int, float]]:
        words: queue.Queue[int] = queue.Queue()
        got: list[tuple[int, float]] = []
        thread = threading.Thread(
            target=lambda: [got.append((words.get(), time.monotonic())) for _ in range(3)]
        )
        thread.start()
        for word in range(3):
            await asyncio.sleep(10)
            words.put(word)
        await asyncio.to_thread(thread.join)
        return got

    assert [(0, 10), (1, 20), (2, 30)] == [(word, round(at)) for word, at in run_virtual(program)]


def test_who_is_woken_at_one_instant_runs_in_the_order_of_waiting() -> None:
    def program() -> tuple[list[int], list[int]]:
        slept: list[int] = []
        woken: list[int] = []
        event = threading.Event()

        def work(number: int) -> None:
            time.sleep(5)
            slept.append(number)
            event.wait()
            woken.append(number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        time.sleep(10)
        event.set()
        for thread in threads:
            thread.join()
        return slept, woken

    assert (list(range(20)), list(range(20))) == run_virtual_blocking(program)


def test_a_lock_goes_to_who_waited_first() -> None:
    def program() -> list[int]:
        lock, order = threading.Lock(), []

        def work(number: int) -> None:
            for _ in range(3):
                with lock:
                    order.append(number)
                    time.sleep(1)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return order

    assert [0, 1, 2] * 3 == run_virtual_blocking(program)


def test_the_network_connects_hosts_of_threads() -> None:
    async def program() -> tuple[str, float]:
        network = virtual_loop().network

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            host = writer.get_extra_info("peername")[0]
            writer.write(f"{host} said {(await reader.readline()).decode()}".encode())
            writer.close()

        def ask() -> str:
            assert "asker" == socket.gethostname()
            with socket.create_connection(("server", 80)) as asking:
                asking.sendall(b"hello\n")
                return asking.makefile().read()

        with network.host("server"):
            await asyncio.start_server(serve, port=80)
        network.hold("asker", "server")
        asyncio.get_running_loop().call_later(60, network.release, "asker", "server")
        with network.host("asker"):
            return await asyncio.to_thread(ask), time.monotonic()

    said, at = run_virtual(program)
    assert "asker said hello\n" == said
    assert at == pytest.approx(60, abs=0.1)


def test_switching_keeps_the_depth_of_recursion() -> None:
    def depth() -> int:
        try:
            return 1 + depth()
        except RecursionError:
            return 0

    def deep(levels: int) -> None:
        if levels:
            deep(levels - 1)
        else:
            time.sleep(1)
            compile("[" * 50 + "]" * 50, "nested", "eval")

    async def program() -> tuple[int, int, int]:
        before = depth()
        threads = [threading.Thread(target=deep, args=(10 * number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        inside = await asyncio.to_thread(lambda: (time.sleep(2), depth())[1])
        for thread in threads:
            await asyncio.to_thread(thread.join)
        return before, inside, depth()

    before, inside, after = run_virtual(program)
    assert before == after
    assert inside > 0.8 * before
