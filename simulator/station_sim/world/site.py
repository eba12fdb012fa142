"""What a station is built of and what never changes about it. Data only.

What happens at it is in `story`; how it is drawn from a profile is in `charging_network`.
"""

from dataclasses import dataclass
from enum import StrEnum


class SiteType(StrEnum):
    """Where a station stands and who comes."""

    URBAN = "urban"
    CORRIDOR = "corridor"
    HUB = "hub"
    DEPOT = "depot"


@dataclass(frozen=True, slots=True)
class GunSite:
    """A DC connector: `number` is from 1 across the station, `gun_no` "01" on within its host."""

    number: int
    gun_no: str
    host: int
    pile: int
    rated_kw: float
    current_limit_a: float


@dataclass(frozen=True, slots=True)
class HostSite:
    """A cabinet of `MODULES` power modules that its guns share; `code` has 14 digits."""

    code: str
    rated_kw: float


@dataclass(frozen=True, slots=True)
class StorageSite:
    """A battery cabinet; `code` has 20 hex digits. `years` is its age when the story starts."""

    code: str
    host_code: str
    energy_kwh: float
    power_kw: float
    years: float


MODULES = 20
"""Module slots of a host (from wire samples)."""


@dataclass(frozen=True, slots=True)
class StationSite:
    """A station. Powers in kW, position in degrees.

    `busyness` multiplies arrivals, `frailty` the rate of faults; both have mean 1 over a network.
    `told_capacity_kva` is what STATION-PARAM says, 0.0 where the operator does not know it.
    """

    index: int
    station_id: str
    name: str
    address: str
    site_type: SiteType
    longitude: float
    latitude: float
    temperature_c: float
    grid_capacity_kva: float
    told_capacity_kva: float
    meter_id: str
    hosts: tuple[HostSite, ...]
    guns: tuple[GunSite, ...]
    storage: tuple[StorageSite, ...]
    pv_kwp: float
    years: float
    busyness: float
    frailty: float

    @property
    def entity(self) -> str:
        """The name that its random streams carry."""
        return f"station-{self.index:04d}"

    @property
    def rated_kw(self) -> float:
        """Sum of the guns' hosts' rated powers."""
        return sum(host.rated_kw for host in self.hosts)

    @property
    def grid_limit_kw(self) -> float:
        """What may come from the grid for ever: 0.8 of the transformer's kVA (an estimate)."""
        return 0.8 * self.grid_capacity_kva
