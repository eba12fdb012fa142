"""One virtual thread, and one wait of one.

Who runs and when is the scheduler's (`scheduler.py`).
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from station_sim.hosts import context_of_life, current_life

if TYPE_CHECKING:
    from station_sim.threads.scheduler import Scheduler

WAKE_S = 50e-6
"""How long a thread that is woken takes to go on: what an operating system and Python's one lock
need for that, in good time. Clients that hand work to and fro until a deadline get there by it.
"""

SPIN_READS = 100_000
"""So many looks at a clock, or vain attempts, in a row: the thread waits for time to pass."""


class WorldEnded(SystemExit):
    """Raised where a thread waits when its world ends, so that it unwinds; nobody reports it."""


class VirtualThread:
    """One thread: `wait` is what it waits for, `patience` how long it may yet spin."""

    __slots__ = (
        "context",
        "greenlet",
        "ident",
        "life",
        "locals",
        "loop",
        "on_end",
        "patience",
        "polls",
        "refused",
        "wait",
    )

    def __init__(self, ident: int) -> None:
        self.ident = ident
        self.greenlet: Any = None
        self.context = context_of_life()
        self.life = current_life()
        self.locals: dict[str, Any] = {}
        self.loop: asyncio.AbstractEventLoop | None = None
        self.on_end: list[Callable[[], object]] = []
        self.patience = SPIN_READS
        self.polls = 0
        self.refused = 0
        self.wait: Wait | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether its host has crashed: it stays as it is until the world ends."""
        return self.life is not None and self.life.is_over


def name_of(thread: VirtualThread) -> str:
    """The name that `threading` knows a thread by."""
    known = threading._active.get(thread.ident)  # type: ignore[attr-defined]  # private
    return str(known.name) if known is not None else f"thread {thread.ident}"


class Wait:
    """One wait of one thread, ended once: by `wake`, or by its time."""

    __slots__ = ("_scheduler", "_timer", "detail", "over", "thread", "what")

    def __init__(
        self, scheduler: "Scheduler", thread: VirtualThread, what: str, detail: Callable[[], str]
    ) -> None:
        self._scheduler = scheduler
        self._timer: asyncio.TimerHandle | None = None
        self.thread = thread
        self.what = what
        self.detail = detail
        self.over = False

    def wake(self) -> bool:
        """Let the thread go on when it is its turn. Returns whether it still waited."""
        if self.over:
            return False
        self.cancel()
        scheduler = self._scheduler
        loop = scheduler.loop
        scheduler.due[self.thread] = loop.call_at(
            loop.now + WAKE_S, self._go_on, True, context=scheduler.context
        )
        return True

    def cancel(self) -> None:
        """It is over; nobody is woken."""
        if not self.over:
            self.over = True
            if self._timer is not None:
                self._timer.cancel()

    def until(self, seconds: float) -> None:
        """End by itself after `seconds`."""
        loop, context = self._scheduler.loop, self._scheduler.context
        when = loop.now + max(seconds, 0.0)
        self._timer = loop.call_at(when, self._go_on, False, context=context)

    def _go_on(self, was_woken: bool) -> None:
        thread = self.thread
        if thread.wait is self:
            self.over = True
            self._scheduler.resume(thread, was_woken)
