"""A station's story: its invariants, and that its answers do not depend on how it is told."""

import itertools
from collections import defaultdict
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station_sim.world.charging import CHARGE_EFFICIENCY
from station_sim.world.charging_network import Network
from station_sim.world.profile import Profile
from station_sim.world.sessions import End, Session
from station_sim.world.station import StationStory
from station_sim.world.steps import Floats

HOUR_S, DAY_S = 3600.0, 86_400.0
DAYS = 2
END_S = DAYS * DAY_S
CROWDED = Profile(stations=3, guns_per_station=8, seed=6, sessions_per_gun_day=25)
ORDINARY = Profile(stations=5, seed=4)
PROFILES = pytest.mark.parametrize("profile", [CROWDED, ORDINARY], ids=["crowded", "ordinary"])


@cache
def told(profile: Profile, index: int) -> StationStory:
    """A story told to its end in one go; nobody changes it afterwards."""
    story = Network(profile).story(index)
    story.advance(END_S)
    return story


def stories(profile: Profile) -> list[StationStory]:
    return [told(profile, index) for index in range(profile.stations)]


def orders(story: StationStory) -> list[Session]:
    return [each for each in story.sessions(0, END_S) if each.times_s]


def grid(step_s: float = 60.0, end_s: float = END_S) -> Floats:
    return np.arange(0.0, end_s, step_s)


@PROFILES
def test_no_gun_has_two_cars(profile: Profile) -> None:
    for story in stories(profile):
        stays: defaultdict[int, list[Session]] = defaultdict(list)
        for session in story.sessions(0, END_S):
            stays[session.gun].append(session)
        for visits in stays.values():
            for one, other in itertools.pairwise(visits):
                assert one.plugged_s < one.unplugged_s <= other.plugged_s


@PROFILES
def test_a_visit_has_its_order(profile: Profile) -> None:
    for story in stories(profile):
        for session in orders(story):
            assert session.plugged_s < session.power_on_s < session.power_off_s
            if session.power_off_s < END_S:
                assert session.end is not None
                assert session.power_off_s == session.times_s[-1]
            if session.unplugged_s < END_S:
                assert session.power_off_s < session.unplugged_s
        assert len({each.transaction_no for each in story.sessions(0, END_S)}) == len(
            story.sessions(0, END_S)
        )


@PROFILES
def test_energy_of_guns_is_energy_of_sessions(profile: Profile) -> None:
    for story in stories(profile):
        bounds = np.unique(np.concatenate((story.changes_s(0, END_S), [0.0, END_S])))
        middles, hours = (bounds[:-1] + bounds[1:]) / 2, np.diff(bounds) / 3600
        for gun in story.site.guns:
            flowed_kwh = np.sum(story.gun_kw(gun.number, middles) * hours)
            sold_kwh = sum(
                each.kwh(np.array([END_S]))[0] for each in orders(story) if each.gun == gun.number
            )
            assert sold_kwh == pytest.approx(flowed_kwh, abs=1e-6)


@PROFILES
def test_state_of_charge_keeps_the_books(profile: Profile) -> None:
    for story in stories(profile):
        for session in orders(story):
            gained = np.array(session.socs_percent) - session.car.arrival_soc
            stored = session.car.battery.capacity_kwh * gained / 100
            kwh = np.array(session.energies_kwh)
            assert stored == pytest.approx(CHARGE_EFFICIENCY * kwh, abs=1e-6)
            if session.end in (End.TARGET, End.USER):
                assert session.car.stop_soc == session.socs_percent[-1]


@PROFILES
def test_piles_hosts_and_the_station_keep_their_limits(profile: Profile) -> None:
    for story in stories(profile):
        times = grid(30.0)
        guns = {gun.number: story.gun_kw(gun.number, times) for gun in story.site.guns}
        for pile in {gun.pile for gun in story.site.guns}:
            on_pile = [gun for gun in story.site.guns if gun.pile == pile]
            total = sum(guns[gun.number] for gun in on_pile)
            assert np.max(total) <= on_pile[0].rated_kw + 1e-6
        for host, site in enumerate(story.site.hosts):
            total = sum(guns[gun.number] for gun in story.site.guns if gun.host == host)
            assert total == pytest.approx(story.host_dc_kw(host, times))
            assert np.max(total) <= site.rated_kw + 1e-6
        assert np.max(sum(guns.values())) <= story.energy.allowed_dc_kw + 1e-6
        assert np.max(story.meter_kw(times)) <= story.site.grid_limit_kw + 1e-6


@PROFILES
def test_guns_say_how_they_stand(profile: Profile) -> None:
    for story in stories(profile):
        times = grid()
        for gun in story.site.guns:
            kw, status = story.gun_kw(gun.number, times), story.gun_status(gun.number, times)
            assert np.all((status == 1) == (kw > 0))
            assert set(np.unique(status)) <= {0.0, 1.0, 2.0, 3.0}


def test_crowded_stations_turn_drivers_away() -> None:
    story = told(CROWDED, 0)
    assert story.left > 0
    under_way = [each for each in story.sessions(0, END_S) if each.unplugged_s >= END_S]
    failed = [each for each in story.sessions(0, END_S) if each.power_on_s > each.unplugged_s]
    waiting = story.arrived - story.left - (len(story.sessions(0, END_S)) - len(failed))
    assert 0 <= waiting <= len(under_way) + len(story.site.guns)
    arrived = [story.arrivals(hour * HOUR_S, (hour + 1) * HOUR_S) for hour in range(DAYS * 24)]
    assert (story.arrived, story.left) == tuple(map(sum, zip(*arrived, strict=True)))


