"""Deadlines of groups and members on a scheduler that is given from outside.

A scheduler is anything with the two methods of an asyncio loop used here, so that the state
machine runs under a real loop, a virtual one, or a test's own. What happens at a deadline is in
`rebalance.py`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

EARLY_S = 1e-6
"""A loop may fire a timer this much before its time: within its clock's resolution."""


class TimerHandle(Protocol):
    """What `call_later` returns."""

    def cancel(self) -> None:
        """Forget the call."""


class Scheduler(Protocol):
    """The part of an asyncio loop that deadlines need."""

    def time(self) -> float:
        """Return the scheduler's own time, in seconds."""

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> TimerHandle:
        """Call `callback(*args)` once, `delay` seconds from now."""


class RunningLoop:
    """The asyncio loop that runs at the moment of each call."""

    def time(self) -> float:
        """Return the running loop's time, in seconds."""
        return asyncio.get_running_loop().time()

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> TimerHandle:
        """Call `callback(*args)` on the running loop, `delay` seconds from now."""
        return asyncio.get_running_loop().call_later(delay, callback, *args)


class Deadline:
    """Calls `callback` once when its moment has come.

    Moving a deadline to a later moment, as each heartbeat does, costs no timer: the one that is
    armed finds at its end that the moment has moved, and arms itself again.
    """

    __slots__ = ("_armed_for_s", "_callback", "_due_s", "_handle", "_scheduler")

    def __init__(self, scheduler: Scheduler, callback: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self._callback = callback
        self._due_s: float | None = None
        self._armed_for_s = 0.0
        self._handle: TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether `callback` is still to be called."""
        return self._due_s is not None

    def set(self, delay_ms: float) -> None:
        """Move the moment to `delay_ms` from now."""
        now_s = self._scheduler.time()
        self._due_s = due_s = now_s + delay_ms / 1000
        if self._handle is None:
            self._arm(now_s)
        elif due_s < self._armed_for_s:
            self._handle.cancel()
            self._arm(now_s)

    def clear(self) -> None:
        """Have no moment any more; `callback` is not called."""
        self._due_s = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, now_s: float) -> None:
        assert self._due_s is not None
        self._armed_for_s = self._due_s
        self._handle = self._scheduler.call_later(self._due_s - now_s, self._fire)

    def _fire(self) -> None:
        self._handle = None
        if self._due_s is None:
            return
        now_s = self._scheduler.time()
        if self._due_s - now_s > EARLY_S:
            self._arm(now_s)
            return
        self._due_s = None
        self._callback()
