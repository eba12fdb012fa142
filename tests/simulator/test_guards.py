"""What waits, acts or locks in real time raises inside a virtual world and names the call."""

import concurrent.futures
import fcntl
import multiprocessing
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from time import sleep as imported_sleep

import pytest

from station_sim.clock import run_virtual
from station_sim.errors import VirtualTimeError


def _spawn_process() -> None:
    multiprocessing.get_context("spawn").Process(target=print).start()


def _submit_to_processes() -> None:
    concurrent.futures.ProcessPoolExecutor(1).submit(print)


REFUSED: dict[str, Callable[[], object]] = {
    "time.sleep": lambda: time.sleep(1),
    "time.sleep ": lambda: imported_sleep(1),
    "socket.create_connection": lambda: socket.create_connection(("localhost", 9092)),
    "select.select": lambda: select.select([socket.socket()], [], [], 0.01),
    "select.epoll": lambda: select.epoll(),
    "subprocess.Popen": lambda: subprocess.run(["true"], check=True),
    "subprocess.Popen ": lambda: os.popen("true"),
    "multiprocessing.Process.start": _spawn_process,
    "multiprocessing.Process.start ": _submit_to_processes,
    "os.posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "os.waitpid": lambda: os.waitpid(-1, os.WNOHANG),
    "os.system": lambda: os.system("true"),
    "os.fork": lambda: os.fork(),
    "fcntl.flock": lambda: fcntl.flock(0, fcntl.LOCK_SH),
    "fcntl.lockf": lambda: fcntl.lockf(0, fcntl.LOCK_SH),
    "fcntl.fcntl": lambda: fcntl.fcntl(0, fcntl.F_SETLK, b""),
    "os.lockf": lambda: os.lockf(0, os.F_LOCK, 0),
}


@pytest.mark.parametrize("called", REFUSED)
def test_a_call_of_real_time_is_refused_by_name(called: str) -> None:
    async def call() -> None:
        REFUSED[called]()

    with pytest.raises(VirtualTimeError, match=called.strip().replace(".", r"\.")):
        run_virtual(call)


def test_what_is_refused_works_again_afterwards() -> None:
    async def nothing() -> None:
        pass

    run_virtual(nothing)
    imported_sleep(0)
    socket.socket().close()
    thread = threading.Thread(target=print)
    thread.start()
    thread.join()
    assert 0 == subprocess.run(["true"], check=False).returncode


def test_a_lock_that_is_free_may_be_taken() -> None:
    async def take() -> bool:
        with threading.Lock(), threading.Condition():
            ready = threading.Event()
            ready.set()
            return ready.wait()

    assert run_virtual(take)


def test_other_commands_of_fcntl_pass() -> None:
    async def ask() -> int:
        return fcntl.fcntl(0, fcntl.F_GETFD)

    assert isinstance(run_virtual(ask), int)
