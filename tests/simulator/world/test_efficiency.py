"""Efficiency of hosts, and which of their modules run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station_sim.world.efficiency import (
    DCDC_EFFICIENCY,
    HOST_STANDBY_KW,
    LOADS,
    RECTIFIER_EFFICIENCIES,
    derating,
    host_ac_kw,
    host_limit_kw,
    module_kw,
)

ratings = st.sampled_from([60.0, 240.0, 360.0, 480.0])


@given(ratings, st.floats(0, 1))
def test_a_host_takes_the_least_that_any_number_of_modules_would(
    rated_kw: float, share: float
) -> None:
    dc_kw = share * rated_kw
    takes = []
    for running in range(1, 21):
        load = dc_kw / running / (rated_kw / 20)
        if load <= 1 + 1e-9:
            efficiency = np.interp(load, LOADS, RECTIFIER_EFFICIENCIES) * DCDC_EFFICIENCY
            takes.append(dc_kw / efficiency + HOST_STANDBY_KW)
    assert pytest.approx(min(takes)) == host_ac_kw(np.array([dc_kw]), rated_kw)[0]


@pytest.mark.parametrize("rated_kw", [60.0, 240.0, 360.0, 480.0])
def test_intake_rises_with_power(rated_kw: float) -> None:
    dc_kw = np.linspace(0, rated_kw, 50_001)
    assert np.diff(host_ac_kw(dc_kw, rated_kw)).min() > 0


def test_one_car_is_charged_as_efficiently_as_a_full_host() -> None:
    dc_kw = np.linspace(12, 360, 500)
    efficiencies = dc_kw / host_ac_kw(dc_kw, 360.0)
    assert 0.93 < efficiencies.min()
    assert 0.940 < efficiencies.mean() < 0.946


@given(ratings, st.floats(0, 1), st.integers(0, 19))
def test_modules_sum_to_their_host_within_their_ratings(
    rated_kw: float, share: float, first: int
) -> None:
    dc_kw = share * rated_kw
    tenths = np.rint(module_kw(np.array([dc_kw]), rated_kw, first)[0] * 10).astype(int)
    assert round(dc_kw * 10) == tenths.sum()
    assert tenths.min() >= 0
    assert tenths.max() <= rated_kw / 20 * 10
    runs = np.roll(tenths, -first) > 0
    assert runs.sum() == np.argmin(np.append(runs, False))  # those that run begin with `first`


def test_modules_give_less_in_great_heat() -> None:
    assert [1.0, 1.0, 0.75, 0.5, 0.0] == [derating(c) for c in (20.0, 55.0, 65.0, 75.0, 75.1)]
    assert 360.0 == host_limit_kw(360.0, 36.0)
    assert 324.0 == host_limit_kw(360.0, 36.0, working_modules=18)
    assert 324.0 < host_limit_kw(360.0, 40.0) < 360.0
