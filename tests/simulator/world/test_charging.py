"""The staircase of a charge: power, energy and state of charge agree at every instant."""

import numpy as np
import pytest

from station_sim.world.charging import (
    CHARGE_EFFICIENCY,
    CURVE_SOCS,
    LOW_CURVE,
    MEASURED_CURVE,
    Battery,
    Staircase,
    curve,
    staircase,
    temperature_factor,
)

BATTERY = Battery(capacity_kwh=60.0, peak_kw=70.0)


def charge(
    soc_from: float = 23.7,
    soc_to: float = 91.2,
    limit_kw: float = 60.0,
    ramp_kw_per_s: float | None = None,
) -> Staircase:
    return staircase(
        BATTERY.accepted_kw(),
        BATTERY.capacity_kwh,
        soc_from=soc_from,
        soc_to=soc_to,
        limit_kw=limit_kw,
        begin_s=100.0,
        ramp_kw_per_s=ramp_kw_per_s,
    )


@pytest.mark.parametrize(("shape", "measured"), [(0.0, MEASURED_CURVE), (-1.0, LOW_CURVE)])
def test_the_curves_are_the_measured_ones(shape: float, measured: tuple[float, ...]) -> None:
    middles = np.arange(100) + 0.5
    assert np.interp(middles, CURVE_SOCS, measured) == pytest.approx(curve(shape))


@pytest.mark.parametrize("shape", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_power_only_falls_as_a_battery_fills(shape: float) -> None:
    assert np.all(np.diff(curve(shape)) <= 1e-12)


@pytest.mark.parametrize("ramp_kw_per_s", [None, 5.0, 20.0])
@pytest.mark.parametrize(
    ("soc_from", "soc_to"), [(23.7, 91.2), (0.0, 100.0), (50.0, 51.0), (99.2, 99.9), (30.4, 30.5)]
)
def test_energy_follows_state_of_charge(
    soc_from: float, soc_to: float, ramp_kw_per_s: float | None
) -> None:
    steps = charge(soc_from, soc_to, ramp_kw_per_s=ramp_kw_per_s)
    gained_kwh = BATTERY.capacity_kwh * (steps.socs_percent - soc_from) / 100
    assert gained_kwh == pytest.approx(CHARGE_EFFICIENCY * steps.energies_kwh, abs=1e-9)
    assert (soc_from, soc_to) == (steps.socs_percent[0], steps.socs_percent[-1])


@pytest.mark.parametrize("ramp_kw_per_s", [None, 7.0])
def test_energy_is_the_integral_of_power(ramp_kw_per_s: float | None) -> None:
    steps = charge(ramp_kw_per_s=ramp_kw_per_s)
    integral = np.cumsum(np.diff(steps.times_s) * steps.powers_kw / 3600)
    assert integral == pytest.approx(steps.energies_kwh[1:], abs=1e-9)
    assert np.all(np.diff(steps.times_s) > 0)


def test_power_ramps_up_second_by_second() -> None:
    steps = charge(ramp_kw_per_s=10.0)
    assert [5.0, 15.0, 25.0, 35.0, 45.0, 55.0, 60.0] == steps.powers_kw[:7].tolist()
    assert [100.0, 101.0, 102.0] == pytest.approx(steps.times_s[:3])


def test_the_limit_holds_where_the_battery_would_take_more() -> None:
    steps = charge(10.0, 100.0, limit_kw=40.0)
    assert max(steps.powers_kw) == 40.0
    assert steps.powers_kw[-1] < 40.0


@pytest.mark.parametrize("limit_kw", [0.0, -1.0])
def test_a_limit_of_nothing_is_refused(limit_kw: float) -> None:
    with pytest.raises(ValueError, match=f"limit_kw must be > 0, got {limit_kw}"):
        charge(limit_kw=limit_kw)


@pytest.mark.parametrize(("soc_from", "soc_to"), [(50.0, 50.0), (60.0, 50.0), (50.0, 100.5)])
def test_a_charge_goes_up(soc_from: float, soc_to: float) -> None:
    with pytest.raises(ValueError, match="a charge goes up within 0 to 100 %"):
        charge(soc_from, soc_to)


def test_cold_batteries_take_less() -> None:
    factors = [temperature_factor(outdoor_c) for outdoor_c in (25, 20, 10, 0, -10, -40, 40)]
    assert [1.0, 1.0, 0.85, 0.60, 0.42, 0.28, 0.9] == pytest.approx(factors)


def test_voltage_rises_by_an_eighth_as_a_pack_fills() -> None:
    low, full = Battery(60.0, 70.0, volts_low=350.0).volts(np.array([10.0, 100.0]))
    assert (350.0, 392.0) == pytest.approx((low, full))
