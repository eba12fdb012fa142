"""Counter-based noise: even, normal, and each draw by itself."""

import numpy as np
import pytest

from station_sim.streams.noise import another, hashed, normals, stream_key, uniforms

COUNTERS = np.arange(0, 200_000_000, 1000, dtype=np.int64)


def test_a_draw_depends_on_its_counter_alone() -> None:
    key = stream_key(1, "station-0001", "T", "gun-001")
    whole = hashed(key, COUNTERS)
    assert (hashed(key, COUNTERS[100:200]) == whole[100:200]).all()
    assert (hashed(key, COUNTERS[::-1]) == whole[::-1]).all()


def test_uniforms_are_even() -> None:
    drawn = uniforms(hashed(stream_key(1, "a"), COUNTERS))
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    counts = np.histogram(drawn, bins=100, range=(0, 1))[0]
    expected = len(COUNTERS) / 100
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert 60 < chi_squared < 145


def test_normals_are_normal() -> None:
    drawn = normals(hashed(stream_key(2, "a"), COUNTERS))
    assert 0.0 == pytest.approx(drawn.mean(), abs=0.01)
    assert 1.0 == pytest.approx(drawn.std(), abs=0.01)
    assert 0.0455 == pytest.approx((abs(drawn) > 2).mean(), abs=0.006)


def test_streams_and_successive_draws_are_apart() -> None:
    one, two = (hashed(stream_key(1, name), COUNTERS) for name in ("a", "b"))
    for first, second in ((one, two), (one, another(one)), (one, np.roll(one, 1))):
        assert abs(np.corrcoef(uniforms(first), uniforms(second))[0, 1]) < 0.01


def test_names_and_seed_make_the_key() -> None:
    keys = {stream_key(1, "a", "b"), stream_key(1, "a/b", "c"), stream_key(2, "a", "b")}
    assert 3 == len(keys)
    assert stream_key(1, "a", 2) == stream_key(1, "a", 2)
