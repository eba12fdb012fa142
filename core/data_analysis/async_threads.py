"""Threads for callbacks of the asynchronous service, and how long a coroutine holds the loop.

What is called, and in which order, is in `data_analysis.async_stations`.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from data_analysis.callbacks import is_coroutine_function
from data_analysis.clock import Clock


class CallbackError(Exception):
    """A function in a thread raised what is no `Exception`, which is this one's cause."""


class CallbackThreads:
    """A pool for callbacks that block; coroutine functions still run on the loop.

    Args:
        max_workers: threads at most.
    """

    def __init__(self, max_workers: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers, thread_name_prefix="data-analysis-callback")

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function returns, a coroutine included: that is for the loop to await."""
        if is_coroutine_function(function):
            return function(*arguments)
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        result, error = await loop.run_in_executor(
            self._pool, context.run, _answer, function, arguments
        )
        if isinstance(error, Exception):
            raise error
        if error is not None:
            # What ends a thread, or cancels in it, must do neither here.
            raise CallbackError(f"{type(error).__name__}: {error}") from error
        return result

    def close(self) -> None:
        """Start nothing more; what still runs is not waited for, and counts no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _answer(
    function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[Any, BaseException | None]:
    # As a value, for a future takes no StopIteration, which a callback may raise like anything.
    try:
        return function(*arguments), None
    except BaseException as error:
        return None, error


class TimedSteps:
    """Awaits a coroutine and notes the longest time that one step of it held the loop.

    Args:
        coroutine: what to await.
        clock: for the time of a step.
    """

    __slots__ = ("_clock", "_coroutine", "longest_seconds")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], clock: Clock) -> None:
        self.longest_seconds = 0.0
        self._coroutine = coroutine
        self._clock = clock

    def __await__(self) -> Generator[Any, Any, Any]:
        """Pass on what the coroutine waits for, and what comes back."""
        step: Callable[[Any], Any] = self._coroutine.send
        given: Any = None
        while True:
            began = self._clock.monotonic()
            try:
                waits_for = step(given)
            except StopIteration as stop:
                return stop.value
            finally:
                held = self._clock.monotonic() - began
                if held > self.longest_seconds:
                    self.longest_seconds = held
            try:
                given = yield waits_for
                step = self._coroutine.send
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:
                given = error
                step = self._coroutine.throw
