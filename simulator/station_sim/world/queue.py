"""Drivers who wait for a gun, and those who do not.

A driver leaves at once when the wait looks too long, and later when patience ends.
"""

from collections import deque
from collections.abc import Sequence

import simpy

from station_sim.world.gun import Gun


class WaitingLine:
    """First come, first served: events that succeed with a gun."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._places: deque[simpy.Event] = deque()

    def __len__(self) -> int:
        return len(self._places)

    def is_worth_it(self, releases_s: Sequence[float], tolerated_s: float) -> bool:
        """Whether a driver joins who sees when each gun may be free."""
        ahead = len(self._places)
        if ahead >= len(releases_s):
            return False
        return sorted(releases_s)[ahead] - self._env.now <= tolerated_s

    def join(self) -> simpy.Event:
        """A place at the end of the line."""
        place = self._env.event()
        self._places.append(place)
        return place

    def leave(self, place: simpy.Event) -> None:
        """Give a place up."""
        self._places.remove(place)

    def serve(self, gun: Gun) -> bool:
        """Give a free gun to whoever is first; false when nobody waits."""
        if not self._places:
            return False
        gun.promised = True
        self._places.popleft().succeed(gun)
        return True
