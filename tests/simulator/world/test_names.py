"""Names of stations: Chinese, apart, and the seed's."""

from random import Random

from station_sim.world.names import draw_station_name


def test_a_name_is_the_seeds() -> None:
    assert draw_station_name(Random(1), 4) == draw_station_name(Random(1), 4)
    assert draw_station_name(Random(1), 4) != draw_station_name(Random(2), 4)


def test_names_stay_apart() -> None:
    assert 200 == len({draw_station_name(Random(7), index) for index in range(200)})


def test_a_name_is_chinese_and_numbered() -> None:
    assert "充电站005" == draw_station_name(Random(1), 4)[-6:]
