"""What stations are called: Chinese street names by Faker, the same for the same seed."""

from functools import cache
from random import Random

from faker import Faker


@cache
def _chinese() -> Faker:
    """Loading a locale takes long enough to do it once."""
    return Faker("zh_CN")


def draw_station_name(rng: Random, index: int) -> str:
    """A name such as `邯郸路充电站003`; the number keeps names apart."""
    fake = _chinese()
    fake.seed_instance(rng.getrandbits(64))
    return f"{fake.street_name()}充电站{index + 1:03d}"
