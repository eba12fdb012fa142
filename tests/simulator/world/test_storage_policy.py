"""What prices ask of storage."""

from math import inf

from station_sim.world.storage_policy import Plan, Wish, plans
from station_sim.world.tariff_schemes import period_codes

CHARGE, DISCHARGE = Wish.CHARGE, Wish.DISCHARGE


def at(hour: float, month: int, scheme: str = "guangdong") -> Plan:
    return plans(period_codes(month, scheme))[int(hour * 2)]


def test_valleys_charge_all_they_can() -> None:
    assert Plan(CHARGE, dear_h=inf) == at(3, 3) == at(7.5, 8) == at(12, 9, "zhejiang")


def test_flat_hours_charge_what_dear_hours_will_need_and_the_last_ones_discharge() -> None:
    assert Plan(CHARGE, dear_h=7.0) == at(8, 3)
    assert Plan(CHARGE, dear_h=5.0) == at(12.5, 3)
    assert Plan(DISCHARGE) == at(19, 3)


def test_peaks_leave_what_coming_sharp_hours_need() -> None:
    assert Plan(DISCHARGE) == at(10, 3)
    assert Plan(DISCHARGE, sharp_h=1.0) == at(10, 8)
    assert Plan(DISCHARGE, sharp_h=2.0) == at(14, 8)
    assert Plan(DISCHARGE) == at(15, 8) == at(17.5, 8)
