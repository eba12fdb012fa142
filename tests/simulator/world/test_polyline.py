"""Polylines: integrals are those of the values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station_sim.world.polyline import Polyline

knots = st.lists(st.tuples(st.integers(1, 500), st.floats(-100, 100)), min_size=2, max_size=8)


@given(knots, st.floats(0, 1))
def test_the_integral_is_the_sum_of_many_small_pieces(
    steps: list[tuple[int, float]], share: float
) -> None:
    times_s = np.cumsum([float(step) for step, _ in steps])
    line = Polyline(times_s, np.array([value for _, value in steps]))
    end_s = times_s[0] + share * (times_s[-1] - times_s[0])
    grid_s = np.linspace(times_s[0], end_s, 20_001)
    middles_s = (grid_s[1:] + grid_s[:-1]) / 2
    naive = line.at(middles_s).sum() * (grid_s[1] - grid_s[0]) / 3600
    assert pytest.approx(naive, abs=1e-4) == line.integral(np.array([end_s]))[0]


def test_the_whole_is_the_integral_at_the_last_knot() -> None:
    line = Polyline(np.array([0.0, 1800.0, 3600.0]), np.array([0.0, 4.0, 0.0]))
    assert 2.0 == line.whole == line.integral(np.array([3600.0]))[0]


def test_the_highest_value_may_lie_between_knots_or_on_one() -> None:
    line = Polyline(np.array([0.0, 10.0, 20.0]), np.array([0.0, 4.0, 0.0]))
    assert 4.0 == line.most(5.0, 15.0)
    assert 2.0 == line.most(0.0, 5.0)
