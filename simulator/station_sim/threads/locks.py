"""`threading.Lock` in virtual time, and so what is built on it.

The interpreter's own lock classes are given other methods while a world runs, for every lock in
the process is of these classes, also those made before the world (logging's, those of modules). A
lock stays a real one. What is virtual is the waiting. A lock that is released while threads wait
for it goes to the first of them, so nobody starves. `RLock` is in `rlocks.py`.
"""

import _thread
import gc
import threading
from typing import Any

from station_sim.errors import VirtualTimeError
from station_sim.seams import Seams, os_thread
from station_sim.threads.lock_queues import NOBODY, Queues, check_arguments
from station_sim.threads.rlocks import replace_rlock
from station_sim.threads.scheduler import Scheduler

_NO_THREAD = -1
"""No thread has this identifier."""


def replace_locks(seams: Seams, scheduler: Scheduler) -> None:
    """Let virtual threads wait for locks in virtual time until the world ends."""
    queues = Queues(scheduler)
    replace_lock(seams, scheduler, queues)
    replace_rlock(seams, scheduler, queues)
    conditions: list[threading.Condition] = []
    scheduler.on_first_thread(lambda: conditions.extend(_rebind_conditions()))
    seams.on_exit(lambda: _rebind(conditions))


def _rebind_conditions() -> list[threading.Condition]:
    """Let every condition forget the methods of its lock that it keeps from before the world."""
    found = [each for each in gc.get_objects() if issubclass(type(each), threading.Condition)]
    _rebind(found)
    return found


def _rebind(conditions: list[threading.Condition]) -> None:
    for condition in conditions:
        lock = condition._lock  # type: ignore[attr-defined]  # private
        for name in _KEPT_BY_CONDITIONS & vars(condition).keys():
            setattr(condition, name, getattr(lock, name))


_KEPT_BY_CONDITIONS = frozenset(
    ("acquire", "release", "_release_save", "_acquire_restore", "_is_owned")
)


def replace_lock(seams: Seams, scheduler: Scheduler, queues: Queues) -> None:
    """Let `threading.Lock` wait in virtual time until the world ends."""
    kind: Any = type(_thread.allocate_lock())
    real_acquire, real_release = kind.acquire, kind.release
    holders, waiting, this_thread = queues.holders, queues.waiting, os_thread()
    ident = os_thread.func
    what = "threading.Lock.acquire"

    def end() -> None:
        """Who has kept a method of this world's, has a real one from now on."""
        nonlocal this_thread
        this_thread = _NO_THREAD
        holders.clear()

    def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        if ident() != this_thread:
            return bool(real_acquire(lock, blocking, timeout))
        if timeout != -1 or not blocking:
            check_arguments(blocking, timeout)
        if real_acquire(lock, False):
            holders[id(lock)] = scheduler.current
            return True
        if not blocking or timeout == 0:
            scheduler.looked()
            return False
        return _acquire_taken(lock, timeout)

    def _acquire_taken(lock: Any, timeout: float) -> bool:
        if scheduler.let_others_run(lambda: bool(real_acquire(lock, False))):
            holders[id(lock)] = scheduler.current
            return True
        holder = holders.get(id(lock), NOBODY)
        if holder is NOBODY or (holder is None and scheduler.current is None):
            return queues.outside(lock, real_acquire, what, timeout)
        return queues.acquire(lock, what, timeout)

    def enter(lock: Any) -> bool:
        if ident() == this_thread and real_acquire(lock, False):
            holders[id(lock)] = scheduler.current
            return True
        return acquire(lock)

    def release(lock: Any) -> None:
        if waiting and lock in waiting:
            _pass_on(lock)
        else:
            holders.pop(id(lock), None)
            real_release(lock)

    def _pass_on(lock: Any) -> None:
        if ident() != this_thread:
            raise VirtualTimeError(
                "threading.Lock.release: a real thread may not act on a virtual world, where a "
                "thread waits for this lock; do the work in a virtual thread"
            )
        if queues.hand_over(lock) is None:
            real_release(lock)

    def leave(lock: Any, *_error: object) -> None:
        if waiting and lock in waiting:
            _pass_on(lock)
        else:
            holders.pop(id(lock), None)
            real_release(lock)

    seams.on_exit(end)
    seams.exchange(
        kind,
        acquire=acquire,
        acquire_lock=acquire,
        release=release,
        release_lock=release,
        __enter__=enter,
        __exit__=leave,
    )
