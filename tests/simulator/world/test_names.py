"""Names of stations: Chinese, apart, and the seed's."""

from random import Random

import pytest

from station_sim.world.names import draw_address, draw_station_name
from station_sim.world.site import SiteType


def test_a_name_is_the_seeds() -> None:
    assert draw_station_name(Random(1), 4) == draw_station_name(Random(1), 4)
    assert draw_station_name(Random(1), 4) != draw_station_name(Random(2), 4)


def test_names_stay_apart() -> None:
    assert 200 == len({draw_station_name(Random(7), index) for index in range(200)})


@pytest.mark.parametrize(
    ("site_type", "ending"),
    [(SiteType.URBAN, "充电站005"), (SiteType.CORRIDOR, "服务区充电站005")],
)
def test_a_name_is_chinese_and_numbered(site_type: SiteType, ending: str) -> None:
    assert draw_station_name(Random(1), 4, site_type).endswith(ending)


def test_an_address_begins_with_its_city() -> None:
    address = draw_address(Random(1), "广州")
    assert "广州市" == address[:3]
    assert "号" == address[-1]
    assert address == draw_address(Random(1), "广州")
