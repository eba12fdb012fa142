"""Virtual time: a loop whose clock jumps to the next timer, and `run_virtual`, which uses it.

Here live the loop, the order of its timers and its detection of deadlocks. What the loop's
connections run on is in `network.py`; what a loop has only in real time is refused in
`refusals.py`; what the rest of the process sees while a world runs begins in `seams.py`.

Semantics 39 to 42: time moves to the next timer when nothing is ready, and by a tiny step at every
iteration; computing takes no time; the same seed gives the same run in any process.
"""

import asyncio
import gc
import heapq
import itertools
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, TypeVar

from station_sim.deadlock import who_waits
from station_sim.errors import DeadlockError, VirtualTimeError
from station_sim.guards import forbid_real_time
from station_sim.handles import Soon, Timer, report
from station_sim.network import Network
from station_sim.refusals import RealTimeRefusals
from station_sim.seams import one_world, os_thread
from station_sim.threads.installing import Threads
from station_sim.world_clocks import replace_clocks
from station_sim.world_computing import compute_at_once
from station_sim.world_end import run_to_the_end
from station_sim.world_numbers import number_from_the_start
from station_sim.world_randomness import replace_randomness

T = TypeVar("T")

EPOCH_S = 1772294400.0
"""Where a world's wall clock starts unless told otherwise: 2026-03-01 00:00 in Asia/Shanghai."""

STEP_S = 1e-7
"""What an iteration of the loop costs: clients that poll until a deadline get there."""

RESOLUTION_S = 1e-9
"""Timers due within this of now are run together; far below the step.

After half a year of virtual time a float is coarser than this, after 34 years coarser than the
step: then both are one unit of the float's last place, so that time always moves on.
"""

COLLECT_EVERY_ITERATIONS = 100_000
"""Cycles are collected at iterations, not at allocations: finalizers run at the same instant."""

CANCELLED_TIMERS_KEPT = 1000
"""Beyond this many cancelled timers, and half of all, the heap is rebuilt without them."""

FULL_COLLECT_EVERY = 50
"""Every so many collections the oldest generation is looked through too."""


