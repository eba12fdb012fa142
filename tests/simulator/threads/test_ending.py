"""What becomes of threads when their world ends, and that nothing of it is left."""

import asyncio
import atexit
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from station_sim.blocking import run_virtual_blocking
from station_sim.clock import VirtualLoop, run_virtual


@pytest.mark.parametrize("daemon", [True, False])
def test_threads_that_still_live_are_unwound(daemon: bool) -> None:
    ended: list[str] = []

    def linger() -> None:
        try:
            time.sleep(1000)
        finally:
            ended.append("unwound")

    def program() -> float:
        threading.Thread(target=linger, daemon=daemon).start()
        time.sleep(1)
        return time.monotonic()

    before = threading.enumerate()
    assert run_virtual_blocking(program) == pytest.approx(1, abs=0.001)
    assert ["unwound"] == ended
    assert before == threading.enumerate()


def test_they_say_nothing_meanwhile(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def program() -> None:
        condition = threading.Condition()

        def hold() -> None:
            with condition:
                condition.wait()

        for _ in range(3):
            threading.Thread(target=hold).start()
        pool = ThreadPoolExecutor(2)
        for _ in range(3):
            pool.submit(time.sleep, 1000)
        time.sleep(1)

    run_virtual_blocking(program)
    gc.collect()
    assert ("", "") == capsys.readouterr()
    assert [] == caplog.records


def test_a_thread_that_goes_on_waiting_is_told_of_and_left() -> None:
    told: list[str] = []

    def go_on() -> None:
        while True:
            try:
                time.sleep(1)
            except BaseException:
                continue

    async def program() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: told.append(context["message"])
        )
        threading.Thread(target=go_on, name="deaf").start()
        await asyncio.sleep(3)

    before = threading.enumerate()
    run_virtual(program)
    assert ["thread deaf catches SystemExit and would not end with its world"] == told
    assert before == threading.enumerate()


def test_the_interpreter_ends_for_threads_that_are_unwound_and_for_nobody_else() -> None:
    seen: list[bool] = []

    def wait() -> None:
        try:
            time.sleep(3600)
        except SystemExit:
            seen.append(sys.is_finalizing())

    async def program() -> None:
        threading.Thread(target=wait).start()
        await asyncio.sleep(1)
        seen.append(sys.is_finalizing())

    run_virtual(program)
    assert [False, True, False] == [*seen, sys.is_finalizing()]


def test_a_thread_whose_body_has_not_begun_is_dropped() -> None:
    ran: list[str] = []

    async def program() -> None:
        threading.Thread(target=ran.append, args=("ran",)).start()

    before = threading.enumerate()
    run_virtual(program)
    assert ran in ([], ["ran"])
    assert [] == [thread for thread in threading.enumerate() if thread not in before]


def test_exit_hooks_of_a_world_are_called_at_its_end() -> None:
    called: list[tuple[str, float]] = []

    def hook(word: str) -> None:
        time.sleep(5)
        called.append((word, round(time.monotonic())))

    def program() -> None:
        atexit.register(hook, "first")
        atexit.register(hook, "second")
        atexit.register(print)
        atexit.unregister(print)

    run_virtual_blocking(program)
    assert [("second", 5), ("first", 10)] == called


def test_names_and_identifiers_begin_anew_in_each_world() -> None:
    def program() -> list[object]:
        seen: list[object] = []
        for _ in range(2):
            thread = threading.Thread(target=lambda: seen.append(threading.get_ident()))
            seen.append(thread.name)
            thread.start()
            thread.join()
        with ThreadPoolExecutor() as pool:
            seen.append(pool.submit(lambda: threading.current_thread().name).result())
            seen.append(pool._max_workers)
        return seen

    threading.Thread(target=print)
    first = run_virtual_blocking(program)
    threading.Thread(target=print)
    assert first == run_virtual_blocking(program)
    assert ["Thread-1 (<lambda>)", 2] == first[:2]


def test_nothing_of_a_world_is_kept() -> None:
    class Thing:
        pass

    kept: list[weakref.ref[Thing]] = []

    def program() -> None:
        thing = Thing()
        kept.append(weakref.ref(thing))

        def linger(thing: Thing) -> None:
            local = threading.local()
            local.thing = thing
            time.sleep(1000)

        threading.Thread(target=linger, args=(thing,)).start()
        time.sleep(1)

    run_virtual_blocking(program)
    gc.collect()
    assert None is kept[0]()


def test_ctrl_c_in_a_thread_ends_the_world() -> None:
    program = """
import os, signal, threading, time
from station_sim.blocking import run_virtual_blocking
def spin():
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000): pass
    print("thread goes on", flush=True)
def main():
    threading.Thread(target=spin).start()
    try:
        time.sleep(10)
    finally:
        time.sleep(1)
        print("cleaned up at", round(time.monotonic()), flush=True)
try:
    run_virtual_blocking(main)
except KeyboardInterrupt:
    back = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    print("interrupted", threading.active_count(), back)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
        check=False,
    )
    assert "" == ended.stderr
    assert ["thread goes on", "cleaned up at 2", "interrupted 1 True"] == ended.stdout.splitlines()


def test_the_handler_of_ctrl_c_is_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    run_virtual_blocking(lambda: time.sleep(1))
    assert before is signal.getsignal(signal.SIGINT)


def test_threads_of_a_host_that_crashes_stay_where_they_are() -> None:
    said: list[str] = []

    def tick() -> None:
        try:
            while True:
                time.sleep(1)
                said.append("tick")
        finally:
            said.append(f"unwound at {round(time.monotonic())}")

    async def program() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        with loop.network.host("a"):
            threading.Thread(target=tick).start()
        await asyncio.sleep(2.6)
        loop.network.hosts.crash("a")
        await asyncio.sleep(10)
        assert ["tick", "tick"] == said

    run_virtual(program)
    assert ["tick", "tick", "unwound at 13"] == said
