"""Storage at work: sharp before peak, never export, never above the limit, stopped when broken."""

from datetime import datetime

import numpy as np
import pytest
from tests.simulator.world.energy_doubles import (
    DAY_S,
    HOUR_S,
    MARCH,
    Staircase,
    a_site,
    an_energy,
    busy_staircase,
)

from station_sim.world.profile import STATION_TIMEZONE
from station_sim.world.storage_control import TICK_S

AUGUST = datetime(2026, 8, 3, tzinfo=STATION_TIMEZONE)
STEADY = Staircase(2, [0.0], [150.0])


def kw_by_hour(energy_kw: np.ndarray) -> np.ndarray:
    return energy_kw.reshape(-1, 60).mean(axis=1)


def minutes(days: float) -> np.ndarray:
    return np.arange(0, days * DAY_S, 60.0)


def test_an_ordinary_day_charges_by_night_and_at_noon_and_discharges_when_it_is_dear() -> None:
    env, energy = an_energy(a_site(units=1), STEADY)
    env.run(2 * DAY_S)
    hours = kw_by_hour(energy.storage_kw(0, minutes(2)))[24:]
    assert hours[:8].sum() < -50
    assert hours[8:10].max() == 0
    assert hours[10:12].sum() > 60
    assert hours[12:14].sum() < -60
    assert hours[14:19].sum() > 60
    assert hours[:8].max() <= 0


def test_sharp_hours_come_first() -> None:
    env, energy = an_energy(a_site(units=1), STEADY, AUGUST)
    env.run(2 * DAY_S)
    hours = kw_by_hour(energy.storage_kw(0, minutes(2)))[24:]
    assert 55 < hours[11] < 60  # the taper near the band's end takes a little
    assert hours[10] < 45
    assert hours[15:17].sum() > 3 * hours[14]


@pytest.mark.parametrize("seed", range(3))
def test_storage_is_never_exported_nor_above_the_grid_limit(seed: int) -> None:
    site = a_site(units=2, pv_kwp=60.0)
    env, energy = an_energy(site, busy_staircase(2, 4, seed, mean_kw=40.0))
    env.run(4 * DAY_S)
    times_s = np.arange(0, 4 * DAY_S, 5.0)
    storage_kw = sum(energy.storage_kw(unit, times_s) for unit in (0, 1))
    meter_kw = energy.meter_kw(times_s)
    assert storage_kw.max() > 20
    assert meter_kw[storage_kw > 0].min() >= 0
    assert meter_kw.max() <= site.grid_limit_kw


def test_guns_at_the_limit_leave_nothing_to_charge_with() -> None:
    site = a_site(units=2)
    guns = Staircase(2, [0.0, 4 * HOUR_S], [0.0, 0.0])
    env, energy = an_energy(site, guns)
    guns.powers_kw[:] = energy.allowed_dc_kw, energy.allowed_dc_kw - 30
    env.run(8 * HOUR_S)
    times_s = np.arange(0, 8 * HOUR_S, 60.0)
    charging_kw = -energy.storage_kw(0, times_s) - energy.storage_kw(1, times_s)
    assert charging_kw[times_s < 4 * HOUR_S].max() < 3
    assert charging_kw[times_s >= 4 * HOUR_S].max() > 25
    assert energy.meter_kw(times_s).max() <= site.grid_limit_kw


def test_a_broken_unit_stands_still_until_it_is_repaired() -> None:
    env, energy = an_energy(a_site(units=2), STEADY)
    env.run(1 * HOUR_S)
    energy.stop_storage(1)
    env.run(2 * HOUR_S)
    energy.restart_storage(1)
    env.run(2 * HOUR_S + 1)
    whole, broken = (energy.storage_kw(unit, np.array([1.5 * HOUR_S]))[0] for unit in (0, 1))
    assert whole < 0 == broken
    assert energy.storage_kw(1, np.array([2 * HOUR_S]))[0] < 0


def test_cycles_are_one_to_two_a_day_where_storage_fits_the_station() -> None:
    env, energy = an_energy(a_site(guns=12, units=1), busy_staircase(2, 10, 1, mean_kw=60.0))
    env.run(10 * DAY_S)
    cycles = energy.cells[0].cycles(np.array([10 * DAY_S]))[0] / 10
    assert 1.0 < cycles < 2.0
    taken, given = (each[0] for each in energy.storage_kwh(0, np.array([10 * DAY_S])))
    first, last = energy.storage_soc(0, np.array([0.0, 10 * DAY_S]))
    kept_kwh = (last - first) / 100 * 120
    assert pytest.approx(0.85, abs=1e-6) == given / (taken - kept_kwh / 0.85**0.5)


def test_power_is_constant_between_decisions_on_the_local_grid() -> None:
    start = MARCH.replace(hour=9, minute=58, second=20)
    env, energy = an_energy(a_site(units=1), STEADY, start)
    env.run(HOUR_S)
    kw = energy.storage_kw(0, np.arange(0, HOUR_S, 1.0))
    changes = np.flatnonzero(np.diff(kw)) + 1
    assert len(changes) > 0
    assert {0.0} == {(at_s + 58 * 60 + 20) % TICK_S for at_s in changes.tolist()}


def test_a_story_told_in_other_steps_is_the_same() -> None:
    once = an_energy(a_site(units=2), busy_staircase(2, 2, 5))
    often = an_energy(a_site(units=2), busy_staircase(2, 2, 5))
    once[0].run(2 * DAY_S)
    for until_s in np.arange(1, 2 * DAY_S, 1234.5):
        often[0].run(until_s)
    often[0].run(2 * DAY_S)
    times_s = minutes(2)
    assert once[1].storage_soc(1, times_s).tolist() == often[1].storage_soc(1, times_s).tolist()
