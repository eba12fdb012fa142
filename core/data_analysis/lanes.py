"""Per station, one thing after another: what runs, and what waits behind it."""

from collections import deque
from collections.abc import Callable, Container

from data_analysis.effects import RunCallback, RunHandlers
from data_analysis.work import Work

Job = RunCallback | RunHandlers


class Lanes:
    """One lane per busy station; a job runs while others of its station wait."""

    def __init__(self) -> None:
        # None while nothing waits behind the job that runs.
        self._waiting: dict[str, deque[Job] | None] = {}
        self.busy: Container[str] = self._waiting
        """The stations for which something runs."""

    @property
    def idle(self) -> bool:
        """Whether no job runs."""
        return not self._waiting

    def line_up(self, job: Job) -> Job | None:
        """Return the job if it may run now, or None: it waits then."""
        lanes, station_id = self._waiting, job.work.station_id
        if station_id not in lanes:
            lanes[station_id] = None
            return job
        waiting = lanes[station_id]
        if waiting is None:
            lanes[station_id] = deque((job,))
        else:
            waiting.append(job)
        return None

    def next(self, station_id: str) -> Job | None:
        """The station's job has ended: return its next one, None if the station is idle now."""
        waiting = self._waiting[station_id]
        if waiting:
            return waiting.popleft()
        del self._waiting[station_id]
        return None

    def empty(self, station_id: str) -> list[Work]:
        """Take out what waits for a station."""
        waiting = self._waiting.get(station_id) or deque()
        works = [job.work for job in waiting]
        waiting.clear()
        return works

    def drop(self, unwanted: Callable[[Work], bool]) -> list[Work]:
        """Take out waiting jobs whose work is not wanted any more."""
        dropped: list[Work] = []
        for waiting in self._waiting.values():
            jobs = list(waiting or ())
            if waiting:
                waiting.clear()
            for job in jobs:
                if unwanted(job.work):
                    dropped.append(job.work)
                elif waiting is not None:
                    waiting.append(job)
        return dropped
