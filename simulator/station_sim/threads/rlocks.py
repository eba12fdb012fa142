"""`threading.RLock` in virtual time: a lock that its owner may take again.

As of `locks.py`'s locks, what is virtual is the waiting, and who owns one: to the interpreter all
virtual threads are one. So the real lock is taken once, and who took it how often is noted here.
"""

import _thread
from typing import Any

from station_sim.errors import VirtualTimeError
from station_sim.seams import Seams, os_thread
from station_sim.threads.blocking_calls import blocking_call
from station_sim.threads.lock_queues import NOBODY, Queues, check_arguments
from station_sim.threads.scheduler import Scheduler

_NO_THREAD = -1
"""No thread has this identifier."""

_METHODS = (
    "acquire",
    "release",
    "__enter__",
    "__exit__",
    "_is_owned",
    "_recursion_count",
    "_release_save",
    "_acquire_restore",
)


class _Saved:
    """How often more than once a thread had taken the RLock that it gave up for a wait."""

    __slots__ = ("again",)

    def __init__(self, again: int) -> None:
        self.again = again


def replace_rlock(seams: Seams, scheduler: Scheduler, queues: Queues) -> None:
    """Let `threading.RLock` wait in virtual time until the world ends."""
    kind: Any = _thread.RLock
    real = {name: getattr(kind, name) for name in _METHODS if hasattr(kind, name)}
    real_acquire, real_release, real_is_owned = kind.acquire, kind.release, kind._is_owned
    waiting, ident, this_thread = queues.waiting, os_thread.func, os_thread()
    owners: dict[Any, Any] = {}
    """Who holds a lock, since this world began."""
    again: dict[Any, int] = {}
    """How often its owner has taken it again, if it has."""
    what = "threading.RLock.acquire"

    def end() -> None:
        """Who has kept a method of this world's, has a real one from now on."""
        nonlocal this_thread
        this_thread = _NO_THREAD
        owners.clear()
        again.clear()

    def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        if ident() != this_thread:
            return bool(real_acquire(lock, blocking, timeout))
        if timeout != -1 or not blocking:
            check_arguments(blocking, timeout)
        owner = owners.get(lock, NOBODY)
        if owner is NOBODY:
            if not real_is_owned(lock) and real_acquire(lock, False):
                owners[lock] = scheduler.current
                return True
        elif owner is scheduler.current:
            again[lock] = again.get(lock, 0) + 1
            return True
        return _acquire_taken(lock, owner, blocking, timeout)

    def _acquire_taken(lock: Any, owner: Any, blocking: bool, timeout: float) -> bool:
        if owner is NOBODY and real_is_owned(lock):
            return _acquire_of_old(lock)
        if not blocking or timeout == 0:
            scheduler.looked()
            return False
        if scheduler.let_others_run(lambda: lock not in owners and real_acquire(lock, False)):
            owners[lock] = scheduler.current
            return True
        if owner is not NOBODY:
            queues.holders[id(lock)] = owner
            return queues.acquire(lock, what, timeout)
        queues.outside(lock, real_acquire, what, timeout)
        owners[lock] = scheduler.current
        return True

    def _acquire_of_old(lock: Any) -> bool:
        """The thread that runs the world held it when the world began."""
        if scheduler.current is None:
            return bool(real_acquire(lock))
        raise VirtualTimeError(
            f"{blocking_call(what)}: it has been held since before this world began, by the thread "
            "that runs it: release it before"
        )

    def _is_real(owner: Any) -> bool:
        """Whether another thread asks, or the loop's own of a lock that it has from before."""
        return ident() != this_thread or (owner is NOBODY and scheduler.current is None)

    def release(lock: Any) -> None:
        owner = owners.get(lock, NOBODY)
        if ident() != this_thread or (owner is NOBODY and scheduler.current is None):
            real_release(lock)
        elif owner is not scheduler.current:
            raise RuntimeError("cannot release un-acquired lock")
        elif again and lock in again:
            _release_once(lock)
        else:
            _pass_on(lock)

    def leave(lock: Any, *_error: object) -> None:
        release(lock)

    def _release_once(lock: Any) -> None:
        again[lock] -= 1
        if not again[lock]:
            del again[lock]

    def _pass_on(lock: Any) -> None:
        heir = queues.hand_over(lock) if waiting and lock in waiting else None
        if heir is not None:
            owners[lock] = heir
        else:
            del owners[lock]
            real_release(lock)

    def is_owned(lock: Any) -> bool:
        owner = owners.get(lock, NOBODY)
        return bool(real_is_owned(lock)) if _is_real(owner) else owner is scheduler.current

    def recursion_count(lock: Any) -> int:
        owner = owners.get(lock, NOBODY)
        if _is_real(owner):
            return int(real["_recursion_count"](lock))
        return again.get(lock, 0) + 1 if owner is scheduler.current else 0

    def release_save(lock: Any) -> Any:
        owner = owners.get(lock, NOBODY)
        if _is_real(owner):
            return real["_release_save"](lock)
        if owner is not scheduler.current:
            raise RuntimeError("cannot release un-acquired lock")
        saved = _Saved(again.pop(lock, 0))
        _pass_on(lock)
        return saved

    def acquire_restore(lock: Any, state: Any) -> None:
        if not isinstance(state, _Saved):
            real["_acquire_restore"](lock, state)
            return
        acquire(lock)
        if state.again:
            again[lock] = state.again

    virtual = {
        "acquire": acquire,
        "release": release,
        "__enter__": acquire,
        "__exit__": leave,
        "_is_owned": is_owned,
        "_recursion_count": recursion_count,
        "_release_save": release_save,
        "_acquire_restore": acquire_restore,
    }
    seams.on_exit(end)
    seams.exchange(kind, **{name: virtual[name] for name in real})
