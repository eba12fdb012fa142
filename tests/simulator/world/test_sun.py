"""The sun: where it stands, and light only while it is up."""

from datetime import date, timedelta

import numpy as np
import pytest

from station_sim.world.sun import KNOTS, STEP_S, clear_day, longest_light_s

EQUINOX = date(2026, 3, 20)


def test_at_noon_of_the_equinox_the_sun_stands_as_far_from_the_zenith_as_the_equator() -> None:
    assert pytest.approx(23.1, abs=0.3) == clear_day(23.13, 113.27, EQUINOX).zenith.min()


def test_light_comes_while_the_sun_is_up_and_from_the_south_at_noon() -> None:
    day = clear_day(39.9, 116.4, EQUINOX)
    light = day.on_plane(30.0, 180.0)
    assert (KNOTS,) == light.shape
    assert 0.0 == light[day.zenith >= 90].max() == light.min()
    assert 800 < light.max() < 1200
    assert light.max() > day.on_plane(0.0, 180.0).max() > day.on_plane(30.0, 0.0).max()
    assert np.abs(light.argmax() - day.zenith.argmin()) <= 3


def test_summer_days_are_longer() -> None:
    summer, winter = (clear_day(39.9, 116.4, date(2026, month, 21)) for month in (6, 12))
    assert (summer.zenith < 90).sum() > 1.5 * (winter.zenith < 90).sum()


@pytest.mark.parametrize("latitude", [18.2, 31.2, 53.5])
@pytest.mark.parametrize("longitude", [75.9, 113.3, 134.3])
def test_the_sun_is_never_up_outside_the_longest_light(latitude: float, longitude: float) -> None:
    first_s, last_s = longest_light_s(latitude, longitude)
    for number in range(0, 365, 46):
        day = clear_day(latitude, longitude, EQUINOX + timedelta(days=number))
        up_s = STEP_S * np.flatnonzero(day.zenith < 90)
        assert first_s + STEP_S < up_s.min() < up_s.max() < last_s - STEP_S
