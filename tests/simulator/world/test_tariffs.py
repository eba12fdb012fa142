"""Tariffs: 48 codes, Guangdong's ratios, changes by month."""

import pytest

from station_sim.world.tariffs import FLAT, PEAK, SHARP, VALLEY, monthly_tariff, period_codes


def test_an_ordinary_month() -> None:
    expected = ["03"] * 16 + ["02"] * 4 + ["01"] * 4 + ["02"] * 4 + ["01"] * 10 + ["02"] * 10
    assert expected == list(period_codes(3))


def test_summer_has_sharp_hours() -> None:
    codes = period_codes(8)
    sharp = [number for number, code in enumerate(codes, start=1) if code == SHARP]
    assert [23, 24, 31, 32, 33, 34] == sharp


@pytest.mark.parametrize("month", range(1, 13))
def test_a_day_has_48_half_hours(month: int) -> None:
    assert 48 == len(period_codes(month))


def test_the_ratios_are_guangdongs() -> None:
    price = monthly_tariff(7, "station-0000", 2026, 3).energy_price
    assert 0.62 <= price[FLAT] <= 0.72
    assert pytest.approx(1.7, abs=1e-3) == price[PEAK] / price[FLAT]
    assert pytest.approx(0.38, abs=1e-3) == price[VALLEY] / price[FLAT]
    assert pytest.approx(1.25, abs=1e-3) == price[SHARP] / price[PEAK]


def test_prices_change_with_the_month_and_fees_stay() -> None:
    march, april = (monthly_tariff(7, "station-0000", 2026, month) for month in (3, 4))
    assert march.energy_price != april.energy_price
    assert march.service_fee == april.service_fee


def test_about_a_tenth_has_another_dial_number() -> None:
    dials = [monthly_tariff(7, f"station-{n:04d}", 2026, 3).dial_no for n in range(1000)]
    assert {"2100", "2101"} == set(dials)
    assert pytest.approx(100, abs=30) == dials.count("2101")
