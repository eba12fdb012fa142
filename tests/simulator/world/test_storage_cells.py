"""What a cabinet's instruments show."""

import numpy as np
import pytest

from station_sim.world.site import StorageSite
from station_sim.world.storage import Cabinet
from station_sim.world.storage_cells import Cells

SITE = StorageSite("0" * 20, "1" * 14, 120.0, 60.0, 2.0)


def cells(kw: float, years: float = 2.0) -> Cells:
    cabinet = Cabinet(120.0, 60.0, 50.0)
    cabinet.set(kw, 0.0)
    site = StorageSite(SITE.code, SITE.host_code, 120.0, 60.0, years)
    return Cells(7, "station-0000", site, cabinet)


@pytest.mark.parametrize("outdoor_c", [-15.0, 15.0, 40.0])
def test_cells_warm_up_with_power_and_are_cooled(outdoor_c: float) -> None:
    times_s = np.array([0.0, 3600.0, 36_000.0])
    warmest, coldest = cells(60.0).temperatures_c(times_s, np.full(3, outdoor_c))
    assert 6.0 <= warmest[2] - warmest[0] <= 14.0
    assert (np.diff(warmest) > 0).all()
    assert [2.0, 6.0] == pytest.approx([warmest[0] - coldest[0], warmest[2] - coldest[2]], abs=0.01)
    assert 15 < coldest.min()
    assert warmest.max() < 45


def test_health_falls_with_years_and_cycles() -> None:
    now = np.array([0.0])
    assert 100.0 == cells(0.0, years=0.0).health(now)[0]
    assert pytest.approx(100 - 2 * 1.2 - 800 * 0.006) == cells(0.0).health(now)[0]
    used = cells(6.0, years=0.0).health(np.array([3600.0 * 20]))[0]
    assert pytest.approx(100 - 0.006 * 1 - 1.2 * 20 / 8760) == used


def test_current_has_the_sign_of_power() -> None:
    now = np.array([0.0])
    assert cells(60.0).amperes(now)[0] > 60
    assert cells(-60.0).amperes(now)[0] < -60
    assert 0.0 == cells(0.0).amperes(now)[0]
