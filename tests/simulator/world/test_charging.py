"""The staircase of a charge: power, energy and state of charge agree at every instant."""

import pytest

from station_sim.world.charging import CHARGE_EFFICIENCY, Battery, ChargePlan, share_of_peak

BATTERY = Battery(capacity_kwh=60.0, peak_kw=70.0)


@pytest.mark.parametrize(
    ("soc", "share"), [(0, 0.95), (20, 0.94), (45, 0.865), (80, 0.48), (95, 0.23), (100, 0.15)]
)
def test_the_curve_is_the_measured_one(soc: float, share: float) -> None:
    assert share == pytest.approx(share_of_peak(soc))


def test_energy_follows_state_of_charge() -> None:
    plan = ChargePlan(BATTERY, 23.7, 91.2, limit_kw=60.0, start_s=100.0)
    for at_s in range(0, 6000, 7):
        stored = BATTERY.capacity_kwh * (plan.soc_percent(at_s) - 23.7) / 100
        assert stored == pytest.approx(CHARGE_EFFICIENCY * plan.energy_kwh(at_s), abs=1e-9)
    assert plan.soc_percent(plan.end_s) == 91.2


def test_energy_is_the_integral_of_power() -> None:
    plan = ChargePlan(BATTERY, 23.7, 91.2, limit_kw=60.0, start_s=100.0)
    steps = zip(plan.times_s, plan.times_s[1:], strict=False)
    integral = sum((end - begin) * plan.power_kw((begin + end) / 2) / 3600 for begin, end in steps)
    assert integral == pytest.approx(plan.energies_kwh[-1], abs=1e-9)


def test_the_gun_limits_where_the_battery_would_take_more() -> None:
    plan = ChargePlan(BATTERY, 10.0, 100.0, limit_kw=40.0, start_s=0.0)
    assert max(plan.powers_kw) == 40.0
    assert plan.powers_kw[-1] < 40.0


def test_no_power_flows_outside_the_plan() -> None:
    plan = ChargePlan(BATTERY, 10.0, 20.0, limit_kw=40.0, start_s=50.0)
    assert [0.0, 40.0, 0.0] == [plan.power_kw(at_s) for at_s in (49.9, 50.0, plan.end_s)]


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="limit_kw must be > 0, got 0"):
        ChargePlan(BATTERY, 10.0, 20.0, limit_kw=0.0, start_s=0.0)
