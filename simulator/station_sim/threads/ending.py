"""How the threads of a world end with it, and how Ctrl-C reaches the world out of one of them.

Daemons or not, threads that still live when `main` has ended are unwound: `WorldEnded` is raised
where each waits, in the order in which they were started. A real daemon vanishes without a word
when its process ends, so what they say meanwhile is not heard: neither log lines nor tracebacks.
`sys.is_finalizing` tells this end from any other `SystemExit`.
"""

import atexit
import logging
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from station_sim.seams import Seams
from station_sim.threads.scheduler import Scheduler
from station_sim.threads.virtual_thread import VirtualThread, WorldEnded, name_of

_DEAF: list[VirtualThread] = []
"""Threads that would not end: kept, for a greenlet that is thrown away would go on."""


def end_threads(seams: Seams, scheduler: Scheduler) -> list[str]:
    """Unwind every thread; returns the names of those that would not end."""
    if not scheduler.threads:
        return []
    scheduler.is_ending = True
    seams.replace(sys, "is_finalizing", lambda: True)
    seams.replace(logging.Logger, "handle", _say_nothing)
    seams.replace(threading, "excepthook", _say_nothing)
    for thread in list(scheduler.threads.values()):
        if thread.greenlet:
            scheduler.throw(thread, WorldEnded())
        else:
            scheduler.forget(thread)
    deaf = [name_of(thread) for thread in scheduler.threads.values()]
    for thread in list(scheduler.threads.values()):
        scheduler.forget(thread)
        threading._active.pop(thread.ident, None)  # type: ignore[attr-defined]  # private
        _DEAF.append(thread)
    return deaf


def _say_nothing(*_args: Any) -> None:
    """In place of a report."""


def pass_on_interrupts(seams: Seams, scheduler: Scheduler) -> None:
    """Let Ctrl-C raise KeyboardInterrupt in the loop, whichever thread it finds running.

    The thread stays where it is and goes on while the world ends, as a real one would.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        if scheduler.current is None:
            signal.default_int_handler(signum, frame)
        scheduler.interrupt_loop()

    signal.signal(signal.SIGINT, interrupt)
    seams.on_exit(lambda: signal.signal(signal.SIGINT, signal.default_int_handler))


class ExitHooks:
    """What a world registers with `atexit`, to be called at the world's end.

    The standard library's own hooks are the process's: they care for what outlives a world.
    """

    def __init__(self, seams: Seams) -> None:
        self._hooks: list[tuple[Callable[..., object], Any, Any]] = []
        self._real_register, self._real_unregister = atexit.register, atexit.unregister
        seams.replace(atexit, "register", self._register)
        seams.replace(atexit, "unregister", self._unregister)

    def _register(self, function: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        module = str(getattr(function, "__module__", None) or "")
        if module.partition(".")[0] in sys.stdlib_module_names:
            return self._real_register(function, *args, **kwargs)
        self._hooks.append((function, args, kwargs))
        return function

    def _unregister(self, function: Callable[..., object]) -> None:
        self._hooks = [hook for hook in self._hooks if hook[0] != function]
        self._real_unregister(function)

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def call(self) -> None:
        """Call them, last come first; an error is reported and does not stop the others."""
        while self._hooks:
            function, args, kwargs = self._hooks.pop()
            try:
                function(*args, **kwargs)
            except Exception as error:
                sys.excepthook(type(error), error, error.__traceback__)
