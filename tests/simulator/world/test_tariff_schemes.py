"""Schemes: Guangdong's hours and hot days, Zhejiang's five levels."""

import pytest

from station_sim.world.tariff_schemes import (
    CODES,
    FLAT,
    OTHER,
    PEAK,
    SCHEMES,
    SHARP,
    VALLEY,
    period_codes,
)


def test_hot_days_have_sharp_hours_in_guangdong() -> None:
    assert period_codes(8) == period_codes(6, is_hot=True) == period_codes(8, is_hot=True)
    assert SHARP not in period_codes(6)


def test_zhejiang_has_five_levels() -> None:
    ratios = SCHEMES["zhejiang"].ratios
    assert (2.05, 1.85, 1.0, 0.4, 0.2) == tuple(ratios[code] for code in CODES)
    assert {SHARP, PEAK, FLAT, VALLEY, OTHER} == set(period_codes(7, "zhejiang"))
    assert {PEAK, FLAT, VALLEY, OTHER} == set(period_codes(4, "zhejiang"))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("month", range(1, 13))
def test_a_day_has_48_half_hours_of_known_periods(scheme: str, month: int) -> None:
    codes = period_codes(month, scheme)
    assert 48 == len(codes)
    assert set(codes) <= set(SCHEMES[scheme].ratios)
