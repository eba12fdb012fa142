"""What stations are called and where they stand: Chinese names by Faker, the same for a seed."""

from functools import cache
from random import Random

from faker import Faker

from station_sim.world.site import SiteType

KINDS = {
    SiteType.URBAN: "充电站",
    SiteType.CORRIDOR: "服务区充电站",
    SiteType.HUB: "出租车充电站",
    SiteType.DEPOT: "车队充电站",
}
HOUSES = 999


@cache
def _chinese() -> Faker:
    """Loading a locale takes long enough to do it once."""
    return Faker("zh_CN")


def draw_station_name(rng: Random, index: int, site_type: SiteType = SiteType.URBAN) -> str:
    """A name such as `邯郸路充电站003`; the number keeps names apart."""
    fake = _chinese()
    fake.seed_instance(rng.getrandbits(64))
    return f"{fake.street_name()}{KINDS[site_type]}{index + 1:03d}"


def draw_address(rng: Random, city: str) -> str:
    """An address such as `广州市白云张路88号`; streets and districts are invented."""
    fake = _chinese()
    fake.seed_instance(rng.getrandbits(64))
    return f"{city}市{fake.district()}{fake.street_name()}{rng.randint(1, HOUSES)}号"
