"""Virtual time: a loop whose clock jumps to the next timer, and `run_virtual`, which uses it.

Here live the loop, the order of its timers and its detection of deadlocks. What the loop's
connections run on is in `network.py`; what the rest of the process sees while a world runs (`time`,
`random`, guards) is in `seams.py`.

Semantics 39 to 42: time moves to the next timer when nothing is ready, and by a tiny step at every
iteration; computing takes no time; the same seed gives the same run in any process.
"""

import asyncio
import gc
import heapq
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, NoReturn, TypeVar

from station_sim.errors import DeadlockError, VirtualTimeError
from station_sim.network import Network
from station_sim.seams import virtual_seams

T = TypeVar("T")

EPOCH_S = 1772294400.0
"""Where a world's wall clock starts unless told otherwise: 2026-03-01 00:00 in Asia/Shanghai."""

STEP_S = 1e-7
"""What an iteration of the loop costs: clients that poll until a deadline get there."""

RESOLUTION_S = 1e-9
"""Timers due within this of now are run together; far below the step, far above a float's error."""

COLLECT_EVERY_ITERATIONS = 100_000
"""Cycles are collected at iterations, not at allocations: finalizers run at the same instant."""

CANCELLED_TIMERS_KEPT = 1000
"""Beyond this many cancelled timers the heap is rebuilt without them."""

FULL_COLLECT_EVERY = 50
"""Every so many collections the oldest generation is looked through too."""


class Timer(asyncio.TimerHandle):
    """asyncio's timer; names what a loop keeps in it."""

    __slots__ = ()
    _cancelled: bool
    _scheduled: bool
    """True while the timer is in the loop's heap."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop in virtual time with an in-memory network.

    `now` is in seconds since the start of the world; `time()` returns it. `epoch_s + now` is the
    world's wall clock. `network` carries every connection that is opened on this loop.
    """

    # What asyncio's base class keeps and this loop uses.
    _closed: bool
    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self, seed: int = 0, *, epoch_s: float = EPOCH_S) -> None:
        super().__init__()
        self.seed = seed
        self.epoch_s = epoch_s
        self.now = 0.0
        self.network = Network(self, seed)
        self._timers: list[tuple[float, int, Timer]] = []
        self._timers_set = 0
        self._timers_cancelled = 0
        self._iterations = 0

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
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]  # typeshed's signature uses TypeVarTuple
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's, but equal deadlines keep the order in which they were set."""
        if self._closed:
            raise RuntimeError("the virtual loop is closed")
        timer = Timer(when, callback, args, self, context)
        self._timers_set += 1
        heapq.heappush(self._timers, (when, self._timers_set, timer))
        timer._scheduled = True
        return timer

    def _timer_handle_cancelled(self, handle: Timer) -> None:
        """Called by a timer that is cancelled; it stays in the heap until its turn."""
        if handle._scheduled:
            self._timers_cancelled += 1

    def _run_once(self) -> None:
        """One iteration: move the clock, then run what is ready and what is due.

        The clock moves by a step, and to the next timer when nothing is ready.
        """
        if self._timers_cancelled:
            self._drop_cancelled_timers()
        now = self.now + STEP_S
        if not self._ready and not self._stopping:
            if not self._timers:
                raise DeadlockError(self.who_waits())
            now = max(now, self._timers[0][0])
        self.now = now
        self._collect_garbage()
        self._make_due_ready(now + RESOLUTION_S)
        pop = self._ready.popleft
        for _ in range(len(self._ready)):
            handle = pop()
            if not handle._cancelled:
                handle._run()

    def _make_due_ready(self, before: float) -> None:
        timers = self._timers
        while timers and timers[0][0] < before:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False
            self._ready.append(timer)

    def _drop_cancelled_timers(self) -> None:
        timers = self._timers
        if self._timers_cancelled > CANCELLED_TIMERS_KEPT:
            for _when, _number, timer in timers:
                timer._scheduled = not timer._cancelled
            timers[:] = [entry for entry in timers if entry[2]._scheduled]
            heapq.heapify(timers)
            self._timers_cancelled = 0
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)[2]._scheduled = False
            self._timers_cancelled -= 1

    def _collect_garbage(self) -> None:
        self._iterations += 1
        if self._iterations % COLLECT_EVERY_ITERATIONS == 0:
            collections = self._iterations // COLLECT_EVERY_ITERATIONS
            gc.collect(2 if collections % FULL_COLLECT_EVERY == 0 else 1)

    def who_waits(self) -> str:
        """Who waits for what, in one line: the text of a deadlock."""
        waits = sorted(_waiting(task) for task in asyncio.all_tasks(self))
        who = "; ".join(waits) or "no task at all"
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
        return await self.network.connect(protocol_factory, host, port)

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
        return self.network.listen(protocol_factory, host or "localhost", port or 0)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> NoReturn:  # type: ignore[override]  # refuses
        raise VirtualTimeError(
            f"run_in_executor({getattr(func, '__name__', func)}): real threads do not exist in"
            " virtual time; await the work instead"
        )

    async def getaddrinfo(self, host: Any, port: Any, **_options: Any) -> NoReturn:
        raise VirtualTimeError(f"getaddrinfo({host}): names are resolved by the virtual network")

    async def subprocess_exec(self, *args: Any, **_options: Any) -> NoReturn:
        raise VirtualTimeError("subprocess_exec: a subprocess lives in real time")

    async def subprocess_shell(self, *args: Any, **_options: Any) -> NoReturn:
        raise VirtualTimeError("subprocess_shell: a subprocess lives in real time")

    def _write_to_self(self) -> None:
        """Called by `call_soon_threadsafe`: nobody sleeps in a selector, so nobody needs waking."""


def _waiting(task: "asyncio.Task[Any]") -> str:
    """`name in function (file:line) waits for what`; no addresses, so that texts compare."""
    frames = task.get_stack()
    if not frames:
        return f"{task.get_name()} not started"
    code = frames[-1].f_code
    waits_for = getattr(task, "_fut_waiter", None)
    kind = type(waits_for).__name__ if waits_for is not None else "the loop"
    where = f"{code.co_filename.rsplit('/', 1)[-1]}:{frames[-1].f_lineno}"
    return f"{task.get_name()} in {code.co_qualname} ({where}) waits for {kind}"


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
    with virtual_seams(loop, seed):
        try:
            return _run(loop, main)
        finally:
            loop.close()


def _run(loop: VirtualLoop, main: Callable[[], Awaitable[T]]) -> T:
    async def program() -> T:
        return await main()

    task = loop.create_task(program(), name="main")
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        if not task.done():
            task.cancel()
            _settle(loop, [task])
        raise
    finally:
        _cancel_rest(loop)


def _cancel_rest(loop: VirtualLoop) -> None:
    """Cancel what `main` left running, as `asyncio.run` does, and close open generators."""
    rest = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    for task in rest:
        task.cancel()
    _settle(loop, rest)
    loop.run_until_complete(loop.shutdown_asyncgens())


def _settle(loop: VirtualLoop, tasks: "list[asyncio.Task[Any]]") -> None:
    """Run the loop until cancelled `tasks` have ended; their errors are reported, not raised."""
    if not tasks:
        return
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler(
                {
                    "message": "a task failed while the virtual world was ending",
                    "exception": task.exception(),
                    "task": task,
                }
            )
