"""Climates: by latitude, plausible in every month."""

import pytest

from station_sim.world.climate import ANCHORS, BEIJING, GUANGZHOU, climate_at
from station_sim.world.weather import ENERGY_SHARE, sky_shares


def test_a_city_has_its_own_climate() -> None:
    assert GUANGZHOU.highs_c == climate_at(23.1).highs_c
    assert BEIJING.rain == climate_at(39.9).rain


def test_between_cities_lies_a_climate_between_and_beyond_them_the_nearest() -> None:
    assert GUANGZHOU.lows_c[0] > climate_at(27.0).lows_c[0] > BEIJING.lows_c[0]
    assert ANCHORS[0].highs_c == climate_at(10.0).highs_c
    assert ANCHORS[-1].highs_c == climate_at(53.0).highs_c


@pytest.mark.parametrize("climate", ANCHORS, ids=lambda each: str(each.latitude))
@pytest.mark.parametrize("month", range(12))
def test_skies_bring_the_sunshine_that_the_climate_states(climate: object, month: int) -> None:
    rain, sunshine = climate.rain[month], climate.sunshine[month]  # type: ignore[attr-defined]
    shares = sky_shares(rain, sunshine)
    assert pytest.approx(1.0) == sum(share for _, share in shares)
    assert all(share >= 0 for _, share in shares)
    assert pytest.approx(sunshine) == sum(share * ENERGY_SHARE[sky] for sky, share in shares)
