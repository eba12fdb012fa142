"""Mean and highest power of every gun, hour by hour, of the last seven days.

Kept as the hourly push needs it: as pieces of JSON, one for each host and hour that is over.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from station_sim.streams.noise import Floats
from station_sim.world.story import Story

HOURS_KEPT = 168
SECONDS_PER_HOUR = 3600
SAMPLE_S = 15.0
"""Hours are averaged over the samples that guns report."""


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour, counted from the first; powers by gun, and of the whole station."""

    number: int
    mean_kw: Floats
    max_kw: Floats
    station_mean_kw: float
    station_max_kw: float


class HourlyPower:
    """A station's; grows as hours pass. Hours are counted from `begin_s`."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._hours: deque[tuple[int, list[bytes]]] = deque(maxlen=HOURS_KEPT)
        self._next = 0
        self.begin_s = 0.0

    def until(
        self, hour: int, encode: Callable[[Hour], list[bytes]]
    ) -> list[tuple[int, list[bytes]]]:
        """Hours before `hour` that are kept, with their pieces."""
        while self._next < hour:
            self._hours.append((self._next, encode(self._hour(self._next))))
            self._next += 1
        return list(self._hours)

    def _hour(self, number: int) -> Hour:
        begin_s = self.begin_s + number * SECONDS_PER_HOUR
        end_s = begin_s + SECONDS_PER_HOUR
        times_s = np.arange(begin_s, end_s, SAMPLE_S)
        guns = len(self._story.site.guns)
        mean_kw, max_kw, station_kw = np.zeros(guns), np.zeros(guns), np.zeros(len(times_s))
        for session in self._story.sessions(begin_s, end_s):
            kw = session.kw(times_s)
            station_kw += kw
            mean_kw[session.gun - 1] += kw.mean()
            max_kw[session.gun - 1] = max(max_kw[session.gun - 1], kw.max())
        return Hour(number, mean_kw, max_kw, float(station_kw.mean()), float(station_kw.max()))
