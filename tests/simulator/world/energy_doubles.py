"""A city, a site and guns whose power is a given staircase: what tests of the energy side need."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import simpy

from station_sim.world.profile import STATION_TIMEZONE
from station_sim.world.site import GunSite, HostSite, SiteType, StationSite, StorageSite
from station_sim.world.site_energy import SiteEnergy
from station_sim.world.steps import Floats
from station_sim.world.tariffs import Tariffs
from station_sim.world.weather import Weather

MARCH = datetime(2026, 3, 1, tzinfo=STATION_TIMEZONE)
DAY_S, HOUR_S = 86_400.0, 3600.0


@dataclass(frozen=True)
class SomeCity:
    """Guangzhou unless told otherwise."""

    latitude: float = 23.13
    longitude: float = 113.27
    price_scheme: str = "guangdong"


def weather(seed: int = 7, start: datetime = MARCH, city: SomeCity | None = None) -> Weather:
    """Weather over Guangzhou."""
    return Weather(seed, city or SomeCity(), start)


def a_site(
    guns: int = 12, units: int = 0, pv_kwp: float = 0.0, kva: float = 630.0, index: int = 0
) -> StationSite:
    """An urban site with one host of 360 kW per six guns, cabinets of 120 kWh."""
    hosts = -(-guns // 6)
    return StationSite(
        index=index,
        station_id=f"{index:019d}",
        name="站",
        address="路",
        site_type=SiteType.URBAN,
        longitude=113.27,
        latitude=23.13,
        temperature_c=25.0,
        grid_capacity_kva=kva,
        told_capacity_kva=kva,
        meter_id="1",
        hosts=tuple(HostSite(f"{host:014d}", 360.0) for host in range(hosts)),
        guns=tuple(GunSite(n + 1, f"{n % 6 + 1:02d}", n // 6, n, 60.0, 250.0) for n in range(guns)),
        storage=tuple(
            StorageSite(f"{n:020x}", f"{0:014d}", 120.0, 60.0, 2.0) for n in range(units)
        ),
        pv_kwp=pv_kwp,
        years=3.0,
        busyness=1.0,
        frailty=1.0,
    )


class Staircase:
    """Guns of which all hosts have an equal part: `powers_kw[i]` in all from `times_s[i]` on."""

    def __init__(self, hosts: int, times_s: list[float], powers_kw: list[float]) -> None:
        self.hosts = hosts
        self.times_s = np.array(times_s)
        self.powers_kw = np.array(powers_kw)

    def total_dc_kw(self, at_s: float) -> float:
        return float(self._at(np.array([at_s]))[0])

    def most_dc_kw(self, now_s: float) -> float:
        return self.total_dc_kw(now_s)

    def host_dc_kw(self, host: int, times_s: Floats) -> Floats:
        return self._at(times_s) / self.hosts

    def changes_s(self, begin_s: float, end_s: float) -> Floats:
        inside = (self.times_s >= begin_s) & (self.times_s < end_s)
        return self.times_s[inside][::-1]

    def _at(self, times_s: Floats) -> Floats:
        places = np.searchsorted(self.times_s, times_s, side="right") - 1
        found: Floats = np.where(places >= 0, self.powers_kw[np.maximum(places, 0)], 0.0)
        return found


def busy_staircase(hosts: int, days: int, seed: int, mean_kw: float = 80.0) -> Staircase:
    """Guns at work: every few minutes power goes up, or some of it ends."""
    rng = np.random.default_rng(seed)
    times_s = np.sort(rng.uniform(0, days * DAY_S, days * 240))
    powers_kw = mean_kw * rng.gamma(1.5, 1 / 1.5, len(times_s))
    return Staircase(hosts, [0.0, *times_s.tolist()], [0.0, *powers_kw.tolist()])


def an_energy(
    site: StationSite, guns: Staircase, start: datetime = MARCH, seed: int = 7
) -> tuple[simpy.Environment, SiteEnergy]:
    """A site's energy in an environment in which every change of the guns is announced."""
    env = simpy.Environment()
    sky = weather(seed, start)
    tariffs = Tariffs(seed, site.entity, site.site_type, sky)
    energy = SiteEnergy(env, site, seed, sky, tariffs, guns)

    def announce() -> object:
        for at_s in guns.times_s.tolist():
            if at_s > env.now:
                yield env.timeout(at_s - env.now)
                energy.load_changed()

    env.process(announce())  # type: ignore[arg-type]  # a generator of timeouts
    return env, energy
