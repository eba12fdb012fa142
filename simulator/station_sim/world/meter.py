"""The meter at the grid connection: what hosts and auxiliaries take, less panels and storage.

Its energy is the exact integral of its power: each part's integral is in closed form, and none
depends on what was asked before. Positive when power comes from the grid.
"""

from collections.abc import Sequence
from typing import Protocol

from station_sim.world.auxiliaries import Auxiliaries
from station_sim.world.photovoltaics import Panels
from station_sim.world.steps import Floats
from station_sim.world.storage import Cabinet


class HostLoads(Protocol):
    """What a station's hosts take, all together, AC."""

    def ac_kw_planned(self, at_s: float) -> float:
        """Power at an instant from now on, as planned if nothing intervenes."""

    def ac_kw(self, times_s: Floats) -> Floats:
        """Power at instants."""

    def ac_kwh(self, times_s: Floats) -> Floats:
        """Energy from the story's start to instants."""


class Meter:
    """A balance of parts that are known elsewhere."""

    def __init__(
        self,
        loads: HostLoads,
        auxiliaries: Auxiliaries,
        panels: Panels,
        cabinets: Sequence[Cabinet],
    ) -> None:
        self._loads, self._auxiliaries = loads, auxiliaries
        self._panels, self._cabinets = panels, cabinets

    def kw(self, times_s: Floats) -> Floats:
        """Power at instants."""
        found = self._loads.ac_kw(times_s) + self._auxiliaries.kw(times_s)
        found -= self._panels.kw(times_s)
        for cabinet in self._cabinets:
            found -= cabinet.kw_at(times_s)
        return found

    def kwh(self, times_s: Floats) -> Floats:
        """Energy from the story's start to instants, minus what went back to the grid."""
        found = self._loads.ac_kwh(times_s) + self._auxiliaries.kwh(times_s)
        found -= self._panels.kwh(times_s)
        for cabinet in self._cabinets:
            found += cabinet.charged_kwh(times_s)
            found -= cabinet.discharged_kwh(times_s)
        return found