def test_faults_stop_guns_and_charges() -> None:
    profile = Profile(stations=1, guns_per_station=20, seed=3, sessions_per_gun_day=12)
    story, days = Network(profile).story(0), 12
    story.advance(days * DAY_S)
    stops = [each for each in story.faults(0, days * DAY_S) if each.part in ("gun", "terminal")]
    assert len(stops) > 5
    for fault in stops:
        times = np.linspace(fault.begin_s, min(fault.end_s, days * DAY_S) - 1, 5)
        assert [0.0] * 5 == story.gun_kw(fault.place, times).tolist()
        assert [2.0] * 5 == story.gun_status(fault.place, times).tolist()
    begins = {(fault.place, fault.begin_s) for fault in stops}
    broken = [each for each in orders(story) if (each.gun, each.power_off_s) in begins]
    assert broken
    assert {End.ABNORMAL} == {each.end for each in broken}


def answers(story: StationStory, end_s: float) -> list[bytes]:
    """Everything that a story says up to an instant."""
    times = grid(97.0, end_s)
    said = [story.gun_kw(gun.number, times) for gun in story.site.guns]
    said += [story.gun_status(gun.number, times) for gun in story.site.guns]
    said += [story.host_ac_kw(host, times) for host in range(len(story.site.hosts))]
    said += [story.storage_kw(unit, times) for unit in range(len(story.site.storage))]
    said += [story.storage_soc(unit, times) for unit in range(len(story.site.storage))]
    said += [story.auxiliaries_kw(times), story.pv_kw(times), story.outdoor_c(times)]
    said += [story.meter_kw(times), story.meter_kwh(times)]
    sessions = repr(
        [
            (each.transaction_no, each.gun, each.plugged_s, each.kwh(times).sum())
            for each in story.sessions(0, end_s)
        ]
    )
    faults = repr(story.faults(0, end_s))
    return [*(array.tobytes() for array in said), sessions.encode(), faults.encode()]


STEPPED = Profile(stations=1, guns_per_station=10, seed=9, sessions_per_gun_day=15, storage_share=1)


@cache
def in_one_go() -> list[bytes]:
    story = Network(STEPPED).story(0)
    assert story.site.storage
    story.advance(DAY_S)
    return answers(story, DAY_S)


@settings(max_examples=4, deadline=None)
@given(steps=st.lists(st.floats(1.0, DAY_S), max_size=30))
def test_answers_do_not_depend_on_the_steps(steps: list[float]) -> None:
    story = Network(STEPPED).story(0)
    for until_s in sorted(steps):
        story.advance(until_s)
        if until_s > HOUR_S:
            story.meter_kwh(np.array([until_s - 1]))
    story.advance(DAY_S)
    assert in_one_go() == answers(story, DAY_S)


def test_forgetting_changes_no_later_answer() -> None:
    times = grid(15.0, 1000.0) + 1.5 * DAY_S
    whole = told(CROWDED, 1)
    story = Network(CROWDED).story(1)
    for hour in range(1, 24 * DAYS + 1):
        story.advance(hour * HOUR_S)
        story.forget(min(hour * HOUR_S - 7000, 1.5 * DAY_S))
    for ask in (StationStory.meter_kw, StationStory.meter_kwh, StationStory.pv_kw):
        assert ask(whole, times).tobytes() == ask(story, times).tobytes()
    assert whole.gun_kw(3, times).tobytes() == story.gun_kw(3, times).tobytes()
    assert (whole.arrived, whole.left) == (story.arrived, story.left)
    assert len(story.sessions(0, END_S)) < len(whole.sessions(0, END_S))


def test_one_station_more_changes_no_other() -> None:
    few, more = (Network(Profile(stations=count, seed=4)) for count in (3, 4))
    for index in range(3):
        one, other = few.story(index), more.story(index)
        one.advance(DAY_S / 2)
        other.advance(DAY_S / 2)
        assert answers(one, DAY_S / 2) == answers(other, DAY_S / 2)


def test_another_seed_tells_another_story() -> None:
    one, other = (Network(Profile(stations=1, seed=seed)).story(0) for seed in (1, 2))
    one.advance(DAY_S)
    other.advance(DAY_S)
    assert orders(one)[0].plugged_s != orders(other)[0].plugged_s


def test_a_station_without_guns_is_idle() -> None:
    story = Network(Profile(stations=1, guns_per_station=0)).story(0)
    story.advance(DAY_S)
    assert (0, 0, 0.0) == (story.arrived, story.left, story.total_dc_kw(DAY_S))
    assert [] == list(story.sessions(0, DAY_S))
    assert np.all(story.meter_kw(grid(600.0, DAY_S)) >= 0)


def test_sessions_look_like_public_dc_charging_in_china() -> None:
    """25.6 kWh, 48.7 min and 4.3 sessions a day: EVCIPA white paper 2022, bulletin June 2024."""
    network = Network(Profile(stations=8, guns_per_station=10, seed=8, site_mix={"urban": 1}))
    sessions = []
    for story in network.stories():
        story.advance(5 * DAY_S)
        sessions += [each for each in story.sessions(0, 5 * DAY_S) if each.power_off_s < 5 * DAY_S]
    count = len(sessions)
    mean_kwh = sum(each.energies_kwh[-1] for each in sessions) / count
    mean_min = sum(each.power_off_s - each.power_on_s for each in sessions) / count / 60
    assert pytest.approx(25.6, rel=0.10) == mean_kwh
    assert pytest.approx(48.7, rel=0.12) == mean_min
    assert pytest.approx(4.3, rel=0.2) == count / (8 * 10 * 5)
