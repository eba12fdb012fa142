"""Times of points against a list of them: what went in comes out, whatever its size."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_analysis.moments import REACH_MS, Moments
from data_analysis.stores import BEFORE_ALL
from data_analysis.windows import Window

NOW_MS = 1_700_000_000_000
MILLISECONDS = st.integers(NOW_MS - REACH_MS, NOW_MS + REACH_MS).map(lambda ms: ms / 1000)
NEAR = st.integers(NOW_MS - 9, NOW_MS + 9).map(lambda ms: ms / 1000)
TIMES = st.one_of(
    NEAR, MILLISECONDS, st.just(BEFORE_ALL), st.floats(allow_nan=False), st.integers(0, 10)
)
WRITES = st.lists(st.lists(TIMES, min_size=1, max_size=4), max_size=12)


@given(WRITES, st.integers(0, 2))
def test_times_come_out_as_they_went_in(writes: list[list[float]], way: int) -> None:
    moments, expected = Moments(60), []
    for times in writes:
        if way == 0:
            moments.put_all(len(expected), times)
        for place, time in enumerate(times, len(expected)):
            if way == 1:
                moments.put(place, time)
        if way == 2:
            times = times[:1] * len(times)
            moments.fill(len(expected), len(expected) + len(times), times[0])
        expected += times
        assert expected == moments.floats(0, len(expected)).tolist()


@given(st.lists(TIMES, max_size=20), TIMES, st.integers(0, 4), st.booleans())
def test_a_time_is_found_where_it_is_or_would_be(
    times: list[float], wanted: float, start: int, near: bool
) -> None:
    times = sorted([*times, wanted] if near else times)
    moments = Moments(len(times))
    moments.put_all(0, times)
    start = min(start, len(times))
    expected = [
        start + int(np.searchsorted(times[start:], wanted, side)) for side in ("left", "right")
    ]
    assert tuple(expected) == moments.run(start, len(times), wanted)


@given(st.lists(TIMES, min_size=1, max_size=20), st.integers(0, 9))
def test_moved_times_are_the_same(times: list[float], start: int) -> None:
    moments = Moments(len(times))
    moments.put_all(0, times)
    start = min(start, len(times))
    moved = moments.moved(start, len(times), len(times) + 1)
    moved.put(len(times) - start, 7.0)
    assert [*times[start:], 7.0] == moved.floats(0, len(times) - start + 1).tolist()


def test_times_of_years_are_compact_while_old_ones_leave() -> None:
    window = Window(1, 10)
    times = [NOW_MS / 1000 + day * 86_400 for day in range(1000)]
    for time in times:
        window.add([1.0], time, 0.0)
    assert times[-10:] == window.times()
    assert "uint32" == window._times._data.dtype.name


def test_a_time_that_is_no_number_harms_nothing() -> None:
    moments = Moments(3)
    moments.put_all(0, [1.0, math.nan, 2.0])
    np.testing.assert_array_equal([1.0, math.nan, 2.0], moments.floats(0, 3))
