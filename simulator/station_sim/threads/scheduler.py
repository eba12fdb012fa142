"""Virtual threads and who runs: one at a time, each a greenlet that the virtual loop resumes.

A thread runs until it waits; whoever wakes it puts it at the end of the loop's queue, so that
threads woken at one instant run in the order in which they were woken. How `threading` comes to
start one is in `thread_module.py`; how all of them end with their world, in `ending.py`.
"""

import asyncio
import contextvars
import threading
from asyncio import _get_running_loop, _set_running_loop
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from station_sim.errors import VirtualTimeError
from station_sim.threads.blocking_calls import blocking_call
from station_sim.threads.thread_locals import ThreadLocals
from station_sim.threads.virtual_thread import SPIN_READS, VirtualThread, Wait, WorldEnded

if TYPE_CHECKING:
    from station_sim.clock import VirtualLoop

POLL_S = 10e-6
"""What a look without waiting takes, `select(0)` or `sleep(0)`: others run meanwhile."""

POLLS_AT_ONCE = 8
"""So many looks in a row take no time, for most clients look just once."""

SPIN_READS_AGAIN = 100
"""So many more, when it has done nothing else since."""

SPIN_STEP_S = 0.001
"""What a thread that spins is made to wait each time."""

SPIN_READS_OF_LOOP = 10_000_000
"""A coroutine that looks so often at a clock without awaiting will never see it move."""


