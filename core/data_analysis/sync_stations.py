"""Runs callbacks and result handlers in a pool: a station's one after another.

What is next for a station is the engine's decision.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from data_analysis.callbacks import Callbacks
from data_analysis.clock import WALL, Clock
from data_analysis.effects import Effect, RunCallback, RunHandlers
from data_analysis.engine import Engine
from data_analysis.failure import Failed
from data_analysis.work import Work

TURN_SECONDS = 0.01
"""How long a station keeps its thread while others wait for one; its current job ends first."""


class StationThreads:
    """The work of busy stations: one job of the pool for each.

    Args:
        engine: gets what callbacks returned, and says what is next.
        lock: held by whoever touches the engine; never while a callback runs.
        callbacks: whom to call.
        own: callbacks by station, which come first.
        perform: does the effects that are not for the station itself, under the lock.
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
        self.futures: dict[str, Future[None]] = {}
        self._engine = engine
        self._lock = lock
        self._callbacks = callbacks
        self._own = own
        self._perform = perform
        self._clock = clock
        self._failed = failed
        self._pool = ThreadPoolExecutor(max_workers, thread_name_prefix="station")
        self._here = threading.local()

    def run(self, job: RunCallback | RunHandlers) -> None:
        """Give an idle station a thread."""
        station_id = job.work.station_id
        self.futures[station_id] = self._pool.submit(self._work, station_id, job)

    def forget(self, stations: Sequence[str]) -> None:
        """Keep no finished futures of stations that are not among these."""
        kept = dict.fromkeys(stations)
        for station_id in [each for each in self.futures if each not in kept]:
            if self.futures[station_id].done():
                del self.futures[station_id]

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

    def _running(self, station_ids: Sequence[str] | None) -> list[Future[None]]:
        here = getattr(self._here, "station_id", None)
        with self._lock:
            wanted = list(self.futures) if station_ids is None else station_ids
            known = [self.futures[each] for each in wanted if each in self.futures and each != here]
        return [future for future in known if not future.done()]

    def stop(self) -> None:
        """Begin nothing more; a callback that runs cannot be ended, what it returns is ignored."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, station_id: str, first: RunCallback | RunHandlers) -> None:
        self._here.station_id = station_id
        turn_ends_at = WALL.monotonic() + TURN_SECONDS
        try:
            job: RunCallback | RunHandlers | None = first
            while job is not None:
                job = self._do(job, turn_ends_at)
        except Exception as error:
            self._failed("the work of a station", error)
        finally:
            self._here.station_id = None

    def _do(
        self, job: RunCallback | RunHandlers, turn_ends_at: float
    ) -> RunCallback | RunHandlers | None:
        """Do one job and what follows from it; return the station's next one if it goes on here."""
        answer = self._call(job.work) if type(job) is RunCallback else self._hand_over(job.work)
        following: RunCallback | RunHandlers | None = None
        with self._lock:
            others: list[Effect] = []
            for effect in answer():
                if isinstance(effect, RunCallback | RunHandlers):
                    following = effect
                else:
                    others.append(effect)
            self._perform(others)
            if following is not None and WALL.monotonic() >= turn_ends_at:
                self._perform([following])
                return None
        return following

    def _call(self, work: Work) -> Callable[[], list[Effect]]:
        """Call back; return what tells the engine of it."""
        engine = self._engine
        callback = self._own.get(work.station_id) or self._callbacks.every
        assert callback is not None, "work is only made for stations with a callback"
        began = WALL.monotonic()
        try:
            shown = work.show(engine.dispatcher.window_form)
            result = callback(work.station_id, shown)
        except Exception as error:
            failure = error
            return lambda: engine.failed(work, failure)
        took_seconds = WALL.monotonic() - began

        def finished() -> list[Effect]:
            engine.callback_durations.add(took_seconds)
            return engine.finished(work, result, self._clock.time())

        return finished

    def _hand_over(self, work: Work) -> Callable[[], list[Effect]]:
        """Run the handlers; return what tells the engine of it."""
        errors: list[BaseException] = []
        station, result = work.station_id, work.result
        for handler, arguments in (
            (self._callbacks.result, (station, result)),
            (self._callbacks.full_result, (station, work.shown, result)),
        ):
            if handler is not None:
                try:
                    handler(*arguments)
                except Exception as error:
                    errors.append(error)
        return lambda: self._engine.handled(work, errors)
