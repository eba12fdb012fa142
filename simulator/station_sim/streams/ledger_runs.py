"""The ledger of a long run: regular runs as ranges, exceptions singly, nothing recomputable.

A run of one entity is (first due, count, period); what the imperfections did to a record of it
stands among the exceptions. Values are told anew from the seed. How it is kept is
`ledger_folder`'s.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from station_sim.streams.noise import Ints
from station_sim.streams.record import FATES
from station_sim.streams.told import Told

Columns = dict[str, list[object]]
NETWORK_ENTITY = "network"


@dataclass(slots=True)
class Run:
    """Due times first, first + period, ... of one entity."""

    first_ms: int
    count: int
    period_ms: int

    @property
    def next_ms(self) -> int:
        """When the run goes on, if it does."""
        return self.first_ms + self.count * self.period_ms


class RunLedger:
    """Takes what is told, chunk after chunk; gives finished runs and exceptions on the way.

    `runs` and `exceptions` are rows to be kept: (station or None, topic, entity, ...).
    """

    def __init__(self) -> None:
        self.counts: defaultdict[tuple[str | None, str], Counter[str]] = defaultdict(Counter)
        self.runs: list[tuple[str | None, str, str, int, int, int]] = []
        self.exceptions: list[tuple[str | None, str, list[str], Ints, Ints, Ints, Ints]] = []
        self._open: dict[tuple[str | None, str, str], Run] = {}

    def add(self, told: Told) -> None:
        """Enter what one topic says within a chunk."""
        count = self.counts[told.key, told.topic]
        count["due"] += len(told.due_ms)
        self._add_exceptions(told, count)
        schedule = told.schedule
        if schedule is None:
            for place, due_ms in enumerate(told.due_ms.tolist()):
                self.runs.append((None, told.topic, f"{NETWORK_ENTITY}-{place}", due_ms, 1, 0))
            return
        for entity, rows in zip(schedule.entities, schedule.slices(), strict=True):
            self._add_runs((told.key, told.topic, entity.name), schedule.due_ms[rows])

    def finish(self) -> None:
        """Give the runs that may still go on."""
        for (key, topic, entity), run in self._open.items():
            self.runs.append((key, topic, entity, run.first_ms, run.count, run.period_ms))
        self._open.clear()

    def _add_exceptions(self, told: Told, count: Counter[str]) -> None:
        codes = told.fates.codes
        places = np.flatnonzero(codes)
        if not len(places):
            return
        found = codes[places]
        for code, times in zip(*np.unique(found, return_counts=True), strict=True):
            count[str(FATES[int(code)])] += int(times)
        schedule = told.schedule
        names = [each.name for each in schedule.entities] if schedule else None
        which = told.ordinals[places]
        texts = names or [f"{NETWORK_ENTITY}-{number}" for number in range(len(codes))]
        delays = told.fates.delays_ms[places]
        self.exceptions.append(
            (
                told.key,
                told.topic,
                texts,
                which,
                told.due_ms[places],
                found.astype(np.int64),
                delays,
            )
        )

    def _add_runs(self, where: tuple[str | None, str, str], due_ms: Ints) -> None:
        if not len(due_ms):
            return
        for first, count, period in _ranges(due_ms):
            run = self._open.get(where)
            if run is None:
                self._open[where] = Run(first, count, period)
            elif run.period_ms == 0 and count == 1:
                self._open[where] = Run(run.first_ms, 2, first - run.first_ms)
            elif run.next_ms == first and count == 1:
                run.count += 1
            elif run.next_ms == first and run.period_ms == period:
                run.count += count
            elif run.period_ms == 0 and first - run.first_ms == period:
                self._open[where] = Run(run.first_ms, count + 1, period)
            else:
                self.runs.append((*where, run.first_ms, run.count, run.period_ms))
                self._open[where] = Run(first, count, period)


def _ranges(due_ms: Ints) -> list[tuple[int, int, int]]:
    """Ascending instants as (first, count, period); a single one has period 0."""
    if len(due_ms) == 1:
        return [(int(due_ms[0]), 1, 0)]
    steps = np.diff(due_ms)
    if (steps == steps[0]).all():
        return [(int(due_ms[0]), len(due_ms), int(steps[0]))]
    found = []
    first = 0
    changes = [*(np.flatnonzero(np.diff(steps)) + 1).tolist(), len(steps)]
    for change in changes:
        if change < first:
            continue
        # Steps first .. change - 1 are alike: instants first .. change.
        found.append(
            (int(due_ms[first]), change - first + 1, int(steps[first]) if change > first else 0)
        )
        first = change + 1
    if first == len(due_ms) - 1:
        found.append((int(due_ms[first]), 1, 0))
    return found
