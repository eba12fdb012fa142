"""Locks of threads in virtual time: `Lock` and `RLock`, and so all that is built on them.

The interpreter's own lock classes are given other methods while a world runs, for every lock in
the process is of these classes, also those made before the world (logging's, those of modules). A
lock stays a real one. What is virtual is the waiting, and who owns an RLock: to the interpreter all
virtual threads are one. A lock that is released while threads wait for it goes to the first of
them, so nobody starves.
"""

import _thread
import functools
import gc
import threading
from collections import deque
from typing import Any

from station_sim.errors import VirtualTimeError
from station_sim.seams import Seams, os_thread
from station_sim.threads.blocking_calls import blocking_call
from station_sim.threads.scheduler import Scheduler, VirtualThread, Wait, name_of

REAL_WAIT_S_MAX = 60.0
"""How long a world stands still for a lock that a real thread, outside of it, holds."""

Owner = VirtualThread | None
"""A virtual thread, or None: the loop's own."""

_NOBODY_KNOWN = object()

_NO_THREAD = -1
"""No thread has this identifier."""


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
        holder = self.holders.get(id(lock), _NOBODY_KNOWN)
        if holder is _NOBODY_KNOWN:
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


def _check(blocking: bool, timeout_s: float) -> None:
    """Refuse what the interpreter's own locks refuse."""
    if not blocking and timeout_s != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout_s < 0 and timeout_s != -1:
        raise ValueError("timeout value must be a non-negative number")
    if timeout_s > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")


def replace_locks(seams: Seams, scheduler: Scheduler) -> None:
    """Let virtual threads wait for locks in virtual time until the world ends."""
    queues = Queues(scheduler)
    _replace_lock(seams, scheduler, queues)
    _replace_rlock(seams, scheduler, queues)
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


def _replace_lock(seams: Seams, scheduler: Scheduler, queues: Queues) -> None:
    kind: Any = type(_thread.allocate_lock())
    real_acquire, real_release = kind.acquire, kind.release
    holders, waiting, this_thread = queues.holders, queues.waiting, os_thread()
    what = "threading.Lock.acquire"

    def end() -> None:
        """Who has kept a method of this world's, has a real one from now on."""
        nonlocal this_thread
        this_thread = _NO_THREAD
        holders.clear()

    def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        if os_thread() != this_thread:
            return bool(real_acquire(lock, blocking, timeout))
        if timeout != -1 or not blocking:
            _check(blocking, timeout)
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
        holder = holders.get(id(lock), _NOBODY_KNOWN)
        if holder is _NOBODY_KNOWN or (holder is None and scheduler.current is None):
            return queues.outside(lock, real_acquire, what, timeout)
        return queues.acquire(lock, what, timeout)

    def enter(lock: Any) -> bool:
        if os_thread() == this_thread and real_acquire(lock, False):
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
        if os_thread() != this_thread:
            raise VirtualTimeError(
                "threading.Lock.release: a real thread may not act on a virtual world, where a "
                "thread waits for this lock; do the work in a virtual thread"
            )
        if queues.hand_over(lock) is None:
            real_release(lock)

    def leave(lock: Any, *_error: object) -> None:
        release(lock)

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


def _replace_rlock(seams: Seams, scheduler: Scheduler, queues: Queues) -> None:
    kind: Any = _thread.RLock
    real = {name: getattr(kind, name) for name in _RLOCK_METHODS if hasattr(kind, name)}
    real_acquire, real_release, real_is_owned = kind.acquire, kind.release, kind._is_owned
    waiting, this_thread = queues.waiting, os_thread()
    owned: dict[Any, _Owned] = {}
    what = "threading.RLock.acquire"

    def end() -> None:
        """Who has kept a method of this world's, has a real one from now on."""
        nonlocal this_thread
        this_thread = _NO_THREAD
        owned.clear()

    def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        if os_thread() != this_thread:
            return bool(real_acquire(lock, blocking, timeout))
        if timeout != -1 or not blocking:
            _check(blocking, timeout)
        mine = owned.get(lock)
        if mine is None:
            if not real_is_owned(lock) and real_acquire(lock, False):
                owned[lock] = _Owned(scheduler.current)
                return True
        elif mine.owner is scheduler.current:
            mine.count += 1
            return True
        return _acquire_taken(lock, mine, blocking, timeout)

    def _acquire_taken(lock: Any, mine: "_Owned | None", blocking: bool, timeout: float) -> bool:
        if mine is None and real_is_owned(lock):
            return _acquire_of_old(lock)
        if not blocking or timeout == 0:
            scheduler.looked()
            return False
        if scheduler.let_others_run(lambda: lock not in owned and real_acquire(lock, False)):
            owned[lock] = _Owned(scheduler.current)
            return True
        if mine is not None:
            queues.holders[id(lock)] = mine.owner
            return queues.acquire(lock, what, timeout)
        queues.outside(lock, real_acquire, what, timeout)
        owned[lock] = _Owned(scheduler.current)
        return True

    def _acquire_of_old(lock: Any) -> bool:
        """The thread that runs the world held it when the world began."""
        if scheduler.current is None:
            return bool(real_acquire(lock))
        raise VirtualTimeError(
            f"{blocking_call(what)}: it has been held since before this world began, by the thread "
            "that runs it: release it before"
        )

    def release(lock: Any) -> None:
        mine = owned.get(lock)
        if os_thread() != this_thread or (mine is None and scheduler.current is None):
            real_release(lock)
            return
        if mine is None or mine.owner is not scheduler.current:
            raise RuntimeError("cannot release un-acquired lock")
        mine.count -= 1
        if not mine.count:
            _pass_on(lock)

    def _pass_on(lock: Any) -> None:
        heir = queues.hand_over(lock) if lock in waiting else None
        if heir is not None:
            owned[lock] = _Owned(heir)
        else:
            del owned[lock]
            real_release(lock)

    def is_owned(lock: Any) -> bool:
        mine = owned.get(lock)
        if os_thread() != this_thread or (mine is None and scheduler.current is None):
            return bool(real_is_owned(lock))
        return mine is not None and mine.owner is scheduler.current

    def recursion_count(lock: Any) -> int:
        mine = owned.get(lock)
        if os_thread() != this_thread or (mine is None and scheduler.current is None):
            return int(real["_recursion_count"](lock))
        return mine.count if mine is not None and mine.owner is scheduler.current else 0

    def release_save(lock: Any) -> Any:
        mine = owned.get(lock)
        if os_thread() != this_thread or (mine is None and scheduler.current is None):
            return real["_release_save"](lock)
        if mine is None or mine.owner is not scheduler.current:
            raise RuntimeError("cannot release un-acquired lock")
        _pass_on(lock)
        return _Saved(mine.count)

    def acquire_restore(lock: Any, state: Any) -> None:
        if not isinstance(state, _Saved):
            real["_acquire_restore"](lock, state)
            return
        acquire(lock)
        owned[lock].count = state.count

    def leave(lock: Any, *_error: object) -> None:
        release(lock)

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


_RLOCK_METHODS = (
    "acquire",
    "release",
    "__enter__",
    "__exit__",
    "_is_owned",
    "_recursion_count",
    "_release_save",
    "_acquire_restore",
)


class _Owned:
    """How often its virtual owner has taken an RLock."""

    __slots__ = ("count", "owner")

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.count = 1


class _Saved:
    """How often a thread had taken the RLock that it gave up for a wait."""

    __slots__ = ("count",)

    def __init__(self, count: int) -> None:
        self.count = count
