"""A small hand-made story: every gun charges half of each hour; panels, a battery, a fault."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from station_sim.streams.noise import Floats
from station_sim.world.charging import Battery
from station_sim.world.profile import Profile
from station_sim.world.sessions import End, Session
from station_sim.world.site import GunSite, HostSite, SiteType, StationSite, StorageSite
from station_sim.world.story import Fault

HOUR_S = 3600.0


@dataclass(eq=False, slots=True)
class FakeSession(Session):
    """A session whose pack stands at a plain voltage."""

    def volts(self, times_s: Floats) -> Floats:
        return 350.0 + 0.4 * self.soc(times_s)

    def accepted_kw(self, times_s: Floats) -> Floats:
        return self.kw(times_s) * 1.2


@dataclass(frozen=True, slots=True)
class FakeCar:
    """As much of a car as topics ask for."""

    battery: Battery
    vehicle_class: str = "compact private"
    arrival_soc: float = 30.0
    stop_soc: float = 80.0
    producer_code: str = "LGXC16AF0A1B2C3D"


class FakeEnergy:
    """What stories know of panels and storage."""

    def storage_soh(self, unit: int, times_s: Floats) -> Floats:
        return np.full(len(times_s), 96.4)

    def storage_a(self, unit: int, times_s: Floats) -> Floats:
        return np.full(len(times_s), 12.34)

    def storage_c(self, unit: int, times_s: Floats) -> tuple[Floats, Floats]:
        return np.full(len(times_s), 31.3), np.full(len(times_s), 27.8)

    def pv_forecast_kw(self, day: date) -> Floats:
        return np.maximum(0.0, np.sin(np.linspace(-np.pi / 2, 3 * np.pi / 2, 96))) * 80.0

    def pv_dc_kw(self, times_s: Floats) -> Floats:
        return np.full(len(times_s), 33.3)


@dataclass
class FakeStory:
    """One station; sessions of gun g begin g minutes after each full hour."""

    site: StationSite
    now_s: float = 0.0
    arrived: int = 0
    left: int = 0
    energy: FakeEnergy = field(default_factory=FakeEnergy)
    made: dict[tuple[int, int], FakeSession] = field(default_factory=dict)

    def advance(self, until_s: float) -> None:
        self.now_s = until_s

    def forget(self, before_s: float) -> None:
        self.made = {key: each for key, each in self.made.items() if each.unplugged_s > before_s}

    def sessions(self, begin_s: float, end_s: float) -> Sequence[FakeSession]:
        first, last = int(begin_s // HOUR_S) - 1, int(end_s // HOUR_S)
        found = [
            self._session(gun.number, hour)
            for hour in range(max(first, 0), last + 1)
            for gun in self.site.guns
        ]
        return [
            self._as_known(each)
            for each in found
            if each.plugged_s < end_s and each.unplugged_s > begin_s and each.plugged_s < self.now_s
        ]

    def faults(self, begin_s: float, end_s: float) -> Sequence[Fault]:
        fault = Fault("gun", 1, 1000.25, 2000.0, 1, "E101", True)
        return [fault] if fault.begin_s < end_s and fault.end_s > begin_s else []

    def gun_kw(self, gun: int, times_s: Floats) -> Floats:
        return sum(
            (each.kw(times_s) for each in self._around(times_s) if each.gun == gun),
            start=np.zeros(len(times_s)),
        )

    def gun_status(self, gun: int, times_s: Floats) -> Floats:
        return (self.gun_kw(gun, times_s) > 0).astype(float)

    def host_dc_kw(self, host: int, times_s: Floats) -> Floats:
        guns = [gun.number for gun in self.site.guns if gun.host == host]
        return sum((self.gun_kw(gun, times_s) for gun in guns), start=np.zeros(len(times_s)))

    def host_ac_kw(self, host: int, times_s: Floats) -> Floats:
        return self.host_dc_kw(host, times_s) / 0.94 + 0.1

    def auxiliaries_kw(self, times_s: Floats) -> Floats:
        return np.full(len(times_s), 2.0)

    def pv_kw(self, times_s: Floats) -> Floats:
        return np.full(len(times_s), 30.0)

    def storage_kw(self, unit: int, times_s: Floats) -> Floats:
        return np.sin(times_s / HOUR_S) * 20.0

    def storage_soc(self, unit: int, times_s: Floats) -> Floats:
        return 50.0 + 20.0 * np.cos(times_s / HOUR_S)

    def outdoor_c(self, times_s: Floats) -> Floats:
        return np.full(len(times_s), 25.0)

    def meter_kw(self, times_s: Floats) -> Floats:
        hosts = sum(
            (self.host_ac_kw(host, times_s) for host in range(len(self.site.hosts))),
            start=np.zeros(len(times_s)),
        )
        return hosts + 2.0 - 30.0

    def meter_kwh(self, times_s: Floats) -> Floats:
        return times_s * 0.01

    def tariff(self, at_s: float) -> Any:
        raise NotImplementedError

    def _around(self, times_s: Floats) -> Sequence[FakeSession]:
        return self.sessions(times_s[0], np.nextafter(times_s[-1], np.inf)) if len(times_s) else []

    def _as_known(self, session: FakeSession) -> FakeSession:
        if session.power_off_s < self.now_s:
            return session
        off = session.power_off_s if session.power_off_s < self.now_s else np.inf
        return replace(session, power_off_s=off, unplugged_s=np.inf, end=None)

    def _session(self, gun: int, hour: int) -> FakeSession:
        if (gun, hour) not in self.made:
            self.made[gun, hour] = _session(self.site, gun, hour)
        return self.made[gun, hour]


def _session(site: StationSite, gun: int, hour: int) -> FakeSession:
    plugged_s = hour * HOUR_S + gun * 60.0
    times_s = [plugged_s + 30.123 + 300.0 * step for step in range(5)]
    return FakeSession(
        transaction_no=f"{site.index:04d}{gun:03d}{hour:05d}",
        gun=gun,
        car=FakeCar(Battery(60.0, 80.0)),  # type: ignore[arg-type]  # as much of a car as is asked for
        plugged_s=plugged_s,
        power_on_s=times_s[0],
        power_off_s=times_s[-1],
        unplugged_s=times_s[-1] + 200.5,
        end=End.TARGET,
        times_s=times_s,
        socs_percent=[30.0, 42.5, 55.0, 67.5, 80.0],
        energies_kwh=[0.0, 5.0, 10.0, 14.0, 17.0],
        powers_kw=[60.0, 60.0, 48.0, 36.0],
        limits_kw=[60.0] * 4,
    )


def fake_site(index: int, hosts: int = 2, guns_per_host: int = 3, units: int = 2) -> StationSite:
    """A station of equal hosts, with panels, and `units` of storage."""
    codes = [f"5200{index:06d}{host:04d}" for host in range(hosts)]
    guns = tuple(
        GunSite(host * guns_per_host + place + 1, f"{place + 1:02d}", host, host, 120.0, 250.0)
        for host in range(hosts)
        for place in range(guns_per_host)
    )
    storage = tuple(
        StorageSite(f"{index:016x}{unit:04x}", codes[0], 200.0, 100.0, 2.0) for unit in range(units)
    )
    return StationSite(
        index=index,
        station_id=f"188154092784565{index:04d}",
        name=f"中山路充电站{index:03d}",
        address="中山路1号",
        site_type=SiteType.URBAN,
        longitude=113.2,
        latitude=23.1,
        temperature_c=26.0,
        grid_capacity_kva=630.0,
        told_capacity_kva=630.0,
        meter_id=f"{44010000 + index:012d}",
        hosts=tuple(HostSite(code, 360.0) for code in codes),
        guns=guns,
        storage=storage,
        pv_kwp=100.0,
        years=3.0,
        busyness=1.0,
        frailty=1.0,
    )


def fake_stories(count: int, **shape: int) -> list[FakeStory]:
    """Stations 0 to `count` - 1."""
    return [FakeStory(fake_site(index, **shape)) for index in range(count)]


def fake_profile(seed: int = 1) -> Profile:
    """A profile that starts at midnight."""
    return Profile(stations=3, seed=seed)
