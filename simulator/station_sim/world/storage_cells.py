"""What a cabinet's own instruments show beside power: cell temperatures, health, current.

All of it follows from what the cabinet did; figures are estimates.
"""

import numpy as np

from station_sim.world.random_streams import random_stream
from station_sim.world.site import StorageSite
from station_sim.world.steps import Floats
from station_sim.world.storage import ONE_WAY, Cabinet

INSIDE_ABOVE_OUTSIDE_K = 4.0
INSIDE_C = (20.0, 29.0)  # what cooling and heating hold the air in a cabinet between
RISE_K = (6.0, 14.0)  # of the warmest cell above the air, at full power
SPREAD_K = (2.0, 6.0)  # between the warmest cell and the coldest, at rest and at full power
WEAR_PER_CYCLE, WEAR_PER_YEAR = 0.006, 1.2  # percent of health
CYCLES_PER_YEAR_BEFORE = 400.0
YEAR_S = 365 * 86_400.0
PACK_V, PACK_V_PER_PERCENT = 700.0, 0.8


class Cells:
    """One cabinet's cells."""

    def __init__(self, seed: int, entity: str, site: StorageSite, cabinet: Cabinet) -> None:
        self._rise_k = random_stream(seed, entity, "cells", site.code).uniform(*RISE_K)
        self._site, self._cabinet = site, cabinet

    def temperatures_c(self, times_s: Floats, outdoor_c: Floats) -> tuple[Floats, Floats]:
        """The warmest and the coldest cell's temperature at instants."""
        heat = self._cabinet.heat(times_s)
        inside_c = np.clip(outdoor_c + INSIDE_ABOVE_OUTSIDE_K, *INSIDE_C)
        warmest_c: Floats = inside_c + 1.0 + self._rise_k * heat
        at_rest_k, at_full_k = SPREAD_K
        coldest_c: Floats = warmest_c - at_rest_k - (at_full_k - at_rest_k) * heat
        return warmest_c, coldest_c

    def cycles(self, times_s: Floats) -> Floats:
        """Equivalent full cycles since the story's start: AC energy given per energy."""
        found: Floats = self._cabinet.discharged_kwh(times_s) / self._site.energy_kwh
        return found

    def health(self, times_s: Floats) -> Floats:
        """State of health in percent."""
        years = self._site.years + times_s / YEAR_S
        cycles = self._site.years * CYCLES_PER_YEAR_BEFORE + self.cycles(times_s)
        found: Floats = 100.0 - WEAR_PER_YEAR * years - WEAR_PER_CYCLE * cycles
        return np.maximum(found, 0.0)

    def amperes(self, times_s: Floats) -> Floats:
        """The battery's current, positive when it discharges."""
        kw = self._cabinet.kw_at(times_s)
        dc_kw = np.where(kw > 0, kw / ONE_WAY, kw * ONE_WAY)
        volts = PACK_V + PACK_V_PER_PERCENT * self._cabinet.soc(times_s)
        found: Floats = dc_kw * 1000 / volts
        return found
