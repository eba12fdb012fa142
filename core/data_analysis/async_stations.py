"""Runs callbacks and result handlers: a station's one after another, on the running loop.

What is next for a station is the engine's decision. Plain functions of all stations take turns in
one task; a station whose callback or handler awaits something has a task until it is idle.
"""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from types import CoroutineType
from typing import Any

from data_analysis.async_threads import CallbackThreads, TimedSteps
from data_analysis.callbacks import Callbacks
from data_analysis.cancelling import is_being_cancelled
from data_analysis.clock import Clock
from data_analysis.effects import (
    AwaitAnswer,
    Effect,
    Pending,
    Raised,
    RunCallback,
    RunHandlers,
)
from data_analysis.engine import Engine
from data_analysis.failure import Failed, declare_end
from data_analysis.lanes import Job
from data_analysis.work import Work

logger = logging.getLogger(__name__)

JOBS_PER_TURN = 64
"""Callbacks that may run until other tasks get a turn."""

Answer = list[Effect] | Coroutine[Any, Any, list[Effect]]
"""What a job has brought about, or a coroutine for it."""


class StationTasks:
    """The tasks of busy stations.

    Args:
        engine: gets what callbacks returned, and says what is next.
        callbacks: whom to call; `own` callbacks of a station come first.
        perform: does the effects that are not for the station itself.
        clock: time of results, and how long a callback holds the loop.
        stall_seconds: holding the loop longer is worth a warning.
        threads: where plain functions run; None for the loop.
        failed: called with what nobody has foreseen; a callback's error is not that.

    `tasks` has the newest task of each station; those of plain functions share one.
    """

    def __init__(
        self,
        engine: Engine,
        callbacks: Callbacks,
        perform: Callable[[Sequence[Effect]], None],
        clock: Clock,
        stall_seconds: float,
        threads: CallbackThreads | None,
        failed: Failed,
    ) -> None:
        self.own: dict[str, Callable[..., Any]] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._engine = engine
        self._callbacks = callbacks
        self._perform = perform
        self._clock = clock
        self._stall_seconds = stall_seconds
        self._threads = threads
        self._failed = failed
        self._ready: deque[Job] = deque()
        self._turns: asyncio.Task[None] | None = None

    def run(self, job: Job) -> None:
        """Begin with the job of an idle station, soon."""
        if self._turns is None:
            self._turns = self._task(self._take_turns())
        self._ready.append(job)
        self.tasks[job.work.station_id] = self._turns

    @property
    def answers_at_once(self) -> bool:
        """Whether callbacks are plain functions that run here."""
        every = self._callbacks.every
        return self._threads is None and not inspect.iscoroutinefunction(every)

    def go_on(self, effect: AwaitAnswer) -> None:
        """Await what a callback has returned, then do what follows for its station."""
        work, pending = effect.work, effect.pending
        answer = self._await(work, self._watched(work, pending.answer), pending.began)
        self._go_on(work.station_id, answer)

    def answer(self, station_id: str, shown: dict[str, Any]) -> Any:
        """Call back; return the result, `Raised` or `Pending`."""
        monotonic = self._clock.monotonic
        began = monotonic()
        try:
            result = (self.own.get(station_id) or self._callbacks.every)(station_id, shown)
        except asyncio.CancelledError as error:
            if is_being_cancelled():
                raise
            return Raised(error)
        except Exception as error:
            return Raised(error)
        held_seconds = monotonic() - began
        if held_seconds > self._stall_seconds:
            self._warn_of_stall(station_id, held_seconds)
        if type(result) is not dict and hasattr(result, "__await__"):
            return Pending(result, began)
        self._engine.callback_durations.add(held_seconds)
        return result

    async def begun(self, timeout_seconds: float) -> None:
        """Return when plain functions that are ready have run, within a limit; not at once."""
        if self._turns is None:
            await asyncio.sleep(0)
        else:
            await asyncio.wait([self._turns], timeout=timeout_seconds)

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
        tasks = dict.fromkeys(self.tasks.values())
        running = [task for task in tasks if not task.done() and task is not here]
        if not running:
            return 0
        await asyncio.wait(running, timeout=timeout_seconds)
        late = [task for task in running if not task.done()]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    async def _take_turns(self) -> None:
        """Do what is ready; what is to be awaited goes on in a task of its own."""
        others: list[Effect] = []
        jobs = 0
        try:
            while self._ready:
                job: Job | None = self._ready.popleft()
                while job is not None:
                    work = job.work
                    done = self._call(work) if type(job) is RunCallback else self._hand_over(work)
                    if type(done) is not list:
                        self._go_on(work.station_id, done)  # type: ignore[arg-type]  # a coroutine where it is not a list
                        break
                    job = _sort(done, others)
                    jobs += 1
                    if jobs % JOBS_PER_TURN == 0:
                        others = self._flush(others)
                        await asyncio.sleep(0)
        finally:
            self._turns = None
        self._flush(others)

    def _go_on(self, station_id: str, answer: Coroutine[Any, Any, list[Effect]]) -> None:
        self.tasks[station_id] = self._task(self._work(answer))

    async def _work(self, answer: Coroutine[Any, Any, list[Effect]]) -> None:
        """Await an answer, then do what follows for its station until nothing does."""
        others: list[Effect] = []
        job = _sort(await answer, others)
        jobs = 1
        while job is not None:
            work = job.work
            done = self._call(work) if type(job) is RunCallback else self._hand_over(work)
            if type(done) is not list:
                # Others run meanwhile: what earlier jobs brought about must not wait for this one.
                others = self._flush(others)
                done = await done  # type: ignore[misc]  # a coroutine where it is not a list
            job = _sort(done, others)
            jobs += 1
            if jobs % JOBS_PER_TURN == 0:
                others = self._flush(others)
                await asyncio.sleep(0)
        self._flush(others)

    def _task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        task.add_done_callback(partial(declare_end, "the work of a station", self._failed))
        return task

    def _flush(self, effects: list[Effect]) -> list[Effect]:
        """Perform effects; return where the next ones go."""
        self._perform(effects)
        return []

    def _call(self, work: Work) -> Answer:
        """Call back; a plain function's answer is at hand, another's is to be awaited."""
        monotonic = self._clock.monotonic
        began = monotonic()
        try:
            shown = work.show(self._engine.dispatcher.window_form)
            callback = self.own.get(work.station_id) or self._callbacks.every
            assert callback is not None, "work is only made for stations with a callback"
            if self._threads is not None:
                answer = self._threads.call(callback, work.station_id, shown)
                return self._await(work, self._in_thread(work, answer), began)
            result = callback(work.station_id, shown)
        except asyncio.CancelledError as error:
            if is_being_cancelled():
                raise
            return self._engine.failed(work, error)
        except Exception as error:
            return self._engine.failed(work, error)
        held_seconds = monotonic() - began
        if held_seconds > self._stall_seconds:
            self._warn_of_stall(work.station_id, held_seconds)
        if type(result) is not dict and hasattr(result, "__await__"):
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
            if steps.longest_seconds > self._stall_seconds:
                self._warn_of_stall(work.station_id, steps.longest_seconds)

    def _warn_of_stall(self, station_id: str, held_seconds: float) -> None:
        logger.warning(
            "the callback of station %s held the event loop for %.1f s: nothing else ran;"
            " make it a coroutine that awaits, or set run_callbacks_in='threads' for a plain"
            " function",
            station_id,
            held_seconds,
        )


def _sort(effects: list[Effect], others: list[Effect]) -> Job | None:
    """Return the station's next job, if there is one among the effects; add the rest to `others`.

    What is done for a station makes no job for another one.
    """
    job: Job | None = None
    for effect in effects:
        if type(effect) is RunCallback or type(effect) is RunHandlers:
            job = effect
        else:
            others.append(effect)
    return job
