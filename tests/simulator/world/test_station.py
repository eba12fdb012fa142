"""A station at work: guns, sessions and the books that must balance."""

import itertools
from collections import defaultdict

import pytest

from station_sim.world.charging import CHARGE_EFFICIENCY
from station_sim.world.charging_network import World
from station_sim.world.profile import Profile
from station_sim.world.station import Session, Station

DAY_S = 86_400.0


def exact_step(world: World, until_s: float) -> list[float]:
    """Power-time products of all stations in kWh, exact: the world is stopped at every change."""
    integral = [0.0] * len(world.stations)
    while world.env.now < until_s:
        next_s = min(next_change_s(world), until_s)
        middle_s = (world.env.now + next_s) / 2
        for index, station in enumerate(world.stations):
            power_kw = sum(gun.power_kw(middle_s) for gun in station.guns)
            integral[index] += power_kw * (next_s - world.env.now) / 3600
        if world.env.peek() <= next_s:
            world.env.step()
        else:
            world.env.run(until=next_s)
    return integral


def next_change_s(world: World) -> float:
    """The next event, or the next step of a charge under way."""
    now_s = world.env.now
    changes = [world.env.peek()]
    for station in world.stations:
        plans = [gun.plan for gun in station.guns if gun.plan is not None]
        changes += [
            min(each for each in plan.times_s if each > now_s)
            for plan in plans
            if plan.end_s > now_s
        ]
    return min(changes)


def battery_kwh(session: Session) -> float:
    car = session.car
    return car.battery.capacity_kwh * (car.stop_soc - car.arrival_soc) / 100


def test_energy_is_the_integral_of_power_and_the_sum_of_sessions() -> None:
    world = World(Profile(stations=2, guns_per_station=6, seed=3))
    sessions: defaultdict[str, float] = defaultdict(float)

    def book(session: Session) -> None:
        sessions[session.station_id] += session.energy_kwh

    world.session_observers.append(book)
    integral = exact_step(world, DAY_S / 2)
    for station, integrated in zip(world.stations, integral, strict=True):
        under_way = sum(gun.energy_kwh(world.env.now) for gun in station.guns)
        assert integrated == pytest.approx(station.total_energy_kwh(), abs=1e-6)
        booked = sessions[station.station_id]
        assert booked + under_way == pytest.approx(station.total_energy_kwh(), abs=1e-6)


def test_every_session_delivers_what_its_battery_gained() -> None:
    world = World(Profile(stations=10, seed=4))
    sessions: list[Session] = []
    world.session_observers.append(sessions.append)
    world.run(DAY_S)
    assert len(sessions) > 100
    for session in sessions:
        stored_kwh = CHARGE_EFFICIENCY * session.energy_kwh
        assert battery_kwh(session) == pytest.approx(stored_kwh, abs=1e-6)


def test_power_is_the_sum_of_the_guns_and_within_the_piles() -> None:
    world = World(Profile(stations=5, seed=5))
    for at_s in range(15, 86_400, 15):
        world.run(at_s)
        for station in world.stations:
            guns = [gun.power_kw(at_s) for gun in station.guns]
            assert sum(guns) == pytest.approx(station.total_power_kw(), abs=1e-9)
            assert_piles_keep_their_rating(station, at_s)


def assert_piles_keep_their_rating(station: Station, at_s: float) -> None:
    for pile in station.piles:
        assert sum(gun.power_kw(at_s) for gun in pile.guns) <= pile.rated_kw + 1e-9


def test_no_gun_has_two_cars() -> None:
    world = World(Profile(stations=3, guns_per_station=3, seed=6, sessions_per_gun_day=30))
    taken: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)

    def note(session: Session) -> None:
        place = (session.station_id, session.gun_no)
        taken[place].append((session.plugged_s, session.power_off_s))

    world.session_observers.append(note)
    world.run(3 * DAY_S)
    for stays in taken.values():
        for (_, leaves_s), (comes_s, _) in itertools.pairwise(stays):
            assert leaves_s <= comes_s


def test_a_gun_refuses_a_second_car() -> None:
    world = World(Profile(stations=1, guns_per_station=1, seed=1))
    (station,) = world.stations
    while station.guns[0].car is None:
        world.env.step()
    with pytest.raises(RuntimeError, match="gun 01 already has a"):
        station.guns[0].plug(station.guns[0].car)


def test_drivers_leave_a_full_station_and_are_counted() -> None:
    world = World(Profile(stations=1, guns_per_station=2, seed=2, sessions_per_gun_day=40))
    (station,) = world.stations
    served: list[Session] = []
    world.session_observers.append(served.append)
    world.run(DAY_S)
    assert station.left > 0
    under_way = station.arrived - station.left - len(served)
    assert 0 <= under_way <= 20


def test_a_station_without_guns_is_idle() -> None:
    world = World(Profile(stations=1, guns_per_station=0))
    world.run(DAY_S)
    assert (0, 0.0) == (world.stations[0].arrived, world.stations[0].total_energy_kwh())


def test_sessions_look_like_public_dc_charging_in_china() -> None:
    """25.6 kWh, 48.7 min and 4.3 sessions a day: EVCIPA white paper 2022, bulletin June 2024."""
    world = World(Profile(stations=60, seed=8))
    sessions: list[Session] = []
    world.session_observers.append(sessions.append)
    world.run(5 * DAY_S)
    count = len(sessions)
    mean_kwh = sum(each.energy_kwh for each in sessions) / count
    mean_min = sum(each.power_off_s - each.power_on_s for each in sessions) / count / 60
    assert pytest.approx(25.6, rel=0.10) == mean_kwh
    assert pytest.approx(48.7, rel=0.10) == mean_min
    assert pytest.approx(4.3, rel=0.20) == count / (60 * 10 * 5)
