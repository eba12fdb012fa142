"""A station's counter: energy through its guns since telling began.

Kept in whole milliwatt-hours, so that no order of adding shows in the sum.
"""

import numpy as np

from station_sim.streams.noise import Floats, Ints
from station_sim.world.story import Story

MWH_PER_KWH = 1e6


class EnergyTally:
    """Sums sessions that are over, and asks the others. Instants may not go back."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._until_s = 0.0
        self._over_mwh = 0

    def kwh(self, times_s: Floats) -> Floats:
        """The counter at ascending instants."""
        if not len(times_s):
            return np.empty(0)
        first_s, last_s = float(times_s[0]), float(times_s[-1])
        self._advance(first_s)
        total: Ints = np.full(len(times_s), self._over_mwh, dtype=np.int64)
        for session in self._story.sessions(first_s, np.nextafter(last_s, np.inf)):
            if session.unplugged_s > self._until_s:
                total += np.rint(session.kwh(times_s) * MWH_PER_KWH).astype(np.int64)
        found: Floats = total / MWH_PER_KWH
        return found

    def _advance(self, to_s: float) -> None:
        """Take in what ended in (the last instant, this one]."""
        for session in self._story.sessions(self._until_s, np.nextafter(to_s, np.inf)):
            if self._until_s < session.unplugged_s <= to_s and session.times_s:
                kwh = session.kwh(np.array([session.unplugged_s]))[0]
                self._over_mwh += round(kwh * MWH_PER_KWH)
        self._until_s = to_s
