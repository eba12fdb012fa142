"""Sites: a hundred of them look like a network, whatever the seed."""

from collections import Counter
from statistics import fmean, median

import numpy as np
import pytest

from station_sim.world.charging_network import Network
from station_sim.world.profile import Profile
from station_sim.world.site import SiteType, StationSite
from station_sim.world.sites import gun_count, transformer_kva


def hundred(seed: int) -> list[StationSite]:
    return list(Network(Profile(stations=100, seed=seed)).sites)


SEEDS = pytest.mark.parametrize("seed", [0, 1, 7, 2026])


@SEEDS
def test_types_and_sizes_are_those_of_public_stations(seed: int) -> None:
    sites = hundred(seed)
    types = Counter(site.site_type for site in sites)
    assert [70, 18, 8, 4] == [types[each] for each in SiteType]
    guns = [len(site.guns) for site in sites]
    assert 8 <= median(guns) <= 12
    assert 28 <= np.percentile(guns, 90) <= 44


@SEEDS
def test_busyness_averages_out_over_guns(seed: int) -> None:
    for site_type in (SiteType.URBAN, SiteType.CORRIDOR, SiteType.HUB):
        sites = [site for site in hundred(seed) if site.site_type is site_type]
        guns = sum(len(site.guns) for site in sites)
        busy = sum(len(site.guns) * site.busyness for site in sites)
        assert 1.0 == pytest.approx(busy / guns, abs=0.07)


@SEEDS
def test_the_spreads_are_those_of_the_notes(seed: int) -> None:
    urban = [site.busyness for site in hundred(seed) if site.site_type is SiteType.URBAN]
    assert pytest.approx(0.45, abs=0.08) == np.std(urban)
    assert pytest.approx(1.0, abs=0.02) == fmean(site.frailty for site in hundred(seed))


@SEEDS
def test_pv_and_storage_stand_where_their_shares_say(seed: int) -> None:
    sites = hundred(seed)
    assert pytest.approx(30, abs=3) == sum(site.pv_kwp > 0 for site in sites)
    assert pytest.approx(25, abs=9) == sum(bool(site.storage) for site in sites)
    assert all(60 <= site.pv_kwp <= 300 for site in sites if site.pv_kwp)


def test_hosts_have_at_most_six_guns_and_piles_stay_whole() -> None:
    for site in hundred(3):
        for host in range(len(site.hosts)):
            numbers = [gun.gun_no for gun in site.guns if gun.host == host]
            assert [f"{number:02d}" for number in range(1, len(numbers) + 1)] == numbers
            assert 1 <= len(numbers) <= 6
        hosts_of = {(gun.pile, gun.host) for gun in site.guns}
        assert len({pile for pile, _ in hosts_of}) == len(hosts_of)
        assert all(240 <= host.rated_kw <= 480 for host in site.hosts)
        assert list(range(1, len(site.guns) + 1)) == [gun.number for gun in site.guns]


def test_guns_are_rated_by_the_mix() -> None:
    guns = Counter(gun.rated_kw for site in hundred(5) for gun in site.guns)
    total = guns.total()
    assert pytest.approx(0.72, abs=0.06) == 1 - guns[60.0] / total
    assert pytest.approx(0.20, abs=0.06) == (guns[180.0] + guns[240.0] + guns[480.0]) / total


def test_ids_have_the_wires_shapes() -> None:
    sites = hundred(2)
    assert 100 == len({site.station_id for site in sites})
    for site in sites:
        assert site.station_id.isdigit()
        assert 19 == len(site.station_id)
        assert {14} == {len(host.code) for host in site.hosts}
        assert all(20 == len(unit.code) for unit in site.storage)


def test_one_station_more_changes_no_other() -> None:
    few, more = (Network(Profile(stations=count, seed=4)).sites for count in (9, 10))
    assert list(few) == list(more)[:9]


def test_another_seed_builds_other_stations() -> None:
    one, other = hundred(1), hundred(2)
    assert one != other
    assert [site.name for site in one] != [site.name for site in other]


def test_a_profile_may_fix_the_guns() -> None:
    sites = Network(Profile(stations=5, guns_per_station=7)).sites
    assert [7] * 5 == [len(site.guns) for site in sites]
    empty = Network(Profile(stations=1, guns_per_station=0)).site(0)
    assert ((), ()) == (empty.hosts, empty.guns)


@pytest.mark.parametrize(("share", "guns"), [(0.1, 3), (0.5, 10), (0.9, 35), (0.99, 78)])
def test_sizes_have_the_sourced_quantiles(share: float, guns: int) -> None:
    assert guns == gun_count(share)


@pytest.mark.parametrize(
    ("rated_kw", "kva"), [(240, 630), (997, 630), (1200, 1000), (2500, 1600), (2600, 3200)]
)
def test_transformers_come_in_usual_sizes(rated_kw: float, kva: float) -> None:
    assert kva == transformer_kva(rated_kw)
