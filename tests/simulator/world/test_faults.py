"""Faults: as often and as long as the notes say, one after the other."""

from dataclasses import replace
from itertools import pairwise, takewhile
from random import Random
from statistics import fmean

import pytest

from station_sim.world.charging_network import Network
from station_sim.world.faults import (
    GUN_WEAKNESSES,
    FaultSource,
    Weakness,
    all_sources,
    draw_repair_s,
    hazard,
)
from station_sim.world.profile import Profile
from station_sim.world.story import Fault
from station_sim.world.weather import weather_of

HOUR_S, DAY_S = 3600.0, 86_400.0
PROFILE = Profile(stations=1, guns_per_station=6, seed=2, fixed_temperature_c=20.0)
SITE = replace(Network(PROFILE).site(0), frailty=1.0, years=1.0)


def faults_of(weakness: Weakness, days: float, profile: Profile = PROFILE) -> list[Fault]:
    source = FaultSource(weakness, 1, SITE, profile, weather_of(profile))
    return list(takewhile(lambda fault: fault.begin_s < days * DAY_S, source.faults()))


@pytest.mark.parametrize("weakness", GUN_WEAKNESSES)
def test_guns_fail_as_often_as_the_notes_say(weakness: Weakness) -> None:
    count = 400
    days = count * (weakness.hours_between + weakness.repair_h[0]) / 24
    found = len(faults_of(weakness, days))
    assert count * hazard(SITE) == pytest.approx(found, abs=4 * count**0.5)


def test_great_heat_doubles_them() -> None:
    weakness = GUN_WEAKNESSES[0]
    hot = replace(PROFILE, fixed_temperature_c=39.0)
    mild, more = (len(faults_of(weakness, 8000, each)) for each in (PROFILE, hot))
    assert pytest.approx(2.0, rel=0.2) == more / mild


def test_repairs_have_the_mean_and_spread_stated() -> None:
    rng = Random(1)
    hours = [draw_repair_s(rng, (48.0, 36.0)) / HOUR_S for _ in range(20_000)]
    assert pytest.approx(48, rel=0.03) == fmean(hours)
    assert pytest.approx(36, rel=0.1) == (fmean(h * h for h in hours) - fmean(hours) ** 2) ** 0.5


def test_one_fault_of_a_kind_ends_before_the_next() -> None:
    faults = faults_of(GUN_WEAKNESSES[2], 9000)
    assert len(faults) > 50
    for one, other in pairwise(faults):
        assert one.begin_s < one.end_s <= other.begin_s
    assert {1, 2, 3} == {fault.level for fault in faults}
    assert all(4 == len(fault.code) for fault in faults)


def test_the_old_and_the_frail_fail_more() -> None:
    assert pytest.approx(1.5) == hazard(replace(SITE, years=6.0)) / hazard(SITE)
    assert pytest.approx(2.0) == hazard(replace(SITE, frailty=2.0)) / hazard(SITE)


def test_every_part_of_a_site_has_its_sources() -> None:
    guns, hosts, units = len(SITE.guns), len(SITE.hosts), len(SITE.storage)
    assert 3 * guns + 3 * hosts + units + 1 == len(all_sources(SITE, PROFILE, weather_of(PROFILE)))
