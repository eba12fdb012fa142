"""The world's clock as code reads it: who reads it again and again is made to wait.

Time stands still while code runs. A thread that spins until a time comes would never get there, so
after very many readings in a row it is let wait a little (`Scheduler.looked`).
"""

from typing import TYPE_CHECKING

from station_sim.threads.scheduler import Scheduler

if TYPE_CHECKING:
    from station_sim.clock import VirtualLoop


class PatientClock:
    """Reads the clock of a loop and says so to its scheduler."""

    def __init__(self, loop: "VirtualLoop", scheduler: Scheduler) -> None:
        self._loop = loop
        self._scheduler = scheduler

    def time(self) -> float:
        """Seconds since the world began."""
        scheduler = self._scheduler
        scheduler.looks += 1
        if scheduler.looks > scheduler.patience:
            scheduler.looked_enough()
        return self._loop.now

    def wall_time(self) -> float:
        """Epoch seconds."""
        return self._loop.epoch_s + self.time()
