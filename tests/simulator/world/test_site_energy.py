"""One station's energy as a story asks for it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pytest
from tests.simulator.world.energy_doubles import (
    DAY_S,
    MARCH,
    SomeCity,
    Staircase,
    a_site,
    an_energy,
    busy_staircase,
)

from station_sim.world.profile import STATION_TIMEZONE
from station_sim.world.weather import weather_of

GUANGZHOU = SomeCity()
AUGUST = datetime(2026, 8, 3, tzinfo=STATION_TIMEZONE)


@dataclass(frozen=True)
class SomeProfile:
    seed: int = 7
    start: datetime = MARCH
    city: SomeCity = GUANGZHOU
    fixed_temperature_c: float | None = None


def test_one_weather_is_shared_by_all_who_ask() -> None:
    assert weather_of(SomeProfile()) is weather_of(SomeProfile())
    assert weather_of(SomeProfile()) is not weather_of(SomeProfile(seed=8))
    cold = weather_of(SomeProfile(fixed_temperature_c=-5.0))
    assert [-5.0] == cold.outdoor_c(np.array([1.0])).tolist()


def test_hosts_give_less_without_all_modules() -> None:
    _, energy = an_energy(a_site(), Staircase(2, [0.0], [0.0]))
    assert 360.0 == energy.host_limit_kw(0, 0.0)
    assert 180.0 == energy.host_limit_kw(1, 0.0, working_modules=10)


@pytest.mark.parametrize("start", [MARCH, AUGUST])
def test_the_limit_holds_with_guns_at_all_that_is_allowed(start: datetime) -> None:
    site = a_site(units=2)
    guns = busy_staircase(2, 2, 1, mean_kw=300.0)
    env, energy = an_energy(site, guns, start)
    np.minimum(guns.powers_kw, energy.allowed_dc_kw, out=guns.powers_kw)
    env.run(2 * DAY_S)
    meter_kw = energy.meter_kw(np.arange(0, 2 * DAY_S, 15.0))
    assert 0.95 * site.grid_limit_kw < meter_kw.max() <= site.grid_limit_kw


def test_what_instruments_show_is_there_for_every_unit() -> None:
    env, energy = an_energy(a_site(units=2, pv_kwp=100.0), busy_staircase(2, 1, 1))
    env.run(DAY_S)
    times_s = np.arange(0, DAY_S, 900.0)
    for unit in range(2):
        warmest_c, coldest_c = energy.storage_c(unit, times_s)
        assert (warmest_c > coldest_c).all()
        assert 80 < energy.storage_soh(unit, times_s).min() <= 100
        assert np.sign(energy.storage_a(unit, times_s)).tolist() == (
            np.sign(energy.storage_kw(unit, times_s)).tolist()
        )
    assert energy.pv_dc_kw(times_s) * 0.96 == pytest.approx(energy.pv_kw(times_s))
    assert (96,) == energy.pv_forecast_kw(MARCH.date()).shape


def test_what_is_kept_begins_at_a_whole_hour() -> None:
    env, energy = an_energy(a_site(units=1), busy_staircase(2, 1, 1))
    env.run(DAY_S)
    assert 5 * 3600.0 == energy.forget(5.7 * 3600)
    assert energy.meter_kwh(np.array([6 * 3600.0]))[0] > 0