class VirtualLoop(RealTimeRefusals):
    """An event loop in virtual time with an in-memory network.

    `now` is in seconds since the start of the world; `time()` returns it. `epoch_s + now` is the
    world's wall clock. `network` carries every connection that is opened on this loop.
    """

    # What asyncio's base class keeps and this loop uses.
    _closed: bool
    _ready: deque[Any]
    _stopping: bool
    _thread_id: int | None

    def __init__(self, seed: int = 0, *, epoch_s: float = EPOCH_S) -> None:
        super().__init__()
        self.seed = seed
        self.epoch_s = epoch_s
        self.now = 0.0
        self.network = Network(self, seed)
        self._hosts = self.network.hosts
        self._timers: list[tuple[float, int, Timer]] = []
        self._timers_set = 0
        self._timers_cancelled = 0
        self._task_numbers = itertools.count(1)
        self.iterations = 0
        """How often the loop has gone round."""
        self.threads: Threads | None = None
        """The virtual threads of the world that runs on this loop."""

    def time(self) -> float:
        """Seconds of virtual time since the world began."""
        return self.now

    def wall_time(self) -> float:
        """The world's `time.time()`: epoch seconds."""
        return self.epoch_s + self.now

    def call_soon(  # type: ignore[override]  # typeshed's signature uses TypeVarTuple
        self,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """As asyncio's."""
        if self._closed:
            raise RuntimeError("the virtual loop is closed")
        handle = Soon(callback, args, self, context)
        if self._hosts.any_crashed and self._hosts.is_over(context):
            handle.cancel()
        else:
            self._ready.append(handle)
        return handle

    def call_soon_threadsafe(  # type: ignore[override]  # typeshed's signature uses TypeVarTuple
        self,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """As `call_soon`, from the world's own thread or one of its virtual ones.

        Raises: VirtualTimeError in a real thread, for the instant at which it calls is decided
        by the machine, not by the seed.
        """
        if self._thread_id not in (None, os_thread()):
            name = getattr(callback, "__name__", type(callback).__name__)
            raise VirtualTimeError(
                f"call_soon_threadsafe({name}): a real thread may not act on a virtual world; "
                "do the work in a task or a virtual thread"
            )
        return self.call_soon(callback, *args, context=context)

    def call_at(  # type: ignore[override]  # typeshed's signature uses TypeVarTuple
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's, but equal deadlines keep the order in which they were set.

        An infinite deadline never comes. Raises: ValueError for one that is not a number.
        """
        if self._closed:
            raise RuntimeError("the virtual loop is closed")
        if when != when:
            raise ValueError("a timer's deadline must be a number, got nan")
        timer = Timer(when, callback, args, self, context)
        if self._hosts.any_crashed and self._hosts.is_over(context):
            timer.cancel()
            return timer
        self._timers_set += 1
        heapq.heappush(self._timers, (when, self._timers_set, timer))
        timer._scheduled = True
        return timer

    def _timer_handle_cancelled(self, handle: Timer) -> None:
        """Called by a timer that is cancelled; it stays in the heap until its turn."""
        if handle._scheduled:
            self._timers_cancelled += 1

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """As asyncio's; a task of a host ends with it, and numbers begin anew in each world."""
        name = f"Task-{next(self._task_numbers)}" if name is None else name
        own = copy_context() if context is None else context
        task: asyncio.Task[T] = super().create_task(coro, name=name, context=own)
        self._hosts.note(task, own)
        return task

    def drop_handles(self, is_over: Callable[[Context], bool]) -> list[Any]:
        """Never run what waits in a context that is over; returns what was dropped, in its order.

        Whoever gets it decides how long the dropped callbacks live.
        """
        timers = [timer for _when, _number, timer in sorted(self._timers, key=lambda e: e[:2])]
        waiting: list[Any] = [*self._ready, *timers]
        dropped = []
        for handle in waiting:
            if not handle.cancelled() and is_over(handle._context):
                dropped.append((handle._callback, handle._args))
                handle.cancel()
        return dropped

    def _run_once(self) -> None:
        """One iteration: move the clock, then run what is ready and what is due.

        The clock moves by a step, and to the next timer when nothing is ready.
        """
        ready, timers, cancelled = self._ready, self._timers, self._timers_cancelled
        if cancelled and (timers[0][2]._cancelled or cancelled > CANCELLED_TIMERS_KEPT):
            self._drop_cancelled_timers()
        now = self.now + STEP_S
        if now <= self.now:
            now = math.nextafter(self.now, math.inf)
        if not ready and not self._stopping:
            if not timers or timers[0][0] == math.inf:
                raise DeadlockError(self.who_waits())
            if timers[0][0] > now:
                now = timers[0][0]
        self.now = now
        self.iterations += 1
        if self.iterations % COLLECT_EVERY_ITERATIONS == 0:
            self._collect_garbage()
        if timers and timers[0][0] <= now + RESOLUTION_S:
            self._make_due_ready(_later(now, RESOLUTION_S))
        pop = ready.popleft
        for _ in range(len(ready)):
            handle = pop()
            if not handle._cancelled:
                try:
                    handle._context.run(handle._callback, *handle._args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:
                    report(handle, error)

    def _make_due_ready(self, before: float) -> None:
        timers = self._timers
        while timers and timers[0][0] < before:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False
            if timer._cancelled:
                self._timers_cancelled -= 1
            else:
                self._ready.append(timer)

    def _drop_cancelled_timers(self) -> None:
        timers, cancelled = self._timers, self._timers_cancelled
        if cancelled > CANCELLED_TIMERS_KEPT and cancelled > len(timers) // 2:
            for _when, _number, timer in timers:
                timer._scheduled = not timer._cancelled
            timers[:] = [entry for entry in timers if entry[2]._scheduled]
            heapq.heapify(timers)
            self._timers_cancelled = 0
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)[2]._scheduled = False
            self._timers_cancelled -= 1

    def _collect_garbage(self) -> None:
        collections = self.iterations // COLLECT_EVERY_ITERATIONS
        gc.collect(2 if collections % FULL_COLLECT_EVERY == 0 else 1)

    def who_waits(self) -> str:
        """Who waits for what, in one line: the text of a deadlock."""
        threads = self.threads.waiting() if self.threads is not None else ()
        who = who_waits(asyncio.all_tasks(self), threads)
        return f"deadlock at {self.now:.6f} s: nothing is scheduled and these wait: {who}"

    async def create_connection(
        self,
        protocol_factory: Callable[[], Any],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        sock: Any = None,
        **_socket_options: Any,
    ) -> tuple[Any, Any]:
        """Connect through the in-memory network.

        Raises: ConnectionRefusedError if nobody listens; VirtualTimeError for TLS or a socket.
        """
        if ssl:
            raise VirtualTimeError("create_connection(ssl=...): the virtual network has no TLS")
        if sock is not None or host is None or port is None:
            raise VirtualTimeError("create_connection: the virtual network needs a host and a port")
        return await self.network.connect(protocol_factory, host, int(port))

    async def create_server(  # type: ignore[override]  # as create_connection
        self,
        protocol_factory: Callable[[], Any],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        sock: Any = None,
        **_socket_options: Any,
    ) -> asyncio.AbstractServer:
        """Listen on the in-memory network. Raises OSError (EADDRINUSE) when the port is taken."""
        if ssl or sock is not None:
            raise VirtualTimeError("create_server: the virtual network has neither TLS nor sockets")
        return self.network.listen(protocol_factory, host, int(port or 0))

    def _write_to_self(self) -> None:
        """Called by `call_soon_threadsafe`: nobody sleeps in a selector, so nobody needs waking."""


def _later(now: float, by_s: float) -> float:
    """`now` and `by_s` more, or the next number there is."""
    later = now + by_s
    return later if later > now else math.nextafter(now, math.inf)


def run_virtual(main: Callable[[], Awaitable[T]], *, seed: int = 0, epoch_s: float = EPOCH_S) -> T:
    """Run `main()` to its end in a new world of virtual time and return its result.

    `seed` decides network delays, `random`, `os.urandom`; `epoch_s` is the wall clock at the start,
    in epoch seconds. Everything is put back afterwards, also after Ctrl-C, which first cancels what
    runs and lets it end.

    Raises: what `main` raises; `DeadlockError` when nothing is scheduled and somebody waits;
    `VirtualTimeError` when called inside a running loop.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise VirtualTimeError("run_virtual was called inside a running loop: call it from outside")
    loop = VirtualLoop(seed, epoch_s=epoch_s)
    with one_world() as seams:
        loop.threads = Threads(seams, loop)
        replace_clocks(seams, loop.threads.clock)
        replace_randomness(seams, seed)
        number_from_the_start(seams)
        compute_at_once(seams)
        forbid_real_time(seams)
        seams.replace_aliases()
        try:
            return run_to_the_end(loop, main, loop.threads)
        finally:
            loop.close()
