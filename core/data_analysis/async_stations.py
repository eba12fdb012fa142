"""Runs callbacks and result handlers: one task per busy station, one thing after another in it.

What is next for a station is the engine's decision.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from types import CoroutineType
from typing import Any

from data_analysis.async_threads import CallbackThreads, TimedSteps
from data_analysis.callbacks import Callbacks
from data_analysis.cancelling import is_being_cancelled
from data_analysis.clock import Clock
from data_analysis.effects import Effect, RunCallback, RunHandlers
from data_analysis.engine import Engine
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

    def run(self, job: RunCallback | RunHandlers) -> None:
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

    async def _work(self, first: RunCallback | RunHandlers) -> None:
        job: RunCallback | RunHandlers | None = first
        jobs = 0
        while job is not None:
            if type(job) is RunCallback:
                effects = await self._call(job.work)
            else:
                effects = await self._hand_over(job.work)
            job = None
            others: list[Effect] = []
            for effect in effects:
                if isinstance(effect, RunCallback | RunHandlers):
                    job = effect
                else:
                    others.append(effect)
            self._perform(others)
            jobs += 1
            if jobs % JOBS_PER_TURN == 0:
                await asyncio.sleep(0)

    async def _call(self, work: Work) -> list[Effect]:
        engine = self._engine
        callback = self.own.get(work.station_id) or self._callbacks.every
        assert callback is not None, "work is only made for stations with a callback"
        began = self._clock.monotonic()
        try:
            shown = work.shown = work.snapshot.assemble(engine.dispatcher.window_form)
            if self._threads is None:
                result = callback(work.station_id, shown)
                self._check_stall(work, self._clock.monotonic() - began)
            else:
                result = await self._threads.call(callback, work.station_id, shown)
            if hasattr(result, "__await__"):
                result = await self._watched(work, result)
        except asyncio.CancelledError as error:
            if is_being_cancelled():
                raise
            return engine.failed(work, error)
        except Exception as error:
            return engine.failed(work, error)
        engine.callback_durations.add(self._clock.monotonic() - began)
        return engine.finished(work, result, self._clock.time())

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
