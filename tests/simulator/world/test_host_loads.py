"""Hosts' AC energy: exact, whatever was asked or forgotten before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulator.world.energy_doubles import DAY_S, HOUR_S, busy_staircase

from station_sim.world.host_loads import HostLoads
from station_sim.world.site import HostSite

HOSTS = (HostSite("1" * 14, 360.0), HostSite("2" * 14, 240.0))
LAST_S = DAY_S - 1.0


def loads() -> HostLoads:
    return HostLoads(HOSTS, busy_staircase(2, 1, 3))


def test_energy_is_the_integral_of_power() -> None:
    middles_s = np.arange(0, LAST_S, 1.0) + 0.5
    naive = loads().kw(middles_s).sum() / 3600
    assert pytest.approx(naive, rel=1e-4) == loads().kwh(np.array([LAST_S]))[0]


def test_all_hosts_are_the_sum_of_each() -> None:
    times_s = np.linspace(0, LAST_S, 300)
    own = loads()
    each = own.host_kwh(0, times_s) + own.host_kwh(1, times_s)
    assert each == pytest.approx(own.kwh(times_s), rel=1e-12)
    assert 0.0 == own.kwh(np.array([0.0]))[0]


@settings(max_examples=30)
@given(st.lists(st.floats(0, LAST_S), min_size=1, max_size=6), st.integers(1, 400))
def test_answers_do_not_depend_on_chunks_or_on_what_was_forgotten(
    cuts_s: list[float], points: int
) -> None:
    times_s = np.linspace(0, LAST_S, points + 1)
    whole, cut = loads(), loads()
    expected = whole.kwh(times_s)
    begin_s = 0.0
    for end_s in [*sorted(cuts_s), DAY_S]:
        part = (times_s >= begin_s) & (times_s < end_s)
        assert expected[part].tolist() == cut.kwh(times_s[part]).tolist()
        begin_s = max(begin_s, end_s)
        kept_s = cut.forget(min(end_s, LAST_S))
        assert kept_s % HOUR_S == 0
        assert kept_s <= begin_s


def test_what_was_forgotten_cannot_be_asked() -> None:
    own = loads()
    assert 2 * HOUR_S == own.forget(2.5 * HOUR_S) == own.forget(HOUR_S)
    assert own.kwh(np.array([2 * HOUR_S])) > 0
    with pytest.raises(ValueError, match="hour 1 was forgotten"):
        own.kwh(np.array([1.9 * HOUR_S]))
