"""A session's steps: cut and gone on with, they still agree with one another."""

from random import Random

import numpy as np
import pytest

from station_sim.world.cars import draw_car
from station_sim.world.charging import CHARGE_EFFICIENCY
from station_sim.world.gun import Gun
from station_sim.world.sessions import Session
from station_sim.world.site import GunSite

CAR = draw_car(Random(12))


def begun(limit_kw: float = 60.0) -> tuple[Gun, Session]:
    gun = Gun(GunSite(1, "01", 0, 0, 120.0, 250.0))
    session = Session("1", 1, CAR, plugged_s=0.0)
    gun.plug(session)
    gun.switch_on(40.0)
    gun.limit(40.0, limit_kw)
    return gun, session


def assert_books_balance(session: Session) -> None:
    times, powers = np.array(session.times_s), np.array(session.powers_kw)
    assert len(times) == len(powers) + 1 == len(session.socs_percent) == len(session.energies_kwh)
    assert len(powers) == len(session.limits_kw)
    assert np.all(np.diff(times) > 0)
    integral = np.cumsum(np.diff(times) * powers) / 3600
    assert integral == pytest.approx(np.array(session.energies_kwh[1:]), abs=1e-9)
    gained = np.array(session.socs_percent) - CAR.arrival_soc
    stored = CAR.battery.capacity_kwh * gained / 100
    assert stored == pytest.approx(CHARGE_EFFICIENCY * np.array(session.energies_kwh), abs=1e-9)
    assert np.all(powers <= np.array(session.limits_kw) + 1e-9)


@pytest.mark.parametrize("at_s", [40.0, 41.5, 300.0, 777.7])
def test_another_limit_leaves_what_has_passed(at_s: float) -> None:
    gun, session = begun()
    before = session.kw(np.arange(0.0, at_s, 7.0))
    gun.limit(at_s, 20.0)
    assert before == pytest.approx(session.kw(np.arange(0.0, at_s, 7.0)))
    assert session.kw_at(at_s) == 20.0
    assert 20.0 == session.kw(np.array([at_s]))[0] == session.flowing_kw(np.array([at_s]))[0]
    assert_books_balance(session)


def test_a_charge_that_breaks_ends_where_it_is() -> None:
    gun, session = begun()
    gun.switch_off(500.0)
    assert 500.0 == session.power_off_s == session.times_s[-1]
    assert_books_balance(session)
    kw = session.kw(np.array([39.9, 499.9, 500.0, 600.0]))
    assert [False, True, False, False] == (kw > 0).tolist()
    assert session.soc(np.array([600.0]))[0] == session.socs_percent[-1] < CAR.stop_soc


def test_a_charge_may_end_on_a_step() -> None:
    gun, session = begun()
    at_s = session.times_s[20]
    gun.switch_off(at_s)
    assert 21 == len(session.times_s)
    assert_books_balance(session)


def test_one_instant_and_many_agree() -> None:
    _, session = begun()
    times = np.linspace(0.0, session.times_s[-1] + 50, 200)
    assert [session.kw_at(at_s) for at_s in times] == session.kw(times).tolist()
    on = times[times >= 40.0]
    assert [session.soc_at(at_s) for at_s in on] == pytest.approx(session.soc(on))


def test_before_power_there_is_nothing_but_a_state_of_charge() -> None:
    session = Session("1", 1, CAR, plugged_s=0.0)
    times = np.array([1.0, 2.0])
    assert [0.0, 0.0] == session.kw(times).tolist() == session.kwh(times).tolist()
    assert [CAR.arrival_soc] * 2 == session.soc(times).tolist()


def test_a_car_takes_what_it_accepts_where_nothing_limits() -> None:
    _, session = begun(limit_kw=500.0)
    times = np.linspace(60.0, session.times_s[-1] - 1, 50)
    assert session.accepted_kw(times) == pytest.approx(session.kw(times))


def test_a_gun_refuses_a_second_car_and_any_while_it_is_broken() -> None:
    gun, session = begun()
    with pytest.raises(RuntimeError, match="gun 1 already has 1"):
        gun.plug(session)
    broken = Gun(gun.site)
    broken.faults = 1
    with pytest.raises(RuntimeError, match="gun 1 is out of order"):
        broken.plug(session)


def test_a_weak_cable_limits_by_the_packs_voltage() -> None:
    gun = Gun(GunSite(1, "01", 0, 0, 120.0, 100.0))
    gun.plug(Session("1", 1, CAR, plugged_s=0.0))
    gun.switch_on(0.0)
    gun.limit(0.0, 120.0)
    session = gun.session
    assert session is not None
    volts = CAR.battery.volts(np.floor(np.array(session.socs_percent[:-1])))
    amperes = np.array(session.powers_kw) * 1000 / volts
    assert max(amperes) == pytest.approx(100.0)
