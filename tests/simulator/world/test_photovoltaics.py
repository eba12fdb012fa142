"""Panels: yield by season, darkness, energy as the integral of power, forecasts."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from tests.simulator.world.energy_doubles import DAY_S, SomeCity, weather

from station_sim.world.photovoltaics import QUARTERS, Panels
from station_sim.world.profile import STATION_TIMEZONE

NEW_YEAR = datetime(2026, 1, 1, tzinfo=STATION_TIMEZONE)
# kWh per kWp and day: 3.1 in the year's mean, 68 : 78 : 51 : 37 from spring on.
SEASON_YIELDS = (3.1 * 37 / 58.5, 3.1 * 68 / 58.5, 3.1 * 78 / 58.5, 3.1 * 51 / 58.5)


def panels(seed: int = 7, city: SomeCity | None = None, start: datetime = NEW_YEAR) -> Panels:
    return Panels(seed, "station-0003", 100.0, weather(seed, start, city))


@pytest.mark.parametrize("month", [2, 3, 7, 11])
def test_a_month_yields_what_its_season_does_in_china(month: int) -> None:
    start = datetime(2026, month, 1, tzinfo=STATION_TIMEZONE)
    kwh = panels(start=start).kwh(np.array([28 * DAY_S]))[0]
    assert pytest.approx(SEASON_YIELDS[month % 12 // 3], rel=0.2) == kwh / 28 / 100


@pytest.mark.full
@pytest.mark.parametrize("city", [SomeCity(), SomeCity(30.27, 120.15), SomeCity(39.9, 116.4)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_month_of_a_year_yields_what_its_season_does(seed: int, city: SomeCity) -> None:
    yields = np.diff(panels(seed, city).kwh(np.arange(366) * DAY_S)) / 100
    assert pytest.approx(3.1, rel=0.05) == yields.mean()
    months = np.array([(NEW_YEAR + timedelta(days=number)).month for number in range(365)])
    for month in range(1, 13):
        found = yields[months == month].mean()
        assert pytest.approx(SEASON_YIELDS[month % 12 // 3], rel=0.2) == found


def test_nights_give_nothing_at_all_and_days_no_more_than_the_panels_can() -> None:
    times_s = np.arange(0, 30 * DAY_S, 60.0)
    kw = panels().kw(times_s)
    hours = times_s % DAY_S / 3600
    assert 0.0 == kw[(hours < 6.5) | (hours > 19)].max()
    assert 0.0 == kw.min()
    assert 50 < kw.max() < 100


def test_energy_is_the_integral_of_power() -> None:
    own = panels(start=datetime(2026, 3, 1, 11, 17, 5, tzinfo=STATION_TIMEZONE))
    middles_s = np.arange(0, 2 * DAY_S, 2.0) + 1.0
    naive = own.kw(middles_s).sum() * 2 / 3600
    assert pytest.approx(naive, rel=1e-6) == own.kwh(np.array([2 * DAY_S]))[0]
    assert 0.0 == own.kwh(np.array([0.0]))[0]


def test_answers_depend_neither_on_chunks_nor_on_what_was_forgotten() -> None:
    times_s = np.arange(0, 12 * DAY_S, 900.0)
    whole, kwh = panels().kw(times_s), panels().kwh(times_s)
    chunked = panels()
    for part in np.split(np.arange(len(times_s)), 16):
        assert whole[part].tolist() == chunked.kw(times_s[part]).tolist()
        assert kwh[part].tolist() == chunked.kwh(times_s[part]).tolist()
        chunked.forget(times_s[part][-1])


def test_the_highest_power_ahead() -> None:
    own = panels()
    begin_s = 10 * 3600.0 + 20
    seen = own.kw(np.arange(begin_s, begin_s + 300, 0.5)).max()
    assert pytest.approx(seen, rel=1e-3) == own.most_kw(begin_s, begin_s + 300)
    assert own.most_kw(begin_s, begin_s + 300) >= seen


def test_a_forecast_is_right_on_the_whole_and_15_to_25_percent_off_in_each_quarter_hour() -> None:
    errors, told, real = [], 0.0, 0.0
    for station in range(3):
        own = Panels(7, f"station-{station:04d}", 100.0, weather(7, NEW_YEAR))
        for number in range(0, 360, 12):
            forecast = own.forecast_dc_kw(date(2026, 1, 1) + timedelta(days=number))
            bounds_s = number * DAY_S + 900.0 * np.arange(QUARTERS + 1)
            truth = np.diff(np.cumsum(np.append(0.0, own.dc_kw(bounds_s[:-1] + 450))))
            by_day = truth > 2
            errors.append(np.abs(forecast - truth)[by_day] / truth[by_day])
            told, real = told + forecast.sum(), real + truth.sum()
    assert 0.15 < np.concatenate(errors).mean() < 0.25
    assert pytest.approx(real, rel=0.05) == told


def test_no_panels_no_power() -> None:
    none = Panels(7, "station-0003", 0.0, weather())
    noon_s = np.array([12 * 3600.0])
    assert [0.0] == none.kw(noon_s).tolist() == none.kwh(noon_s).tolist()
    assert 0.0 == none.most_kw(0.0, 300.0) == none.forecast_dc_kw(date(2026, 3, 1)).max()
