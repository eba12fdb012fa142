"""The grid limit holds whatever hosts the power is spread over."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from station_sim.world.efficiency import host_ac_kw
from station_sim.world.grid import (
    allowed_dc_kw,
    charging_headroom_kw,
    least_ac_kw,
    most_ac_kw,
)

hosts = st.lists(
    st.tuples(st.sampled_from([60.0, 240.0, 360.0, 480.0]), st.floats(0, 1)), min_size=1, max_size=6
)


@given(hosts, st.floats(100, 1300), st.floats(0, 10))
def test_hosts_and_auxiliaries_never_exceed_the_limit(
    drawn: list[tuple[float, float]], limit_kw: float, auxiliaries_kw: float
) -> None:
    ratings = [rated_kw for rated_kw, _ in drawn]
    dc_kw = np.array([share * rated_kw for rated_kw, share in drawn])
    allowed_kw = allowed_dc_kw(limit_kw, ratings, auxiliaries_kw)
    if dc_kw.sum() > allowed_kw:
        dc_kw *= allowed_kw / dc_kw.sum()
    taken_kw = sum(
        host_ac_kw(np.array([kw]), rated_kw)[0] for kw, rated_kw in zip(dc_kw, ratings, strict=True)
    )
    assert taken_kw + auxiliaries_kw <= limit_kw + 1e-9
    total_kw = float(dc_kw.sum())
    assert least_ac_kw(total_kw, len(drawn)) <= taken_kw + 1e-9
    assert taken_kw <= most_ac_kw(total_kw, ratings) + 1e-9


def test_little_of_the_limit_is_given_away() -> None:
    allowed_kw = allowed_dc_kw(504.0, [360.0, 360.0], 5.0)
    taken_kw = 2 * host_ac_kw(np.array([allowed_kw / 2]), 360.0)[0]
    assert 0.97 * 504 < taken_kw + 5.0 <= 504.0


def test_nothing_is_allowed_beyond_the_limit() -> None:
    assert 0.0 == allowed_dc_kw(1.0, [360.0], 5.0)
    assert 0.0 == charging_headroom_kw(400.0, 500.0)
    assert 100.0 == charging_headroom_kw(500.0, 400.0)
