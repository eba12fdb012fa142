"""A cabinet: exact against a naive integration, round trip, band and taper."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station_sim.world.storage import ROUND_TRIP, SOC_MAX, SOC_MIN, Cabinet

decisions = st.lists(st.tuples(st.integers(1, 300), st.floats(-1, 1)), min_size=1, max_size=12)


def run(drawn: list[tuple[int, float]]) -> tuple[Cabinet, list[tuple[float, float, float]]]:
    """A cabinet that is told shares of what it can until each decision's end."""
    cabinet = Cabinet(100.0, 50.0, 50.0)
    at_s, steps = 0.0, []
    for seconds, share in drawn:
        until_s = at_s + seconds * 10
        most = cabinet.most_discharge_kw if share > 0 else cabinet.most_charge_kw
        kw = share * most(at_s, until_s)
        cabinet.set(kw, at_s)
        steps.append((at_s, until_s, kw))
        at_s = until_s
    return cabinet, steps


@given(decisions)
def test_state_of_charge_is_that_of_a_second_by_second_integration(
    drawn: list[tuple[int, float]],
) -> None:
    cabinet, steps = run(drawn)
    kwh, given_kwh, taken_kwh, heat = 50.0, 0.0, 0.0, 0.0
    way = ROUND_TRIP**0.5
    for begin_s, end_s, kw in steps:
        for _ in range(int(end_s - begin_s)):
            kwh -= (kw / way if kw > 0 else kw * way) / 3600
            given_kwh += max(kw, 0.0) / 3600
            taken_kwh += max(-kw, 0.0) / 3600
            heat += (abs(kw) / 50.0 - heat) / 2400
    end = np.array([steps[-1][1]])
    assert pytest.approx(kwh, abs=1e-6) == cabinet.soc(end)[0] == cabinet.soc_at(end[0])
    assert pytest.approx(given_kwh, abs=1e-6) == cabinet.discharged_kwh(end)[0]
    assert pytest.approx(taken_kwh, abs=1e-6) == cabinet.charged_kwh(end)[0]
    assert pytest.approx(heat, abs=1e-3) == cabinet.heat(end)[0]


@given(decisions)
def test_band_and_taper_hold_throughout(drawn: list[tuple[int, float]]) -> None:
    cabinet, steps = run(drawn)
    times_s = np.linspace(0, steps[-1][1], 500)
    soc, kw = cabinet.soc(times_s), cabinet.kw_at(times_s)
    assert soc.min() >= SOC_MIN - 1e-9
    assert soc.max() <= SOC_MAX + 1e-9
    inside = times_s < steps[-1][1]
    assert (kw <= 50 * np.clip((soc - 10) / 5, 0, 1) + 1e-6)[inside].all()
    assert (-kw <= 50 * np.clip((95 - soc) / 5, 0, 1) + 1e-6)[inside].all()


@given(decisions, st.integers(0, 12))
def test_answers_do_not_depend_on_what_was_forgotten(
    drawn: list[tuple[int, float]], place: int
) -> None:
    whole, steps = run(drawn)
    cut, _ = run(drawn)
    from_s = steps[min(place, len(steps) - 1)][0]
    cut.forget(from_s)
    times_s = np.linspace(from_s, steps[-1][1], 50)
    for query in ("kw_at", "soc", "discharged_kwh", "charged_kwh", "heat"):
        assert getattr(whole, query)(times_s).tolist() == getattr(cut, query)(times_s).tolist()


def test_85_percent_of_what_went_in_comes_out() -> None:
    cabinet = Cabinet(100.0, 50.0, 40.0)
    cabinet.set(-20.0, 0.0)
    cabinet.set(0.0, 3600.0)
    cabinet.set(20.0 * 0.85, 7200.0)
    assert pytest.approx(40.0) == cabinet.soc_at(10_800.0)


def test_decisions_go_forward() -> None:
    cabinet = Cabinet(100.0, 50.0, 40.0)
    cabinet.set(10.0, 100.0)
    with pytest.raises(ValueError, match="go forward"):
        cabinet.set(0.0, 99.0)


def test_what_is_left_above_a_state_of_charge() -> None:
    cabinet = Cabinet(100.0, 50.0, 60.0)
    assert pytest.approx(50 * 0.85**0.5) == cabinet.kwh_above(10.0, 0.0)
    assert 0.0 == cabinet.kwh_above(70.0, 0.0)


def test_what_was_forgotten_cannot_be_asked() -> None:
    cabinet = Cabinet(100.0, 50.0, 60.0)
    cabinet.set(10.0, 100.0)
    cabinet.set(0.0, 200.0)
    cabinet.forget(250.0)
    with pytest.raises(ValueError, match=r"nothing is known of 50\.0"):
        cabinet.soc(np.array([50.0, 300.0]))
