"""Cars: the shares and means that sessions are calibrated by."""

from collections import Counter
from random import Random
from statistics import fmean

import pytest

from station_sim.world.cars import HABITS, VEHICLE_CLASSES, Car, draw_car
from station_sim.world.site import SiteType

COUNT = 4000


def draw(site_type: SiteType = SiteType.URBAN, hurried: bool = False) -> list[Car]:
    rng = Random(5)
    return [draw_car(rng, site_type, 25.0, hurried) for _ in range(COUNT)]


@pytest.mark.parametrize("site_type", SiteType)
def test_classes_come_by_their_shares(site_type: SiteType) -> None:
    shares = HABITS[site_type].shares
    assert pytest.approx(1.0) == sum(shares)
    counts = Counter(car.vehicle_class for car in draw(site_type))
    for kind, share in zip(VEHICLE_CLASSES, shares, strict=True):
        assert share == pytest.approx(counts[kind.name] / COUNT, abs=0.03)


def test_some_stop_early_and_some_never_start() -> None:
    cars = draw()
    ends = Counter(car.stops_early for car in cars)
    assert pytest.approx(0.03, abs=0.01) == ends["abnormal"] / COUNT
    assert pytest.approx(0.02, abs=0.01) == ends["user"] / COUNT
    failed = sum(not car.starts for car in cars)
    assert pytest.approx(0.04 * 0.4, abs=0.007) == failed / COUNT


@pytest.mark.parametrize("hurried", [False, True])
def test_every_charge_has_somewhere_to_go(hurried: bool) -> None:
    for car in draw(hurried=hurried):
        assert 5 <= car.arrival_soc < car.stop_soc <= 100


def test_the_hurried_leave_sooner() -> None:
    usual, hurried = (
        fmean(car.stop_soc for car in draw(SiteType.CORRIDOR, each)) for each in (False, True)
    )
    assert hurried < usual - 3


def test_cold_changes_what_a_battery_takes_and_nothing_else() -> None:
    warm, cold = (draw_car(Random(3), outdoor_c=outdoor_c) for outdoor_c in (25.0, 0.0))
    assert 0.60 * warm.battery.peak_kw == pytest.approx(cold.battery.peak_kw)
    assert (warm.arrival_soc, warm.stop_soc) == (cold.arrival_soc, cold.stop_soc)
    assert (warm.overstay_s, warm.choice) == (cold.overstay_s, cold.choice)


def test_a_producer_code_has_sixteen_characters() -> None:
    codes = {car.producer_code for car in draw()}
    assert {16} == set(map(len, codes))
    assert len(codes) > 50
