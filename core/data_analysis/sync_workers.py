"""Threads that do what is ready, one thing after another, as many side by side as are of use.

A thread that begins calls the next one while something is left. Where what they do waits, another
has begun before it is missed; where it computes, few are ever awake: Python runs one at a time.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from data_analysis.failure import Failed
from data_analysis.sync_threads import guarded_thread

Thing = TypeVar("Thing")


class Workers(Generic[Thing]):
    """A bounded number of threads over one queue.

    Args:
        name: what the threads are called after.
        most: threads at most.
        do: does one thing; it raises nothing that it has foreseen.
        failed: told of the rest.
    """

    def __init__(self, name: str, most: int, do: Callable[[Thing], None], failed: Failed) -> None:
        self._name = name
        self._most = most
        self._do = do
        self._failed = failed
        self._ready: deque[Thing] = deque()
        self._news = threading.Condition(threading.Lock())
        self._threads = 0
        self._idle = 0
        self._stopped = False

    def add(self, things: Sequence[Thing]) -> None:
        """Have these done, behind what is ready already; nothing more once stopped."""
        with self._news:
            if not self._stopped:
                self._ready.extend(things)
                self._call_another()

    def stop(self) -> None:
        """Begin nothing more, and wait for nobody."""
        with self._news:
            self._stopped = True
            self._ready.clear()
            self._idle = 0
            self._news.notify_all()

    def _call_another(self) -> None:
        """Have one more thread look at what is ready. The condition is held."""
        if self._idle:
            self._idle -= 1
            self._news.notify()
        elif self._threads < self._most:
            self._threads += 1
            guarded_thread(f"{self._name}-{self._threads}", self._work, self._failed).start()

    def _work(self) -> None:
        while self._wait_for_ready():
            # What is taken here is taken without a lock: a deque gives each thing to one thread.
            while True:
                try:
                    thing = self._ready.popleft()
                except IndexError:
                    break
                self._do(thing)

    def _wait_for_ready(self) -> bool:
        """Return when something is ready, or False at the end."""
        with self._news:
            while not self._ready and not self._stopped:
                self._idle += 1
                self._news.wait()
            if len(self._ready) > 1:
                self._call_another()
            return not self._stopped
