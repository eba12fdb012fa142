"""`queue.SimpleQueue` in virtual time: the interpreter's own class, which waits inside C.

`queue.Queue` and its kin wait by conditions, that is, by `locks.py`.
"""

import queue
from collections import deque
from typing import Any

from station_sim.seams import Seams, os_thread
from station_sim.threads.scheduler import Scheduler
from station_sim.threads.virtual_thread import Wait


def replace_simple_queue(seams: Seams, scheduler: Scheduler) -> None:
    """Let virtual threads wait for a `SimpleQueue` in virtual time until the world ends."""
    kind: Any = queue.SimpleQueue
    real_get, real_put = kind.get, kind.put
    this_thread = os_thread()
    waiting: dict[Any, deque[Wait]] = {}

    def get(self: Any, block: bool = True, timeout: float | None = None) -> Any:
        if os_thread() != this_thread:
            return real_get(self, block, timeout)
        if block and timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        if block and self.empty() and timeout != 0:
            _wait(self, timeout)
        elif not block and self.empty():
            scheduler.looked()
        return real_get(self, False)

    def _wait(self: Any, timeout: float | None) -> None:
        """Wait until there is something, or for so long. Who waits first, gets first."""
        if scheduler.let_others_run(lambda: not self.empty()):
            return
        wait = scheduler.wait("queue.SimpleQueue.get")
        line = waiting.setdefault(self, deque())
        line.append(wait)
        try:
            deadline = None if timeout is None else scheduler.loop.time() + timeout
            while self.empty():
                left = None if deadline is None else deadline - scheduler.loop.time()
                if left is not None and left <= 0:
                    return
                scheduler.suspend(wait, left)
                place = line.index(wait)
                line[place] = wait = scheduler.wait("queue.SimpleQueue.get")
        finally:
            line.remove(wait)
            if not line:
                del waiting[self]
            elif not self.empty():
                _wake_next(self)

    def _wake_next(self: Any) -> None:
        for wait in waiting.get(self, ()):
            if wait.wake():
                return

    def put(self: Any, item: Any, block: bool = True, timeout: float | None = None) -> None:
        real_put(self, item)
        if os_thread() == this_thread:
            _wake_next(self)

    def put_nowait(self: Any, item: Any) -> None:
        put(self, item)

    seams.exchange(kind, get=get, put=put, put_nowait=put_nowait)
