"""Who waits for which lock of a virtual world, and who holds it: the same for both kinds of locks.

What a lock does that nobody else holds is in `locks.py` and `rlocks.py`.
"""

import functools
import threading
from collections import deque
from typing import Any

from station_sim.errors import VirtualTimeError
from station_sim.threads.blocking_calls import blocking_call
from station_sim.threads.scheduler import Scheduler
from station_sim.threads.virtual_thread import VirtualThread, Wait, name_of

REAL_WAIT_S_MAX = 60.0
"""How long a world stands still for a lock that a real thread, outside of it, holds."""

Owner = VirtualThread | None
"""A virtual thread, or None: the loop's own."""

NOBODY = object()
"""In place of an owner that is not known."""


class Queues:
    """Who waits for which lock, and who took it; the same for both kinds of locks."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.waiting: dict[Any, deque[Wait]] = {}
        """First come, first served."""
        self.holders: dict[int, Owner] = {}
        """By identity, for many locks are thrown away while held; stale entries do no harm."""

    def acquire(self, lock: Any, what: str, timeout_s: float) -> bool:
        """Wait until the lock is handed to the current thread; -1 s is for ever.

        Raises: VirtualTimeError in the loop's own thread.
        """
        detail = functools.partial(self._holder_told, lock)
        wait = self._scheduler.wait(what, detail)
        queue = self.waiting.setdefault(lock, deque())
        queue.append(wait)
        handed = False
        try:
            handed = self._scheduler.suspend(wait, None if timeout_s < 0 else timeout_s)
        finally:
            if not handed:
                self._leave(lock, wait)
        return handed

    def _leave(self, lock: Any, wait: Wait) -> None:
        queue = self.waiting.get(lock, deque())
        if wait in queue:
            queue.remove(wait)
            if not queue:
                del self.waiting[lock]

    def hand_over(self, lock: Any) -> VirtualThread | None:
        """Give a lock that is released to the first who waits for it, if anyone does."""
        queue = self.waiting.get(lock)
        while queue:
            wait = queue.popleft()
            if not queue:
                del self.waiting[lock]
            if wait.wake():
                self.holders[id(lock)] = wait.thread
                return wait.thread
        self.holders.pop(id(lock), None)
        return None

    def _holder_told(self, lock: Any) -> str:
        holder = self.holders.get(id(lock), NOBODY)
        if holder is NOBODY:
            return ""
        if holder is None:
            return ", held by the loop's own thread"
        assert isinstance(holder, VirtualThread)
        return f", held by thread {name_of(holder)}"

    def outside(self, lock: Any, real_acquire: Any, what: str, timeout_s: float) -> bool:
        """Wait in real time for a lock that no virtual thread can release.

        Raises: VirtualTimeError when there is no real thread that could, or none does in time.
        """
        call = blocking_call(what)
        here, others = self._scheduler.current, self._scheduler.threads
        if here is None and (others or threading.active_count() <= 1):
            self._scheduler.wait(what)  # which refuses
        if threading.active_count() - len(others) <= 1:
            raise VirtualTimeError(
                f"{call}: it has been held since before this world began, and no other thread "
                "could release it: release it before"
            )
        limit_s = REAL_WAIT_S_MAX if timeout_s < 0 else min(timeout_s, REAL_WAIT_S_MAX)
        if real_acquire(lock, True, limit_s):
            return True
        raise VirtualTimeError(
            f"{call}: waited {limit_s:g} s of real time for a thread outside of this world, in "
            "vain; let virtual threads wait for each other"
        )


def check_arguments(blocking: bool, timeout_s: float) -> None:
    """Refuse what the interpreter's own locks refuse."""
    if not blocking and timeout_s != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout_s < 0 and timeout_s != -1:
        raise ValueError("timeout value must be a non-negative number")
    if timeout_s > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
