"""A charging network built from a profile: its stations, each with a story of its own.

Building only: what a station consists of is drawn in `sites`, what happens there is `station`'s,
the wire is `station_sim.streams`'.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from random import Random

import simpy

from station_sim.errors import LabError
from station_sim.streams import calendar, car_price, real_station_data, station_param
from station_sim.streams.emission import Emit
from station_sim.world.names import draw_station_name
from station_sim.world.old_world import (
    Session,
    Station,
    StationParameters,
    draw_piles,
    old_guns,
)
from station_sim.world.profile import Profile
from station_sim.world.random_streams import random_stream
from station_sim.world.site import SiteType, StationSite
from station_sim.world.sites import draw_site, site_types, transformer_kva
from station_sim.world.station import StationStory
from station_sim.world.weather import weather_of

# In the order in which records of one instant are emitted.
STREAMS = {
    station_param.TOPIC: station_param.run,
    calendar.TOPIC: calendar.run,
    car_price.TOPIC: car_price.run,
    real_station_data.TOPIC: real_station_data.run,
}
TOPICS = tuple(STREAMS)

GUNS_PER_HOST = 6
GUANGZHOU_LONGITUDE, GUANGZHOU_LATITUDE, CITY_RADIUS_DEG = 113.27, 23.13, 0.25


class Network:
    """The stations of a profile.

    A site and its story follow from the profile, its seed and the station's index alone; weather
    is shared, for it is a function of seed and date.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._sites: dict[int, StationSite] = {}

    def __len__(self) -> int:
        return self.profile.stations

    def site(self, index: int) -> StationSite:
        """The station at an index from 0."""
        if index not in self._sites:
            site_type = self._types[index]
            rank = self._types[:index].count(site_type)
            self._sites[index] = draw_site(self.profile, index, site_type, rank)
        return self._sites[index]

    @property
    def sites(self) -> Sequence[StationSite]:
        """All stations in the order of their index."""
        return [self.site(index) for index in range(len(self))]

    def story(self, index: int) -> StationStory:
        """The story of a station, told anew from the profile's start."""
        return StationStory(self.site(index), self.profile, weather_of(self.profile))

    def stories(self) -> Iterator[StationStory]:
        """The stories of all stations, each made when it is asked for."""
        return (self.story(index) for index in range(len(self)))

    @cached_property
    def _types(self) -> list[SiteType]:
        return site_types(self.profile)


class World:
    """Everything at work: the SimPy environment, the stations, and what they tell.

    `env`'s clock counts story seconds from `profile.start`. Append to `session_observers` to be
    told of every finished charge.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.env = simpy.Environment()
        self.session_observers: list[Callable[[Session], None]] = []
        self.stations = tuple(self._build(index) for index in range(profile.stations))

    def run_streams(self, emit: Emit, topics: Iterable[str] = TOPICS) -> None:
        """Emit the records of `topics` as the world's clock passes their due times.

        Call before the clock runs. Raises `LabError` for a topic the world has no stream for.
        """
        wanted = set(topics)
        if unknown := wanted - set(STREAMS):
            raise LabError(
                f"no stream for {', '.join(sorted(unknown))}; there are {', '.join(TOPICS)}"
            )
        for topic, run in STREAMS.items():
            if topic in wanted:
                run(self.env, self.profile, self.stations, emit)

    def run(self, until_s: float) -> None:
        """Run to a story instant as fast as possible, without a loop: for files and tests."""
        self.env.run(until=until_s)

    def _build(self, index: int) -> Station:
        entity = f"station-{index:04d}"
        seed = self.profile.seed
        guns = old_guns(self.profile)
        piles = draw_piles(random_stream(seed, entity, "piles"), guns)
        rated_kw = sum(pile.rated_kw for pile in piles)
        parameters = draw_parameters(random_stream(seed, entity, "site"), index, guns, rated_kw)
        return Station(
            self.env, self.profile, entity, parameters, piles, self._tell_session_observers
        )

    def _tell_session_observers(self, session: Session) -> None:
        for observer in self.session_observers:
            observer(session)


def draw_parameters(rng: Random, index: int, guns: int, rated_kw: float) -> StationParameters:
    """A site in Guangzhou: 19-digit id, position, transformer, one 14-digit host per six guns."""
    hosts = math.ceil(guns / GUNS_PER_HOST)
    return StationParameters(
        station_id=f"1881540{rng.randrange(10**8):08d}{index:04d}",
        name=draw_station_name(rng, index),
        longitude=round(GUANGZHOU_LONGITUDE + rng.uniform(-CITY_RADIUS_DEG, CITY_RADIUS_DEG), 6),
        latitude=round(GUANGZHOU_LATITUDE + rng.uniform(-CITY_RADIUS_DEG, CITY_RADIUS_DEG), 6),
        temperature_c=round(rng.uniform(20, 35), 1),
        grid_capacity_kva=transformer_kva(rated_kw),
        meter_id=f"{44010000 + index:012d}",
        host_codes=tuple(f"5200{index:06d}{host:04d}" for host in range(hosts)),
        power_ids=tuple(f"{index:04d}{host:02d}" for host in range(hosts)),
    )
