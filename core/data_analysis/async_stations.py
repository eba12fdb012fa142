"""Runs callbacks and result handlers: a station's one after another, on the running loop.

What is next for a station is the engine's decision. Stations take turns in one task; where a
callback or handler waits for something, that task stays with its station, and another one goes on.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from types import CoroutineType
from typing import Any

from data_analysis.async_threads import CallbackThreads, TimedSteps
from data_analysis.callbacks import Callbacks, is_coroutine_function
from data_analysis.cancelling import ends_the_task
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
from data_analysis.handover import SECONDS_AT_ONCE, Call
from data_analysis.lanes import Job
from data_analysis.work import Work

logger = logging.getLogger(__name__)

JOBS_PER_TURN = 64
"""Callbacks that may run until other tasks get a turn, if these take no longer than
`SECONDS_AT_ONCE` together."""

ALONE_JOBS = 1000
"""Where a job has waited, so many that may do so too have a task each: to find each of them waiting
takes twice as long. Then it is tried again whether they still wait."""

Answer = list[Effect] | Coroutine[Any, Any, list[Effect]]
"""What a job has brought about, or a coroutine for it."""


class _Turn:
    """What one task has brought about that is still to be performed, and whether it waits now."""

    __slots__ = ("_over", "effects", "waits")

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self.waits = False
        self._over = False

    def over(self) -> bool:
        """Return whether another task has gone on with what is ready."""
        return self._over

    def end(self) -> None:
        """Leave what is ready to another task."""
        self._over = True


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

    `tasks` has the newest task of each station; stations share one until one of them waits.
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
        self._ready: deque[Job | AwaitAnswer] = deque()
        self._turns: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()
        self._alone = 0

    def run(self, job: Job | AwaitAnswer) -> None:
        """Begin with the job of an idle station, or go on with one that was called, soon."""
        if self._turns is None:
            self._begun.clear()
            self._turns = self._task(self._take_turns())
        self._ready.append(job)
        self.tasks[job.work.station_id] = self._turns

    @property
    def answers_at_once(self) -> bool:
        """Whether callbacks are plain functions that run here."""
        every = self._callbacks.every
        return self._threads is None and (every is None or not is_coroutine_function(every))

    def answering(self) -> Call:
        """Return what calls back for records that the running task hands over."""
        monotonic, durations = self._clock.monotonic, self._engine.callback_durations
        add = durations.add
        own, every, stall_seconds = self.own, self._callbacks.every, self._stall_seconds
        tasks, here = self.tasks, asyncio.current_task()
        assert here is not None, "records are handed over in a task"

        def answer(station_id: str, shown: dict[str, Any]) -> Any:
            callback = own.get(station_id, every)
            tasks[station_id] = here
            began = monotonic()
            try:
                result = callback(station_id, shown)  # type: ignore[misc]  # the asked have one
            except BaseException as error:
                if ends_the_task(error):
                    raise
                durations.held_seconds += monotonic() - began
                return Raised(error)
            held_seconds = monotonic() - began
            durations.held_seconds += held_seconds
            if held_seconds > stall_seconds:
                self._warn_of_stall(station_id, held_seconds)
            if type(result) is not dict and hasattr(result, "__await__"):
                return Pending(result, began)
            add(held_seconds)
            return result

        return answer

    async def begun(self, timeout_seconds: float) -> None:
        """Return when all that is ready has begun, within a limit; not at once."""
        if self._turns is None:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._begun.wait()

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
        """Do what is ready, until something is to be waited for: another task goes on then."""
        turn = _Turn()
        try:
            while self._ready and not turn.over():
                self._watch(turn)
                await self._take_some(turn)
        finally:
            if not turn.over():
                self._turns = None
                self._begun.set()
        self._flush(turn)

    async def _take_some(self, turn: "_Turn") -> None:
        """Do so much until other tasks get a turn."""
        durations = self._engine.callback_durations
        jobs, most_seconds = 0, durations.held_seconds + SECONDS_AT_ONCE
        while self._ready and not turn.over():
            job: Job | AwaitAnswer | None = self._ready.popleft()
            while job is not None:
                done = self._do(job)
                if type(done) is not list:
                    if self._alone and not turn.over():
                        self._alone -= 1
                        task = self._task(self._work(done))  # type: ignore[arg-type]  # a coroutine
                        self.tasks[job.work.station_id] = task
                        break
                    if turn.over():
                        # What earlier jobs brought about must not wait for this one.
                        self._flush(turn)
                    turn.waits = True
                    done = await done  # type: ignore[misc]  # a coroutine where it is not a list
                    turn.waits = False
                job = _sort(done, turn.effects)
                jobs += 1
                if jobs % JOBS_PER_TURN == 0 or durations.held_seconds > most_seconds:
                    self._flush(turn)
                    await asyncio.sleep(0)
                    most_seconds = durations.held_seconds + SECONDS_AT_ONCE
                    if not turn.over():
                        self._watch(turn)

    async def _work(self, answer: Coroutine[Any, Any, list[Effect]]) -> None:
        """Await an answer, then do what follows for its station until nothing does."""
        turn = _Turn()
        turn.end()
        job, jobs = _sort(await answer, turn.effects), 1
        while job is not None:
            done = self._do(job)
            if type(done) is not list:
                # Others run meanwhile: what earlier jobs brought about must not wait for this one.
                self._flush(turn)
                done = await done  # type: ignore[misc]  # a coroutine where it is not a list
            job = _sort(done, turn.effects)
            jobs += 1
            if jobs % JOBS_PER_TURN == 0:
                self._flush(turn)
                await asyncio.sleep(0)
        self._flush(turn)

    def _watch(self, turn: "_Turn") -> None:
        """Look, when the loop goes on, whether that is because a job waits for something."""
        asyncio.get_running_loop().call_soon(self._look, turn)

    def _look(self, turn: "_Turn") -> None:
        if not turn.waits or turn.over():
            return
        turn.end()
        self._alone = ALONE_JOBS
        self._flush(turn)
        self._turns = self._task(self._take_turns()) if self._ready else None
        if self._turns is None:
            self._begun.set()
        for job in self._ready:
            self.tasks[job.work.station_id] = self._turns  # type: ignore[assignment]  # it is one

    def _do(self, job: Job | AwaitAnswer) -> Answer:
        """Begin with a job; what it brings about is at hand, or to be awaited."""
        work = job.work
        if type(job) is RunCallback:
            return self._call(work)
        if type(job) is AwaitAnswer:
            pending = job.pending
            return self._await(work, self._watched(work, pending.answer), pending.began)
        return self._hand_over(work)

    def _task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        task.add_done_callback(partial(declare_end, "the work of a station", self._failed))
        return task

    def _flush(self, turn: "_Turn") -> None:
        """Perform what a turn has brought about."""
        effects, turn.effects = turn.effects, []
        self._perform(effects)

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
        except BaseException as error:
            if ends_the_task(error):
                raise
            self._engine.callback_durations.held_seconds += monotonic() - began
            return self._engine.failed(work, error)
        held_seconds = monotonic() - began
        self._engine.callback_durations.held_seconds += held_seconds
        if held_seconds > self._stall_seconds:
            self._warn_of_stall(work.station_id, held_seconds)
        if type(result) is not dict and hasattr(result, "__await__"):
            return self._await(work, self._watched(work, result), began)
        self._engine.callback_durations.add(held_seconds)
        return self._engine.finished(work, result, self._clock.time())

    async def _await(self, work: Work, answer: Awaitable[Any], began: float) -> list[Effect]:
        try:
            result = await answer
        except BaseException as error:
            if ends_the_task(error):
                raise
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
            except BaseException as error:
                if ends_the_task(error):
                    raise
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
