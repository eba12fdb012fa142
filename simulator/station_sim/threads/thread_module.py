"""What `threading`, `_thread` and `time.sleep` rest on, for virtual threads.

The standard library's `Thread`, `Timer`, `Event`, `Condition`, `Semaphore`, `Barrier` and
`ThreadPoolExecutor` are used as they are: they start threads, ask who they are and lock through a
few functions, which are replaced here and in `locks.py`.
"""

import _thread
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from station_sim.errors import VirtualTimeError
from station_sim.seams import Seams
from station_sim.threads.scheduler import Scheduler
from station_sim.threads.virtual_thread import VirtualThread

NEWEST_KNOWN = (3, 12)
"""From 3.13 on the standard library's threads rest on other functions."""


def replace_threads(seams: Seams, scheduler: Scheduler) -> None:
    """Let threads be virtual until the world ends."""
    started = Starting(scheduler)
    seams.replace(_thread, "start_new_thread", started.start)
    seams.replace(threading, "_start_new_thread", started.start)
    if hasattr(threading, "_start_joinable_thread"):
        seams.replace(threading, "_start_joinable_thread", started.start)
    if hasattr(threading, "_set_sentinel"):
        seams.replace(threading, "_set_sentinel", started.sentinel)
    for name in ("get_ident", "get_native_id"):
        own = _or_of_loop(scheduler, getattr(_thread, name))
        seams.replace_reading(threading, name, own)
        seams.replace_reading(_thread, name, own)
    seams.replace(time, "sleep", _sleep(scheduler))


def _or_of_loop(scheduler: Scheduler, real: Callable[[], int]) -> Callable[[], int]:
    def ident() -> int:
        thread = scheduler.current
        return real() if thread is None else thread.ident

    return ident


def _sleep(scheduler: Scheduler) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        if scheduler.current is None:
            raise VirtualTimeError(
                "time.sleep: it blocks, and this is the loop's own thread: use "
                "`await asyncio.sleep(...)`, or sleep in a thread"
            )
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        scheduler.sleep(float(seconds))

    return sleep


class Starting:
    """Starts threads of one world."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def start(self, function: Callable[..., object], args: Any = (), kwargs: Any = None) -> int:
        """Start a virtual thread; returns its identifier, which counts from 1 in each world.

        Raises: VirtualTimeError on an interpreter that virtual threads do not know.
        """
        if sys.version_info[:2] > NEWEST_KNOWN:
            raise VirtualTimeError(
                f"threading.Thread.start: virtual threads know Python 3.11 and 3.12, this is "
                f"{sys.version_info.major}.{sys.version_info.minor}: use one of those"
            )
        thread = self._scheduler.new_thread(function, args, kwargs or {})
        owner = getattr(function, "__self__", None)
        if isinstance(owner, threading.Thread):
            self._start_until_it_runs(thread, owner)
        else:
            self._scheduler.resume_soon(thread)
        return thread.ident

    def _start_until_it_runs(self, thread: VirtualThread, owner: threading.Thread) -> None:
        """`Thread.start` returns when the new thread has said that it is there.

        So it says that at once, without the loop: who starts a thread need not be one. What it
        runs waits for its turn.
        """
        run = owner.run
        was_own = "run" in vars(owner)

        def run_in_turn() -> None:
            if was_own:
                owner.run = run  # type: ignore[method-assign]  # as it was
            else:
                del owner.run
            self._scheduler.await_turn()
            run()

        owner.run = run_in_turn  # type: ignore[method-assign]  # for the start only
        self._scheduler.begin(thread)

    def sentinel(self) -> Any:
        """A lock that the interpreter releases when the current thread has ended."""
        lock = _thread.allocate_lock()
        thread = self._scheduler.current
        assert thread is not None, "asked for by a thread that starts"
        thread.on_end.append(lambda: lock.release() if lock.locked() else None)
        return lock
