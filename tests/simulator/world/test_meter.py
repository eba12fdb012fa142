"""The meter balances all parts, in power and in energy."""

from datetime import datetime

import numpy as np
import pytest
from tests.simulator.world.energy_doubles import DAY_S, a_site, an_energy, busy_staircase

from station_sim.world.profile import STATION_TIMEZONE

AFTERNOON = datetime(2026, 3, 1, 13, 7, 11, tzinfo=STATION_TIMEZONE)


@pytest.mark.parametrize(("units", "pv_kwp"), [(0, 0.0), (2, 150.0)])
def test_power_is_the_balance_and_energy_its_integral(units: int, pv_kwp: float) -> None:
    site = a_site(units=units, pv_kwp=pv_kwp)
    env, energy = an_energy(site, busy_staircase(2, 2, 3), AFTERNOON)
    env.run(2 * DAY_S)
    times_s = np.arange(0, 2 * DAY_S - 4, 2.0) + 1.0
    hosts_kw = energy.host_ac_kw(0, times_s) + energy.host_ac_kw(1, times_s)
    storage_kw = sum((energy.storage_kw(unit, times_s) for unit in range(units)), 0.0 * times_s)
    expected = hosts_kw + energy.auxiliaries_kw(times_s) - energy.pv_kw(times_s) - storage_kw
    meter_kw = energy.meter_kw(times_s)
    assert expected == pytest.approx(meter_kw, abs=1e-9)
    kwh = energy.meter_kwh(np.array([0.0, 2 * DAY_S - 4]))
    assert 0.0 == kwh[0]
    assert pytest.approx(meter_kw.sum() * 2 / 3600, rel=1e-4) == kwh[1]


def test_energy_does_not_depend_on_chunks_or_on_what_was_forgotten() -> None:
    site = a_site(units=1, pv_kwp=100.0)
    whole = an_energy(site, busy_staircase(2, 3, 3), AFTERNOON)
    told = an_energy(site, busy_staircase(2, 3, 3), AFTERNOON)
    whole[0].run(3 * DAY_S)
    times_s = np.arange(0, 3 * DAY_S, 15.0)
    expected = whole[1].meter_kwh(times_s)
    for part in np.split(times_s, 24):
        told[0].run(part[-1] + 1.0)
        assert expected[np.searchsorted(times_s, part)].tolist() == (
            told[1].meter_kwh(part).tolist()
        )
        told[1].forget(part[-1])
