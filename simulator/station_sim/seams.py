"""What the process sees while a virtual world runs: the world's clock and randomness, and guards.

The seams are process-wide attributes (`time.time`, `os.urandom`, `socket.socket.__init__`, ...),
replaced on entry and put back on exit. Each replacement looks at the thread that calls: only the
world's own thread lives in virtual time, every other thread keeps the real thing.
"""

import fcntl
import gc
import os
import random
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from aiokafka.producer.message_accumulator import BatchBuilder

from station_sim.errors import VirtualTimeError

_CLOCKS = ("monotonic", "perf_counter", "process_time", "thread_time")
_BROKEN_DOWN = ("localtime", "gmtime", "ctime")


class Clock(Protocol):
    """What the seams need of a virtual loop."""

    def time(self) -> float:
        """Seconds since the world began."""
        ...

    def wall_time(self) -> float:
        """Epoch seconds."""
        ...


class Seams:
    """A set of replaced attributes that remembers how it was."""

    def __init__(self) -> None:
        self._owner = threading.get_ident()
        self._replaced: list[tuple[Any, str, Any]] = []

    def replace(self, where: Any, name: str, virtual: Callable[..., Any]) -> None:
        """`where.name` is `virtual` in the world's thread and what it was in every other."""
        real = getattr(where, name)
        owner, ident = self._owner, threading.get_ident

        def seam(*args: Any, **kwargs: Any) -> Any:
            return (virtual if ident() == owner else real)(*args, **kwargs)

        self._replaced.append((where, name, real))
        setattr(where, name, seam)

    def replace_clock(self, where: Any, name: str, virtual: Callable[[], Any]) -> None:
        """`replace` for what takes no arguments and is read at every turn."""
        real = getattr(where, name)
        owner, ident = self._owner, threading.get_ident

        def seam() -> Any:
            return virtual() if ident() == owner else real()

        self._replaced.append((where, name, real))
        setattr(where, name, seam)

    def forbid(self, where: Any, name: str, called: str, instead: str) -> None:
        """`where.name` raises `VirtualTimeError`, naming the call, in the world's thread."""

        def refuse(*_args: Any, **_kwargs: Any) -> Any:
            raise VirtualTimeError(f"{called}: it lives in real time; {instead}")

        self.replace(where, name, refuse)

    def restore(self) -> None:
        """Put everything back, last replaced first."""
        while self._replaced:
            where, name, real = self._replaced.pop()
            setattr(where, name, real)


@contextmanager
def virtual_seams(loop: Clock, seed: int) -> Iterator[None]:
    """While inside, `time`, `random`, `os.urandom` are the world's and real-time calls raise."""
    if getattr(time.time, "__name__", "") == "seam":
        raise VirtualTimeError("a virtual world runs already in this process: one at a time")
    seams = Seams()
    random_state = random.getstate()
    collecting = gc.isenabled()
    try:
        _replace_clocks(seams, loop)
        _replace_randomness(seams, seed)
        _forbid_real_time(seams)
        gc.disable()
        yield
    finally:
        if collecting:
            gc.enable()
        random.setstate(random_state)
        seams.restore()


def _replace_clocks(seams: Seams, loop: Clock) -> None:
    seams.replace_clock(time, "time", loop.wall_time)
    seams.replace_clock(time, "time_ns", lambda: int(loop.wall_time() * 1e9))
    for name in _CLOCKS:
        seams.replace_clock(time, name, loop.time)
        seams.replace_clock(time, f"{name}_ns", lambda: int(loop.time() * 1e9))
    for name in _BROKEN_DOWN:
        seams.replace(time, name, _at_world_time(getattr(time, name), loop))
    seams.replace(time, "strftime", _strftime(time.strftime, time.localtime))
    seams.forbid(time, "sleep", "time.sleep", "use `await asyncio.sleep(...)`")
    seams.replace(BatchBuilder, "append", _append_at_world_time(BatchBuilder.append, loop))


def _at_world_time(real: Callable[..., Any], loop: Clock) -> Callable[..., Any]:
    def broken_down(seconds: float | None = None) -> Any:
        return real(loop.wall_time() if seconds is None else seconds)

    return broken_down


def _strftime(real: Callable[..., str], localtime: Callable[[], Any]) -> Callable[..., str]:
    def strftime(text: str, moment: Any = None) -> str:
        return real(text, localtime() if moment is None else moment)

    return strftime


def _append_at_world_time(real: Callable[..., Any], loop: Clock) -> Callable[..., Any]:
    """aiokafka's record builder reads the C clock where no timestamp is given: give it ours."""

    def append(builder: BatchBuilder, *, timestamp: int | None, **record: Any) -> Any:
        if timestamp is None:
            timestamp = int(loop.wall_time() * 1000)
        return real(builder, timestamp=timestamp, **record)

    return append


def _replace_randomness(seams: Seams, seed: int) -> None:
    entropy = random.Random(f"{seed}/os.urandom")
    random.seed(f"{seed}/random")
    seams.replace(os, "urandom", entropy.randbytes)
    seams.replace(random, "_urandom", entropy.randbytes)


def _forbid_real_time(seams: Seams) -> None:
    world = "the virtual network connects named hosts through the running loop"
    seams.forbid(socket.socket, "__init__", "socket.socket", world)
    seams.forbid(socket, "getaddrinfo", "socket.getaddrinfo", world)
    tasks = "use a task on the running loop"
    seams.forbid(threading, "_start_new_thread", "threading.Thread.start", tasks)
    outside = "start it outside the virtual world"
    seams.forbid(subprocess.Popen, "__init__", "subprocess.Popen", outside)
    seams.forbid(os, "system", "os.system", outside)
    seams.forbid(os, "fork", "os.fork", outside)
    seams.forbid(fcntl, "flock", "fcntl.flock", "virtual hosts share no files")
    seams.forbid(fcntl, "lockf", "fcntl.lockf", "virtual hosts share no files")
