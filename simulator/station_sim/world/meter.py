"""The meter at the grid connection: what hosts and auxiliaries take, less panels and storage.

Its energy is the exact integral of its power: each part's integral is in closed form, and none
depends on what was asked before. Positive when power comes from the grid.
"""

from collections.abc import Sequence

from station_sim.world.auxiliaries import Auxiliaries
from station_sim.world.host_loads import HostLoads
from station_sim.world.photovoltaics import Panels
from station_sim.world.steps import Floats
from station_sim.world.storage import Cabinet


class Meter:
    """A balance of parts that are known elsewhere."""

    def __init__(
        self,
        hosts: HostLoads,
        auxiliaries: Auxiliaries,
        panels: Panels,
        cabinets: Sequence[Cabinet],
    ) -> None:
        self._hosts, self._auxiliaries = hosts, auxiliaries
        self._panels, self._cabinets = panels, cabinets

    def kw(self, times_s: Floats) -> Floats:
        """Power at instants."""
        found = self._hosts.kw(times_s) + self._auxiliaries.kw(times_s)
        found -= self._panels.kw(times_s)
        for cabinet in self._cabinets:
            found -= cabinet.kw_at(times_s)
        return found

    def kwh(self, times_s: Floats) -> Floats:
        """Energy from the story's start to instants, minus what went back to the grid."""
        found = self._hosts.kwh(times_s) + self._auxiliaries.kwh(times_s)
        found -= self._panels.kwh(times_s)
        for cabinet in self._cabinets:
            found += cabinet.charged_kwh(times_s)
            found -= cabinet.discharged_kwh(times_s)
        return found
