"""Runs callbacks and result handlers: one task per busy station, one thing after another in it.

What is next for a station is the engine's decision.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from types import CoroutineType
from typing import Any

from data_analysis.async_threads import CallbackThreads, TimedSteps
from data_analysis.callbacks import Callbacks
from data_analysis.cancelling import is_being_cancelled
from data_analysis.clock import Clock
from data_analysis.effects import Effect, RunCallback, RunHandlers
from data_analysis.engine import Engine
from data_analysis.lanes import Job
from data_analysis.work import Work

logger = logging.getLogger(__name__)

JOBS_PER_TURN = 64
"""Callbacks of one station that may run before other tasks get a turn."""


class StationTasks:
    """The tasks of busy stations.

    Args:
        engine: gets what callbacks returned, and says what is next.
        callbacks: whom to call; `own` callbacks of a station come first.
        perform: does the effects that are not for the station itself.
        clock: time of results, and how long a callback holds the loop.
        stall_seconds: holding the loop longer is worth a warning.
        threads: where plain functions run; None for the loop.
    """

    def __init__(
        self,
        engine: Engine,
        callbacks: Callbacks,
        perform: Callable[[Sequence[Effect]], None],
        clock: Clock,
        stall_seconds: float,
        threads: CallbackThreads | None = None,
    ) -> None:
        self.own: dict[str, Callable[..., Any]] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._engine = engine
        self._callbacks = callbacks
        self._perform = perform
        self._clock = clock
        self._stall_seconds = stall_seconds
        self._threads = threads

    def run(self, job: Job) -> None:
        """Start an idle station's task."""
        task = asyncio.get_running_loop().create_task(self._work(job))
        self.tasks[job.work.station_id] = task

    def forget(self, stations: Sequence[str]) -> None:
        """Keep no finished tasks of stations that are not among these."""
        kept = dict.fromkeys(stations)
        for station_id in [each for each in self.tasks if each not in kept]:
            if self.tasks[station_id].done():
                del self.tasks[station_id]

    async def stop(self, timeout_seconds: float) -> int:
        """Wait for running tasks within a limit, then cancel; return how many were cancelled.

        The task of a callback that stops the service goes on.
        """
        here = asyncio.current_task()
        running = [task for task in self.tasks.values() if not task.done() and task is not here]
        if not running:
            return 0
        await asyncio.wait(running, timeout=timeout_seconds)
        late = [task for task in running if not task.done()]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    async def _work(self, first: Job) -> None:
        job: Job | None = first
        jobs = 0
        others: list[Effect] = []
        while job is not None:
            done = self._call(job.work) if type(job) is RunCallback else self._hand_over(job.work)
            if type(done) is not list:
                # Others run meanwhile: what earlier jobs brought about must not wait for this one.
                others = self._flush(others)
                done = await done  # type: ignore[misc]  # a coroutine where it is not a list
            job = None
            for effect in done:
                if type(effect) is RunCallback or type(effect) is RunHandlers:
                    job = effect
                else:
                    others.append(effect)
            jobs += 1
            if jobs % JOBS_PER_TURN == 0:
                others = self._flush(others)
                await asyncio.sleep(0)
        self._flush(others)

    def _flush(self, effects: list[Effect]) -> list[Effect]:
        """Perform effects; return where the next ones go."""
        self._perform(effects)
        return []

    def _call(self, work: Work) -> list[Effect] | Coroutine[Any, Any, list[Effect]]:
        """Call back; a plain function's answer is at hand, another's is to be awaited."""
        began = self._clock.monotonic()
        try:
            work.shown = work.snapshot.assemble(self._engine.dispatcher.window_form)
            callback = self.own.get(work.station_id) or self._callbacks.every
            assert callback is not None, "work is only made for stations with a callback"
            if self._threads is not None:
                answer = self._threads.call(callback, work.station_id, work.shown)
                return self._await(work, self._in_thread(work, answer), began)
            result = callback(work.station_id, work.shown)
        except asyncio.CancelledError as error:
            if is_being_cancelled():
                raise
            return self._engine.failed(work, error)
        except Exception as error:
            return self._engine.failed(work, error)
        held_seconds = self._clock.monotonic() - began
        self._check_stall(work, held_seconds)
        if hasattr(result, "__await__"):
            return self._await(work, self._watched(work, result), began)
        self._engine.callback_durations.add(held_seconds)
        return self._engine.finished(work, result, self._clock.time())

    async def _await(self, work: Work, answer: Awaitable[Any], began: float) -> list[Effect]:
        try:
            result = await answer
        except asyncio.CancelledError as error:
            if is_being_cancelled():
                raise
            return self._engine.failed(work, error)
        except Exception as error:
            return self._engine.failed(work, error)
        self._engine.callback_durations.add(self._clock.monotonic() - began)
        return self._engine.finished(work, result, self._clock.time())

    async def _in_thread(self, work: Work, answer: Awaitable[Any]) -> Any:
        """Return what a callback gives that runs in a thread; it may be a coroutine for us."""
        result = await answer
        return await self._watched(work, result) if hasattr(result, "__await__") else result

    async def _hand_over(self, work: Work) -> list[Effect]:
        errors: list[BaseException] = []
        station, result = work.station_id, work.result
        for handler, arguments in (
            (self._callbacks.result, (station, result)),
            (self._callbacks.full_result, (station, work.shown, result)),
        ):
            if handler is None:
                continue
            try:
                if self._threads is None:
                    answer = handler(*arguments)
                else:
                    answer = await self._threads.call(handler, *arguments)
                if hasattr(answer, "__await__"):
                    await answer
            except asyncio.CancelledError as error:
                if is_being_cancelled():
                    raise
                errors.append(error)
            except Exception as error:
                errors.append(error)
        return self._engine.handled(work, errors)

    async def _watched(self, work: Work, result: Any) -> Any:
        """Return what a callback's awaitable gives; say so if a step of it held the loop."""
        if type(result) is not CoroutineType:
            return await result
        steps = TimedSteps(result, self._clock)
        try:
            return await steps
        finally:
            self._check_stall(work, steps.longest_seconds)

    def _check_stall(self, work: Work, held_seconds: float) -> None:
        if held_seconds > self._stall_seconds:
            logger.warning(
                "the callback of station %s held the event loop for %.1f s: nothing else ran;"
                " make it a coroutine that awaits, or set run_callbacks_in='threads' for a plain"
                " function",
                work.station_id,
                held_seconds,
            )
