"""Mean and highest power of every gun, hour by hour, of the last seven days.

Kept as the hourly push needs it: as pieces of JSON, one for each host and hour that is over.
"""

from collections import deque
from collections.abc import Callable

import numpy as np

from station_sim.streams.noise import Floats
from station_sim.world.story import Story

HOURS_KEPT = 168
SECONDS_PER_HOUR = 3600
SAMPLE_S = 15.0
"""Hours are averaged over the samples that guns report."""


class HourlyPower:
    """A station's; grows as hours pass. `encode` gets an hour's number and powers by gun."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._hours: deque[tuple[int, list[bytes]]] = deque(maxlen=HOURS_KEPT)
        self._next = 0
        self.begin_s = 0.0

    def until(
        self, hour: int, encode: Callable[[int, Floats, Floats], list[bytes]]
    ) -> list[tuple[int, list[bytes]]]:
        """Hours before `hour` (counted from the story's start) that are kept, with their pieces."""
        while self._next < hour:
            mean_kw, max_kw = self._powers(self._next)
            self._hours.append((self._next, encode(self._next, mean_kw, max_kw)))
            self._next += 1
        return list(self._hours)

    def _powers(self, hour: int) -> tuple[Floats, Floats]:
        """Mean and highest power of each gun in an hour, by gun number."""
        begin_s = self.begin_s + hour * SECONDS_PER_HOUR
        end_s = begin_s + SECONDS_PER_HOUR
        times_s = np.arange(begin_s, end_s, SAMPLE_S)
        guns = len(self._story.site.guns)
        mean_kw, max_kw = np.zeros(guns), np.zeros(guns)
        for session in self._story.sessions(begin_s, end_s):
            kw = session.kw(times_s)
            mean_kw[session.gun - 1] += kw.sum() / len(times_s)
            max_kw[session.gun - 1] = max(max_kw[session.gun - 1], kw.max())
        return mean_kw, max_kw
