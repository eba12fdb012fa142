"""Auxiliaries: within their range, and energy as the integral of power."""

from datetime import datetime

import numpy as np
import pytest
from tests.simulator.world.energy_doubles import DAY_S

from station_sim.world.auxiliaries import Auxiliaries
from station_sim.world.local_days import LocalDays
from station_sim.world.profile import STATION_TIMEZONE

DAYS = LocalDays(datetime(2026, 3, 1, 9, 30, tzinfo=STATION_TIMEZONE))


@pytest.mark.parametrize("station", range(10))
def test_load_is_a_stations_and_its_guns(station: int) -> None:
    own = Auxiliaries(7, f"station-{station:04d}", 10, DAYS)
    kw = own.kw(np.arange(0, DAY_S, 60.0))
    noon, midnight = own.kw(np.array([2.5, 14.5]) * 3600)
    assert 1.3 <= noon <= 3.6
    assert 2.3 <= midnight <= 4.6
    assert (own.least_kw, own.most_kw) == (kw.min(), kw.max())


def test_energy_is_the_integral_of_power() -> None:
    own = Auxiliaries(7, "station-0001", 10, DAYS)
    middles_s = np.arange(0, 3.3 * DAY_S, 10.0) + 5.0
    naive = own.kw(middles_s).sum() * 10 / 3600
    assert pytest.approx(naive, rel=1e-6) == own.kwh(np.array([3.3 * DAY_S]))[0]
    assert 0.0 == own.kwh(np.array([0.0]))[0]