class Scheduler:
    """All threads of one world. `current` is the running one, or None: the loop's own."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self.loop = loop
        self.current: VirtualThread | None = None
        self.threads: dict[int, VirtualThread] = {}
        self.due: dict[VirtualThread, asyncio.Handle] = {}
        """Who is to go on, in order, and the loop's handle for it."""
        self.is_ending = False
        self.context = contextvars.Context()
        """In which the loop resumes threads; each has its own."""
        self.looks = 0
        """How often somebody looked at a clock, or tried in vain, since a thread last waited."""
        self.patience = SPIN_READS
        """How many looks are enough."""
        self._locals = ThreadLocals()
        self._hub: Any = None
        self._before_threads: list[Callable[[], object]] = []
        self._loop_outside: asyncio.AbstractEventLoop | None = None
        self._last_ident = 0
        self._looks_iteration = 0
        self._looks_of_loop = 0

    # -- starting and switching

    def on_first_thread(self, call: Callable[[], object]) -> None:
        """Have something done before the first thread is made: most worlds have none."""
        self._before_threads.append(call)

    def new_thread(self, function: Callable[..., object], args: Any, kwargs: Any) -> VirtualThread:
        """Make a thread that will call the function; it starts when first resumed.

        Raises: VirtualTimeError without the package greenlet.
        """
        greenlet = _greenlet()
        if self._hub is None:
            self._hub = greenlet.getcurrent()
            for call in self._before_threads:
                call()
        self._last_ident += 1
        thread = VirtualThread(self._last_ident)

        def run(*_resumed: Any) -> None:
            try:
                function(*args, **kwargs)
            except SystemExit:
                pass
            except BaseException as error:
                told = (type(error), error, error.__traceback__, None)
                threading.excepthook(threading.ExceptHookArgs(told))
            finally:
                self._ended(thread)

        thread.greenlet = greenlet.greenlet(run, self._hub)
        thread.greenlet.gr_context = thread.context
        self.threads[thread.ident] = thread
        return thread

    def forget(self, thread: VirtualThread) -> None:
        """Give up a thread that has not begun, or will not end."""
        if thread.wait is not None:
            thread.wait.cancel()
        self._ended(thread)

    def interrupt_loop(self) -> None:
        """Raise KeyboardInterrupt in the loop; the current thread goes on when it comes round."""
        thread = self.current
        assert thread is not None, "the loop's own thread needs no help"
        self.resume_soon(thread)
        self._hub.throw(KeyboardInterrupt)

    def _ended(self, thread: VirtualThread) -> None:
        if self.threads.pop(thread.ident, None) is None:
            return
        for tell in thread.on_end:
            tell()

    def resume_soon(self, thread: VirtualThread) -> None:
        """Put a thread at the end of the loop's queue."""
        self.due[thread] = self.loop.call_soon(self.resume, thread)

    def resume(self, thread: VirtualThread, value: Any = None) -> None:
        """Run a thread, from the loop, until it waits or ends; not one whose host has crashed."""
        self.due.pop(thread, None)
        frozen = thread.life is not None and thread.is_frozen
        if not frozen and self.threads.get(thread.ident) is thread:
            before = self.become(thread)
            try:
                thread.greenlet.switch(value)
            finally:
                self.become(before)

    def throw(self, thread: VirtualThread, error: BaseException) -> None:
        """Raise in a thread, where it waits; returns when it waits again or has ended."""
        if thread.wait is not None:
            thread.wait.cancel()
        with self.running(thread):
            thread.greenlet.throw(error)

    def running(self, thread: VirtualThread) -> "_Running":
        """While inside, `thread` is the current one."""
        return _Running(self, thread)

    def become(self, thread: VirtualThread | None) -> VirtualThread | None:
        """Note who runs; returns who ran until now."""
        before = self.current
        self._locals.exchange(before, thread)
        if before is None:
            self._loop_outside = _get_running_loop()
        else:
            before.loop = _get_running_loop()
        self.current = thread
        self.looks = 0
        if thread is None:
            self.patience = SPIN_READS
            _set_running_loop(self._loop_outside)
        else:
            self.patience = thread.patience
            _set_running_loop(thread.loop)
        return before

    def begin(self, thread: VirtualThread) -> None:
        """Run a new thread at once, from whoever is current, until it calls `await_turn`."""
        thread.greenlet.parent = _greenlet().getcurrent()
        with self.running(thread):
            thread.greenlet.switch()

    def await_turn(self) -> None:
        """Go back to who began the current thread; it goes on at the end of the loop's queue."""
        thread = self.current
        assert thread is not None, "called by a thread that `begin` runs"
        beginner, thread.greenlet.parent = thread.greenlet.parent, self._hub
        self.resume_soon(thread)
        beginner.switch()

    # -- waiting

    def wait(self, what: str, detail: Callable[[], str] = str) -> Wait:
        """Begin a wait of the current thread; `suspend` waits.

        Raises: VirtualTimeError in the loop's own thread.
        """
        thread = self.current
        if thread is None:
            raise VirtualTimeError(
                f"{blocking_call(what)}: it blocks, and this is the loop's own thread: call it in "
                "a thread (`await asyncio.to_thread(...)`) or use asyncio's own"
            )
        return Wait(self, thread, what, detail)

    def suspend(self, wait: Wait, timeout_s: float | None = None) -> bool:
        """Wait until somebody calls `wait.wake()`, or for so long. Returns whether woken.

        Raises: WorldEnded when the world ends meanwhile.
        """
        thread = wait.thread
        if self.is_ending:
            self._refuse(thread)
        if timeout_s is not None:
            wait.until(timeout_s)
        thread.wait = wait
        thread.patience = SPIN_READS
        thread.polls = 0
        try:
            return bool(self._hub.switch())
        finally:
            thread.wait = None
            wait.cancel()

    def _refuse(self, thread: VirtualThread) -> None:
        """Let a thread that goes on after its world's end know; suspend it for ever if deaf."""
        thread.refused += 1
        if thread.refused <= REFUSALS_MAX:
            raise WorldEnded
        self._hub.switch()

    def let_others_run(self, done: Callable[[], bool]) -> bool:
        """In place of a wait of the loop's own thread, which cannot wait: run threads that are due.

        Returns whether `done()`; no time passes meanwhile.
        """
        while not done():
            if self.current is not None or not self.due:
                return False
            thread, handle = next(iter(self.due.items()))
            handle.cancel()
            self.resume(thread, True)
        return True

    def sleep(self, seconds: float) -> None:
        """Let the current thread sleep; 0 s lets others run."""
        self.suspend(self.wait("time.sleep"), max(seconds, POLL_S))

    def give_way(self) -> None:
        """Note a look that may not wait, of a thread; after a few, let others run for a moment."""
        thread = self.current
        if thread is not None:
            thread.polls += 1
            if thread.polls > POLLS_AT_ONCE:
                self.suspend(self.wait("the loop"), POLL_S)
                thread.polls = POLLS_AT_ONCE

    def looked(self) -> None:
        """Note one more look at a clock, or one more vain attempt, that did not wait.

        Such code may be spinning until a time comes, so time has to pass at last.
        """
        self.looks += 1
        if self.looks > self.patience:
            self.looked_enough()

    def looked_enough(self) -> None:
        """Let a thread that spins sleep a little.

        Raises: VirtualTimeError in the loop's own thread, which cannot wait.
        """
        thread, looks, self.looks = self.current, self.looks, 0
        if thread is not None:
            self.sleep(SPIN_STEP_S)
            self.patience = thread.patience = SPIN_READS_AGAIN
            return
        if self.loop.iterations != self._looks_iteration:
            self._looks_iteration, self._looks_of_loop = self.loop.iterations, 0
        self._looks_of_loop += looks
        if self._looks_of_loop > SPIN_READS_OF_LOOP:
            raise VirtualTimeError(
                f"{blocking_call('time.monotonic')}: asked {self._looks_of_loop:,} times in one "
                "step of the loop: time stands still there; use `await asyncio.sleep(...)`"
            )


class _Running:
    """`with` notes who runs, and who ran before."""

    __slots__ = ("_before", "_scheduler", "_thread")

    def __init__(self, scheduler: Scheduler, thread: VirtualThread) -> None:
        self._scheduler = scheduler
        self._thread = thread
        self._before: VirtualThread | None = None

    def __enter__(self) -> None:
        self._before = self._scheduler.become(self._thread)

    def __exit__(self, *_error: object) -> None:
        self._scheduler.become(self._before)


REFUSALS_MAX = 100
"""A thread that goes on waiting so often after its world has ended is left where it is."""


def _greenlet() -> Any:
    try:
        import greenlet
    except ImportError as error:
        raise VirtualTimeError(
            f"threading.Thread.start: a virtual thread needs the package greenlet ({error}): "
            "install station-lab[sim], on an interpreter that greenlet supports"
        ) from error
    return greenlet
