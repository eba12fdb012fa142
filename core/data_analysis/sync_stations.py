"""Runs callbacks and result handlers in threads: a station's one after another.

What is next for a station is the engine's decision. It is told of many callbacks at once, for
whoever gets at it keeps others from it.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Any

from data_analysis.callbacks import Callbacks
from data_analysis.clock import WALL, Clock
from data_analysis.effects import Effect, RunCallback
from data_analysis.engine import Engine
from data_analysis.failure import Failed
from data_analysis.lanes import Job
from data_analysis.sync_threads import ends_with_process
from data_analysis.sync_workers import Workers


class Answer:
    """What has become of a job: a callback's result or error, or the errors of handlers."""

    __slots__ = ("errors", "job", "result", "took_seconds")

    def __init__(
        self, job: Job, result: Any, errors: Sequence[BaseException], took_seconds: float
    ) -> None:
        self.job = job
        self.result = result
        self.errors = errors
        self.took_seconds = took_seconds


class StationThreads:
    """The work of busy stations; each has one job at a time.

    Args:
        engine: gets what callbacks returned, and says what is next.
        lock: held by whoever touches the engine; never while a callback runs.
        callbacks: whom to call.
        own: callbacks by station, which come first.
        perform: does the engine's effects, under the lock.
        clock: time of results.
        max_workers: callbacks that run at a time.
        failed: called with what nobody has foreseen; a callback's error is not that.
    """

    def __init__(
        self,
        engine: Engine,
        lock: threading.RLock,
        callbacks: Callbacks,
        own: Mapping[str, Callable[..., Any]],
        perform: Callable[[Sequence[Effect]], None],
        clock: Clock,
        max_workers: int,
        failed: Failed,
    ) -> None:
        self._engine = engine
        self._lock = lock
        self._callbacks = callbacks
        self._own = own
        self._perform = perform
        self._clock = clock
        self._workers: Workers[Job] = Workers(
            "station", max_workers, self._do, self._settle, failed
        )
        self._here = threading.local()
        self._answers: deque[Answer] = deque()
        # Futures are made for who asks for one: few do, and every record would have one.
        self._worked: dict[str, Future[None] | None] = {}
        self._busy: set[str] = set()
        self._awaited: dict[str, Future[None]] = {}

    def run(self, jobs: Sequence[Job]) -> None:
        """Do the jobs of stations that have none. The lock is held."""
        for job in jobs:
            station_id = job.work.station_id
            if station_id not in self._awaited:
                self._worked[station_id] = None
            self._busy.add(station_id)
        self._workers.add(jobs)

    def watch(self) -> None:
        """Have as many threads call back as are of use, until the end."""
        self._workers.watch()

    def futures(self) -> dict[str, Future[None]]:
        """Return a future for each station that has had work: done once it has none. Under the
        lock."""
        return {station_id: self._future(station_id) for station_id in self._worked}

    def forget(self, station_id: str) -> None:
        """Know nothing of what a station did before. The lock is held."""
        self._worked.pop(station_id, None)

    def keep(self, stations: Sequence[str]) -> None:
        """Know nothing of idle stations that are not among these. The lock is held."""
        kept = dict.fromkeys(stations)
        for station_id in [each for each in self._worked if each not in kept]:
            if station_id not in self._busy:
                del self._worked[station_id]

    def wait_for(self, station_ids: Sequence[str] | None, timeout_seconds: float) -> int:
        """Wait for what runs of these stations, or of all; return how many did not end.

        The callback that calls this itself is not waited for.
        """
        deadline = WALL.monotonic() + timeout_seconds
        while True:
            running = self._running(station_ids)
            left_seconds = deadline - WALL.monotonic()
            if not running or left_seconds <= 0:
                return len(running)
            wait(running, timeout=left_seconds)

    def wait_until_begun(self, timeout_seconds: float) -> None:
        """Wait, within a limit, until every job that may run has begun."""
        self._workers.wait_until_begun(timeout_seconds)

    def stop(self) -> None:
        """Begin nothing more; a callback that runs cannot be ended, what it returns is ignored."""
        self._workers.stop()
        with self._lock:
            for future in self._awaited.values():
                future.cancel()
            self._awaited.clear()

    def _running(self, station_ids: Sequence[str] | None) -> list[Future[None]]:
        here = getattr(self._here, "station_id", None)
        with self._lock:
            wanted = sorted(self._busy) if station_ids is None else station_ids
            return [self._future(each) for each in wanted if each in self._busy and each != here]

    def _future(self, station_id: str) -> Future[None]:
        future = self._worked.get(station_id) or self._awaited.get(station_id)
        if future is None:
            future = self._worked[station_id] = Future()
            if station_id in self._busy:
                self._awaited[station_id] = future
            else:
                future.set_result(None)
        return future

    # What the engine is told.

    def _settle(self) -> None:
        """Tell the engine what jobs have brought about, all that there is."""
        with self._lock:
            effects: list[Effect] = []
            now = self._clock.time()
            for _ in range(len(self._answers)):
                answer = self._answers.popleft()
                self._busy.discard(answer.job.work.station_id)
                effects += self._tell(answer, now)
            self._perform(effects)
            for station_id in [each for each in self._awaited if each not in self._busy]:
                self._awaited.pop(station_id).set_result(None)

    def _tell(self, answer: Answer, now: float) -> list[Effect]:
        engine, job = self._engine, answer.job
        if type(job) is not RunCallback:
            return engine.handled(job.work, answer.errors)
        if answer.errors:
            return engine.failed(job.work, answer.errors[0])
        engine.callback_durations.add(answer.took_seconds)
        return engine.finished(job.work, answer.result, now)

    # What runs in a thread of the workers, without the lock.

    def _do(self, job: Job) -> None:
        self._here.station_id = job.work.station_id
        answer = self._call(job) if type(job) is RunCallback else self._hand_over(job)
        self._here.station_id = None
        self._answers.append(answer)

    def _call(self, job: Job) -> Answer:
        work = job.work
        callback = self._own.get(work.station_id) or self._callbacks.every
        assert callback is not None, "work is only made for stations with a callback"
        began = WALL.monotonic()
        try:
            shown = work.show(self._engine.dispatcher.window_form)
            result = callback(work.station_id, shown)
        except BaseException as error:
            if ends_with_process(error):
                raise
            return Answer(job, None, (error,), 0.0)
        took_seconds = WALL.monotonic() - began
        if result is not None and not self._callbacks.handle:
            # Inputs that are kept until the engine is told are what garbage is searched for in.
            work.let_go()
        return Answer(job, result, (), took_seconds)

    def _hand_over(self, job: Job) -> Answer:
        errors: list[BaseException] = []
        work = job.work
        station, result = work.station_id, work.result
        for handler, arguments in (
            (self._callbacks.result, (station, result)),
            (self._callbacks.full_result, (station, work.shown, result)),
        ):
            if handler is not None:
                try:
                    handler(*arguments)
                except BaseException as error:
                    if ends_with_process(error):
                        raise
                    errors.append(error)
        return Answer(job, None, errors, 0.0)
