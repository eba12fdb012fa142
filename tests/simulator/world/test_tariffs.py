"""Tariffs: 48 codes, Guangdong's ratios, changes by month."""

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulator.world.energy_doubles import MARCH, weather

from station_sim.world.demand import URBAN_HOURS
from station_sim.world.profile import STATION_TIMEZONE
from station_sim.world.site import SiteType
from station_sim.world.tariffs import (
    FLAT,
    OTHER,
    PEAK,
    SHARP,
    VALLEY,
    Tariffs,
    monthly_tariff,
    period_codes,
)


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


def station_tariffs(
    station: int = 0, site_type: SiteType = SiteType.URBAN, start: datetime = MARCH
) -> Tariffs:
    return Tariffs(7, f"station-{station:04d}", site_type, weather(start=start))


@pytest.mark.parametrize(
    ("site_type", "low", "high"), [(SiteType.URBAN, 0.2, 0.6), (SiteType.CORRIDOR, 0.4, 0.8)]
)
def test_service_fees_are_those_of_the_kind_of_site(
    site_type: SiteType, low: float, high: float
) -> None:
    fees = [station_tariffs(n, site_type).at(0.0).service_fee for n in range(300)]
    assert all(low <= fee[PEAK] <= high for fee in fees)
    assert all(fee[VALLEY] <= fee[PEAK] for fee in fees)
    assert pytest.approx(210, abs=30) == sum(fee[VALLEY] < fee[PEAK] for fee in fees)


def test_zhejiangs_ratios() -> None:
    price = monthly_tariff(7, "station-0000", 2026, 8, "zhejiang").energy_price
    ratios = [round(price[code] / price[FLAT], 2) for code in (SHARP, PEAK, VALLEY, OTHER)]
    assert [2.05, 1.85, 0.4, 0.2] == ratios


def test_the_tariff_of_an_instant_is_that_of_its_local_day() -> None:
    tariffs = station_tariffs(start=datetime(2026, 6, 30, 23, 30, tzinfo=STATION_TIMEZONE))
    june, july = tariffs.at(1799.0), tariffs.at(1800.0)
    assert june.energy_price != july.energy_price
    assert SHARP in july.codes
    assert tariffs.on(date(2026, 7, 1)) == july


def test_prices_are_energy_and_service_of_the_half_hour() -> None:
    tariffs = station_tariffs()
    tariff = tariffs.at(0.0)
    night, flat, peak = tariffs.prices(np.array([3.0, 8.0, 11.9]) * 3600)
    expected = [
        tariff.energy_price[code] + tariff.service_fee[code] for code in (VALLEY, FLAT, PEAK)
    ]
    assert expected == pytest.approx([night, flat, peak])


energies = st.lists(st.tuples(st.floats(1, 9000), st.floats(0, 30)), min_size=1, max_size=8)


@settings(max_examples=40)
@given(st.floats(0, 40 * 86_400), energies)
def test_a_charge_costs_what_a_naive_sum_over_seconds_does(
    begin_s: float, drawn: list[tuple[float, float]]
) -> None:
    tariffs = station_tariffs()
    times_s = np.cumsum([begin_s, *(seconds for seconds, _ in drawn)]).tolist()
    kwh = np.cumsum([0.0, *(energy for _, energy in drawn)]).tolist()
    cost = tariffs.cost(times_s, kwh)
    middles_s = np.linspace(times_s[0], times_s[-1], 40_001)
    pieces = np.diff(np.interp(middles_s, times_s, kwh))
    naive = pieces @ tariffs.prices((middles_s[1:] + middles_s[:-1]) / 2)
    assert pytest.approx(naive, abs=0.05) == cost.total_cny
    assert pytest.approx(kwh[-1], abs=1e-9) == sum(cost.kwh_by_code.values())


def test_a_charge_that_is_under_way_costs_what_it_took_so_far() -> None:
    tariffs = station_tariffs()
    whole = tariffs.cost([0.0, 3600.0], [0.0, 30.0])
    half = tariffs.cost([0.0, 3600.0], [0.0, 30.0], end_s=1800.0)
    assert pytest.approx(whole.total_cny / 2) == half.total_cny
    assert pytest.approx(15.0) == half.kwh_by_code[VALLEY]


def test_drivers_pay_about_0_98_a_kilowatt_hour() -> None:
    paid_cny = paid_kwh = 0.0
    for station in range(100):
        kind = (
            SiteType.URBAN if station < 70 else SiteType.CORRIDOR if station < 88 else SiteType.HUB
        )
        tariffs = station_tariffs(station, kind)
        for hour, share in enumerate(URBAN_HOURS):
            # A corridor's day lies between 9 and 21 o'clock for the most part.
            weight = share if kind is not SiteType.CORRIDOR else 6.75 if 9 <= hour < 21 else 1.6
            begin_s = hour * 3600.0 + 1800.0
            cost = tariffs.cost([begin_s, begin_s + 2900.0], [0.0, 25.6])
            paid_cny += weight * cost.total_cny
            paid_kwh += weight * 25.6
    assert pytest.approx(0.98, rel=0.15) == paid_cny / paid_kwh
