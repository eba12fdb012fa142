"""What would stop a world is refused by name; what waits for ever is a deadlock by name."""

import asyncio
import logging
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from station_sim.blocking import run_virtual_blocking
from station_sim.clock import run_virtual
from station_sim.errors import DeadlockError, VirtualTimeError
from station_sim.threads import thread_module


def _join_a_sleeper() -> None:
    thread = threading.Thread(target=time.sleep, args=(5,))
    thread.start()
    thread.join()


def _take_what_a_sleeper_holds() -> None:
    lock = threading.Lock()

    def hold() -> None:
        with lock:
            time.sleep(5)

    thread = threading.Thread(target=hold)
    thread.start()
    while not lock.locked():
        thread.join(0)
        lock.acquire()
        lock.release()
    with lock:
        raise AssertionError("it is held")


BLOCKING: dict[str, Callable[[], object]] = {
    "time.sleep": lambda: time.sleep(1),
    "threading.Thread.join": _join_a_sleeper,
    "threading.Event.wait": lambda: threading.Event().wait(),
    "threading.Condition.wait": lambda: _wait_in(threading.Condition()),
    "threading.Barrier.wait": lambda: threading.Barrier(2).wait(),
    "queue.Queue.get": lambda: queue.Queue[int]().get(),
    "queue.SimpleQueue.get": lambda: queue.SimpleQueue[int]().get(),
    "concurrent.futures.Future.result": lambda: Future[int]().result(),
    "socket.create_connection": lambda: socket.create_connection(("kafka", 9092)),
    "socket.socket.recv": lambda: socket.socketpair()[0].recv(1),
}


def _wait_in(condition: threading.Condition) -> None:
    with condition:
        condition.wait()


@pytest.mark.parametrize("called", BLOCKING)
def test_a_blocking_call_of_a_coroutine_is_refused_by_name(
    called: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other threads of the process, such as those of pytest's workers, are kept out of it."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)

    async def call() -> None:
        BLOCKING[called]()

    with pytest.raises(VirtualTimeError, match=called.replace(".", r"\.") + ": .*(to_thread|asyn)"):
        run_virtual(call)


def test_what_ends_at_once_may_be_waited_for_by_a_coroutine() -> None:
    async def call() -> str:
        said: list[str] = []
        thread = threading.Thread(target=said.append, args=("said",))
        thread.start()
        thread.join()
        return said[0]

    assert "said" == run_virtual(call)


REFUSED: dict[str, Callable[[], object]] = {
    r"type=.*streams only": lambda: socket.socket(type=socket.SOCK_DGRAM),
    r"fileno=.*TLS": lambda: socket.socket(fileno=3),
    r"socket\.detach": lambda: socket.socket().detach(),
    r"socket\.dup": lambda: socket.socket().dup(),
    r"select: 0 is no socket": lambda: __import__("select").select([0], [], []),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_a_virtual_socket_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(VirtualTimeError, match=text):
        run_virtual_blocking(REFUSED[text])


def test_an_unknown_interpreter_is_told_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_module, "NEWEST_KNOWN", (3, 10))
    with pytest.raises(VirtualTimeError, match=r"threading\.Thread\.start: .* this is 3\.\d+: use"):
        run_virtual_blocking(print)


def test_without_greenlet_threads_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "greenlet", None)
    with pytest.raises(VirtualTimeError, match=r"needs the package greenlet .* station-lab\[sim\]"):
        run_virtual_blocking(print)
    assert 1.0 < run_virtual(lambda: _asleep(1.0))


async def _asleep(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return time.monotonic()


def test_a_coroutine_that_spins_is_told_that_time_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("station_sim.threads.scheduler.SPIN_READS_OF_LOOP", 200_000)

    async def spin() -> None:
        while time.monotonic() < 1:
            pass

    with pytest.raises(VirtualTimeError, match="time stands still"):
        run_virtual(spin)


def test_a_deadlock_names_threads_and_what_they_wait_for() -> None:
    def cross(one: threading.Lock, other: threading.Lock) -> None:
        with one:
            time.sleep(1)
            with other:
                raise AssertionError("no way to get here")

    def program() -> None:
        locks = threading.Lock(), threading.Lock()
        left = threading.Thread(target=cross, args=locks, name="left")
        right = threading.Thread(target=cross, args=locks[::-1], name="right")
        left.start()
        right.start()
        left.join()

    with pytest.raises(DeadlockError) as told:
        run_virtual_blocking(program)
    text = str(told.value)
    assert "thread left in test_a_deadlock_names" in text
    assert "waits for threading.Lock.acquire, held by thread right" in text
    assert "held by thread left" in text
    assert "thread main in " in text
    assert "waits for threading.Thread.join" in text
    assert "test_refusals.py:" in text


@pytest.mark.parametrize(
    ("called", "wait"),
    [
        ("queue.Queue.get", lambda: queue.Queue[int]().get()),
        ("queue.SimpleQueue.get", lambda: queue.SimpleQueue[int]().get()),
        ("threading.Event.wait", lambda: threading.Event().wait()),
        ("socket.socket.recv", lambda: socket.socketpair()[0].recv(1)),
        ("socket.socket.accept", lambda: socket.create_server(("", 0)).accept()),
    ],
)
def test_a_deadlock_names_the_call(called: str, wait: Callable[[], object]) -> None:
    with pytest.raises(DeadlockError, match=rf"thread main in .* waits for {called}"):
        run_virtual_blocking(wait)


def test_a_lock_held_since_before_the_world_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    for lock in (threading.Lock(), threading.RLock()):
        with lock, pytest.raises(VirtualTimeError, match="held since before this world"):
            run_virtual_blocking(lambda lock=lock: lock.acquire())
        assert lock.acquire(blocking=False)
        lock.release()


def test_a_lock_that_a_real_thread_holds_is_waited_for_in_real_time() -> None:
    lock, begun, end = threading.Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            begun.set()
            end.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    threading.Timer(0.05, end.set).start()

    def take() -> float:
        with lock:
            return time.monotonic()

    assert run_virtual_blocking(take) < 0.01
    thread.join()


def test_logging_goes_on_while_a_handler_waits(caplog: pytest.LogCaptureFixture) -> None:
    """A handler's lock was made before the world."""

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            time.sleep(1)
            heard.append((record.getMessage(), round(time.monotonic())))

    heard: list[tuple[str, int]] = []
    logger = logging.getLogger("tests.slow")
    handler = Slow()
    logger.addHandler(handler)

    def program() -> None:
        threads = [threading.Thread(target=logger.error, args=(word,)) for word in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    try:
        run_virtual_blocking(program)
    finally:
        logger.removeHandler(handler)
    assert [("a", 1), ("b", 2), ("c", 3)] == heard
