"""A charging network built from a profile: its stations, each with a story of its own.

Building only: what a station consists of is drawn in `sites`, what happens there is `station`'s,
the wire is `station_sim.streams`'.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from station_sim.world.profile import Profile
from station_sim.world.site import SiteType, StationSite
from station_sim.world.sites import draw_site, site_types
from station_sim.world.station import StationStory
from station_sim.world.weather import weather_of


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
