"""Shares of power: fair, within every limit, and nothing idle that somebody wants."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station_sim.world.charging_network import Network
from station_sim.world.profile import Profile
from station_sim.world.sharing import LEAST_KW, PowerSharing, fair_shares
from station_sim.world.site import GunSite, HostSite, StationSite

SITE = Network(Profile(stations=1, guns_per_station=14, seed=3)).site(0)
PLENTY_KW = 10_000.0


@pytest.mark.parametrize(
    ("wants", "capacity", "shares"),
    [
        ({1: 30, 2: 40}, 120, {1: 30, 2: 40}),
        ({1: 90, 2: 90}, 120, {1: 60, 2: 60}),
        ({1: 30, 2: 200}, 120, {1: 30, 2: 90}),
        ({1: 10, 2: 100, 3: 100}, 90, {1: 10, 2: 40, 3: 40}),
        ({}, 100, {}),
    ],
)
def test_halves_and_the_rest_is_lent(
    wants: dict[int, float], capacity: float, shares: dict[int, float]
) -> None:
    assert shares == fair_shares(wants, capacity)


wanted_kw = st.dictionaries(st.integers(1, 14), st.floats(1.0, 400.0), min_size=1, max_size=14)


@given(demands=wanted_kw, host_kw=st.floats(100.0, 500.0), allowed_kw=st.floats(100.0, 1500.0))
def test_every_level_holds(demands: dict[int, float], host_kw: float, allowed_kw: float) -> None:
    hosts_kw = [host_kw] * len(SITE.hosts)
    limits = PowerSharing(SITE).limits(demands, hosts_kw, allowed_kw)
    assert demands.keys() == limits.keys()
    flows = {gun: min(limits[gun], demands[gun]) for gun in demands}
    assert sum(flows.values()) <= allowed_kw + 1e-6
    for host in range(len(SITE.hosts)):
        on_host = [kw for gun, kw in flows.items() if SITE.guns[gun - 1].host == host]
        assert sum(on_host) <= host_kw + 1e-6
    for pile in {gun.pile for gun in SITE.guns}:
        on_pile = [gun for gun in SITE.guns if gun.pile == pile and gun.number in flows]
        rated_kw = [gun.rated_kw for gun in on_pile][:1]
        assert sum(flows[gun.number] for gun in on_pile) <= sum(rated_kw) + 1e-6


def test_a_gun_that_needs_no_more_has_room() -> None:
    gun = SITE.guns[0]
    hosts_kw = [PLENTY_KW] * len(SITE.hosts)
    limits = PowerSharing(SITE).limits({gun.number: 10.0}, hosts_kw, PLENTY_KW)
    assert {gun.number: gun.rated_kw} == limits


def test_nobody_is_left_with_nothing() -> None:
    limits = PowerSharing(SITE).limits({1: 50.0, 2: 50.0}, [0.0] * len(SITE.hosts), PLENTY_KW)
    assert {1: LEAST_KW, 2: LEAST_KW} == limits


def test_hosts_and_station_limit_what_piles_would_give() -> None:
    site = two_single_piles()
    sharing = PowerSharing(site)
    assert {1: 60.0, 2: 60.0} == sharing.limits({1: 60.0, 2: 60.0}, [480.0], PLENTY_KW)
    assert {1: 50.0, 2: 50.0} == sharing.limits({1: 60.0, 2: 60.0}, [100.0], PLENTY_KW)
    assert {1: 40.0, 2: 40.0} == sharing.limits({1: 60.0, 2: 60.0}, [100.0], 80.0)


def two_single_piles() -> StationSite:
    guns = tuple(GunSite(number, f"0{number}", 0, number, 60.0, 250.0) for number in (1, 2))
    hosts = (HostSite("52000000000000", 240.0),)
    return replace(SITE, guns=guns, hosts=hosts)
