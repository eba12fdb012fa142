"""Waiting drivers: first come, first served, and not for ever."""

import simpy

from station_sim.world.gun import Gun
from station_sim.world.queue import WaitingLine
from station_sim.world.site import GunSite


def test_who_came_first_is_served_first() -> None:
    line = WaitingLine(simpy.Environment())
    first, second = line.join(), line.join()
    gun = Gun(GunSite(1, "01", 0, 0, 60.0, 250.0))
    assert line.serve(gun)
    assert (True, False) == (first.triggered, second.triggered)
    assert gun.promised
    assert not gun.is_free


def test_who_left_is_not_served() -> None:
    line = WaitingLine(simpy.Environment())
    place = line.join()
    line.leave(place)
    assert not line.serve(Gun(GunSite(1, "01", 0, 0, 60.0, 250.0)))


def test_a_driver_joins_a_line_that_looks_short() -> None:
    line = WaitingLine(simpy.Environment())
    releases_s = [5000.0, 900.0]
    assert line.is_worth_it(releases_s, 900.0)
    line.join()
    assert not line.is_worth_it(releases_s, 900.0)
    assert not line.is_worth_it([], 900.0)
