"""Clouds: around the condition's share, with eight minutes of memory."""

from datetime import date, timedelta

import numpy as np
import pytest

from station_sim.world.clouds import MINUTES, clearness
from station_sim.world.weather import ENERGY_SHARE, Condition

DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(40)]


def series(condition: Condition) -> np.ndarray:
    return np.array([clearness(7, "station-0000", day, condition) for day in DAYS])


@pytest.mark.parametrize("condition", Condition)
def test_a_days_mean_is_the_conditions_share(condition: Condition) -> None:
    found = series(condition)
    assert (len(DAYS), MINUTES) == found.shape
    assert pytest.approx(ENERGY_SHARE[condition], abs=0.02) == found.mean()
    assert found.min() > 0


def test_cloudy_days_vary_by_0_22_with_a_memory_of_8_minutes() -> None:
    found = series(Condition.CLOUDY)
    assert pytest.approx(0.22, abs=0.015) == found.std()
    swings = found - found.mean()
    later = (swings[:, 8:] * swings[:, :-8]).mean() / (swings**2).mean()
    assert pytest.approx(np.exp(-1), abs=0.05) == later


def test_stations_and_days_have_clouds_of_their_own() -> None:
    one, other = (clearness(7, name, DAYS[0], Condition.CLOUDY) for name in ("a", "b"))
    assert one.tolist() == clearness(7, "a", DAYS[0], Condition.CLOUDY).tolist()
    assert one.tolist() != other.tolist() != clearness(7, "b", DAYS[1], Condition.CLOUDY).tolist()
