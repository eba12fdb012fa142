"""`run_virtual_blocking`: a blocking program as the main of a world of virtual time."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from station_sim.clock import EPOCH_S, VirtualLoop, run_virtual

T = TypeVar("T")


def run_virtual_blocking(main: Callable[[], T], *, seed: int = 0, epoch_s: float = EPOCH_S) -> T:
    """Run a blocking `main()` in a new world of virtual time and return its result.

    It runs in a virtual thread named `main`, for which `station_sim.clock.run_virtual` is told to
    wait; otherwise as that function.
    """

    async def world() -> T:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            try:
                result = main()
            except KeyboardInterrupt:
                loop.call_soon(outcome.cancel)
            except BaseException as error:
                loop.call_soon(_fail, outcome, error)
            else:
                loop.call_soon(_succeed, outcome, result)

        thread = threading.Thread(target=run, name="main")
        thread.start()
        try:
            return await asyncio.shield(outcome)
        except asyncio.CancelledError:
            _interrupt(loop, thread)
            await asyncio.wait([outcome])
            raise

    return run_virtual(world, seed=seed, epoch_s=epoch_s)


def _interrupt(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    """Pass Ctrl-C on to where `main` waits, so that it can clean up."""
    assert isinstance(loop, VirtualLoop), "it runs in a world"
    assert loop.threads is not None, "it runs in a world"
    scheduler = loop.threads.scheduler
    found = scheduler.threads.get(thread.ident or 0)
    if found is not None:
        scheduler.throw(found, KeyboardInterrupt())


def _succeed(outcome: "asyncio.Future[T]", result: T) -> None:
    if not outcome.done():
        outcome.set_result(result)


def _fail(outcome: "asyncio.Future[T]", error: BaseException) -> None:
    if not outcome.done():
        outcome.set_exception(error)
