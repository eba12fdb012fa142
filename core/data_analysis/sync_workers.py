"""Threads that do what is ready, one thing after another, as many side by side as are of use.

Python runs one thread at a time, so that a second one is of use only while the first waits for
something: more of them that compute hinder each other, above all at a lock that they share. One
thread watches: it looks again and again after a moment, and if it never had to wait for its turn
then nobody computes, so one more takes part.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from data_analysis.clock import WALL
from data_analysis.failure import Failed
from data_analysis.sync_threads import guarded_thread

Thing = TypeVar("Thing")

LOOK_SECONDS = 0.000_001
"""How long the watching thread lets things take their course, at least: systems make it some tens
of microseconds."""

IDLE_LOOKS = 3
"""Looks in a row that find nobody computing until one more takes part."""


class Workers(Generic[Thing]):
    """A bounded number of threads over one queue.

    Args:
        name: what the threads are called after.
        most: threads at most.
        do: does one thing; it raises nothing that it has foreseen.
        conclude: called after some things were done, by whoever has time for it: where nothing is
            ready, and by the watching thread.
        failed: told of what is unforeseen.
    """

    def __init__(
        self,
        name: str,
        most: int,
        do: Callable[[Thing], None],
        conclude: Callable[[], None],
        failed: Failed,
    ) -> None:
        self._name = name
        self._most = most
        self._do = do
        self._conclude = conclude
        self._failed = failed
        self._ready: deque[Thing] = deque()
        lock = threading.Lock()
        self._news = threading.Condition(lock)
        self._dry = threading.Condition(lock)
        self._times_dry = 0
        self._threads = 0
        self._waiting = 0
        self._called = 0
        self._taking_part = 0
        self._concern = threading.Event()
        self._done_something = False
        self._stopped = False

    def add(self, things: Sequence[Thing]) -> None:
        """Have these done, behind what is ready already; nothing more once stopped."""
        with self._news:
            if self._stopped:
                return
            self._ready.extend(things)
            if not self._taking_part:
                self._call_one()
            self._concern.set()

    def watch(self) -> None:
        """Conclude what others leave, and have more take part, until the end."""
        while not self._stopped:
            self._concern.wait()
            self._concern.clear()
            looks = 0
            while self._done_something or self._may_call():
                looks = looks + 1 if self._nobody_computes() else 0
                if self._done_something:
                    self._conclude_now()
                if looks >= IDLE_LOOKS and self._may_call():
                    looks = 0
                    with self._news:
                        self._call_one()

    def wait_until_begun(self, timeout_seconds: float) -> None:
        """Return when all that was ready has begun, within a limit."""
        with self._dry:
            before = self._times_dry
            self._dry.wait_for(
                lambda: not self._ready or self._times_dry != before, timeout_seconds
            )

    def stop(self) -> None:
        """Begin nothing more, and wait for nobody."""
        with self._news:
            self._stopped = True
            self._ready.clear()
            self._news.notify_all()
            self._dry.notify_all()
        self._concern.set()

    # The thread that watches.

    def _may_call(self) -> bool:
        return bool(self._ready) and 0 < self._taking_part < self._most

    def _nobody_computes(self) -> bool:
        """Return whether this thread gets its turn at once after a moment."""
        began = WALL.monotonic()
        time.sleep(LOOK_SECONDS)
        return WALL.monotonic() - began - LOOK_SECONDS < sys.getswitchinterval() / 2

    def _conclude_now(self) -> None:
        self._done_something = False
        self._conclude()

    # The threads that take part.

    def _work(self) -> None:
        while self._wait_for_call():
            while self._goes_on():
                self._do_ready()
                self._conclude_now()

    def _wait_for_call(self) -> bool:
        """Return when this thread is to take part, or False at the end."""
        with self._news:
            self._waiting += 1
            self._news.wait_for(lambda: self._called or self._stopped)
            self._waiting -= 1
            self._called -= 1
            return not self._stopped

    def _goes_on(self) -> bool:
        """Return whether something is ready; else this thread takes part no more."""
        with self._news:
            if not self._ready:
                self._taking_part -= 1
            return bool(self._ready)

    def _do_ready(self) -> None:
        # What is taken here is taken without a lock: a deque gives each thing to one thread.
        while True:
            try:
                thing = self._ready.popleft()
            except IndexError:
                break
            if not self._ready:
                self._tell_dry()
            self._do(thing)
            self._done_something = True
            if not self._concern.is_set():
                self._concern.set()

    def _tell_dry(self) -> None:
        with self._dry:
            self._times_dry += 1
            self._dry.notify_all()

    def _call_one(self) -> None:
        """Have one more thread take part. The condition is held."""
        self._taking_part += 1
        self._called += 1
        if self._waiting >= self._called:
            self._news.notify()
        elif self._threads < self._most:
            self._threads += 1
            guarded_thread(f"{self._name}-{self._threads}", self._work, self._failed).start()
