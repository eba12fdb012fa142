"""One charging station's story: who comes, waits, plugs in, charges, overstays and leaves.

The story owns its guns and the processes around them, in a SimPy environment of its own. What the
station is built of is drawn in `sites`, what lies between guns and grid is `site_energy`'s, and
what is said on the wire is told in `station_sim.streams`.
"""

from bisect import bisect_left
from collections.abc import Generator, Sequence
from datetime import timedelta
from typing import Any, cast

import simpy

from station_sim.world.arrivals import Arrivals
from station_sim.world.cars import Car, draw_car
from station_sim.world.efficiency import host_limit_kw
from station_sim.world.faults import FaultSource, all_sources
from station_sim.world.gun import Gun
from station_sim.world.loads import Loads, stops_gun
from station_sim.world.profile import Profile
from station_sim.world.public_holidays import day_kind
from station_sim.world.queue import WaitingLine
from station_sim.world.random_streams import random_stream
from station_sim.world.sessions import End, Session
from station_sim.world.sharing import PowerSharing
from station_sim.world.site import MODULES, SiteType, StationSite
from station_sim.world.site_energy import SiteEnergy
from station_sim.world.steps import Floats
from station_sim.world.story import Fault
from station_sim.world.tariffs import Tariff, Tariffs
from station_sim.world.weather import Weather

Process = Generator[simpy.Event, Any, None]

LOOK_AGAIN_S = 60.0
"""How soon what one gun no longer needs is lent to another."""

RISE_MIN_KW = 1.0
"""A limit is raised when it is worth a change."""

INSTANT_S = 1e-6
"""Nearer than this to its end a charge has ended."""

LEAVES_BROKEN_GUN_S = 180.0
"""After a failed start or a broken charge the driver unplugs (an estimate)."""

ONE_HOUR = timedelta(hours=1)


class StationStory:
    """A station from the profile's start to `now_s`, as `story.Story` has it.

    Begins with every gun free and in order.
    """

    def __init__(self, site: StationSite, profile: Profile, weather: Weather) -> None:
        self.site = site
        self.profile = profile
        self.env = simpy.Environment()
        self.weather = weather
        self.tariffs = Tariffs(profile.seed, site.entity, site.site_type, weather)
        self.energy = SiteEnergy(self.env, site, profile.seed, weather, self.tariffs, self)
        self._guns = {gun.number: Gun(gun) for gun in site.guns}
        self._charging: list[Gun] = []
        self._loads = Loads(site)
        self._line = WaitingLine(self.env)
        self._sharing = PowerSharing(site)
        self._broken_modules = [0] * len(site.hosts)
        self._outdoor_c = weather.outdoor_c_at(0.0)
        self._hosts_kw = self._host_limits()
        self._looks_again = False
        self._arrived_s: list[float] = []
        self._left_s: list[float] = []
        self._forgotten = [0, 0]
        self._sessions_begun = 0
        self._cars = random_stream(profile.seed, site.entity, "cars")
        self._arrivals = Arrivals(site, profile, weather, self.tariffs)
        for source in all_sources(site, profile, weather):
            self.env.process(self._suffer(source))
        self.env.process(self._feel_weather())
        self.env.process(self._receive_cars())

    # Time

    @property
    def now_s(self) -> float:
        """Until when everything has happened."""
        return float(self.env.now)

    def advance(self, until_s: float) -> None:
        """Let everything happen that comes before an instant."""
        if until_s > self.env.now:
            self.env.run(until=until_s)

    def forget(self, before_s: float) -> None:
        """Let go of what ended before an instant."""
        kept_from_s = min(self.energy.forget(before_s), before_s)
        self._loads.forget(kept_from_s)
        for kind, times_s in enumerate((self._arrived_s, self._left_s)):
            behind = bisect_left(times_s, kept_from_s)
            del times_s[:behind]
            self._forgotten[kind] += behind

    # People

    @property
    def arrived(self) -> int:
        """Drivers who came."""
        return self._forgotten[0] + len(self._arrived_s)

    @property
    def left(self) -> int:
        """Drivers who went without charging."""
        return self._forgotten[1] + len(self._left_s)

    def arrivals(self, begin_s: float, end_s: float) -> tuple[int, int]:
        """Drivers who came, and who went without charging, in [begin, end)."""
        arrived, left = (
            bisect_left(times_s, end_s) - bisect_left(times_s, begin_s)
            for times_s in (self._arrived_s, self._left_s)
        )
        return arrived, left

    def expected_arrivals(self, hour_s: float) -> float:
        """Drivers expected in the local hour that begins at an instant, without day noise."""
        return self._arrivals.expected(hour_s)

    def sessions(self, begin_s: float, end_s: float) -> Sequence[Session]:
        """Sessions that had a gun in [begin, end), in the order of plugging."""
        return self._loads.sessions(begin_s, end_s)

    def faults(self, begin_s: float, end_s: float) -> Sequence[Fault]:
        """Faults with a part in [begin, end), in the order of their beginning."""
        return self._loads.faults(begin_s, end_s)

    # Power

    def gun_kw(self, gun: int, times_s: Floats) -> Floats:
        """Power through a gun."""
        return self._loads.gun_kw(gun, times_s)

    def gun_status(self, gun: int, times_s: Floats) -> Floats:
        """0 idle, 1 charging, 2 fault, 3 occupied without power."""
        return self._loads.gun_status(gun, times_s)

    def host_dc_kw(self, host: int, times_s: Floats) -> Floats:
        """Power that a host gives to its guns."""
        return self._loads.host_dc_kw(host, times_s)

    def host_ac_kw(self, host: int, times_s: Floats) -> Floats:
        """Power that a host takes for it: through both stages' efficiency, with standby."""
        return self.energy.host_ac_kw(host, times_s)

    def total_dc_kw(self, at_s: float) -> float:
        """Power of all guns at an instant from now on, if nothing intervenes."""
        return sum(gun.session.kw_at(at_s) for gun in self._charging if gun.session is not None)

    def most_dc_kw(self, at_s: float) -> float:
        """The most that all guns can take from an instant on, until something intervenes."""
        return sum(min(gun.limit_kw, gun.demand_kw(at_s)) for gun in self._charging)

    def changes_s(self, begin_s: float, end_s: float) -> Floats:
        """Instants in [begin, end) at which some gun's power changes, in no order."""
        return self._loads.changes_s(begin_s, end_s)

    def auxiliaries_kw(self, times_s: Floats) -> Floats:
        """Light, cooling, and what else a station needs."""
        return self.energy.auxiliaries_kw(times_s)

    def pv_kw(self, times_s: Floats) -> Floats:
        """Power of the panels, AC."""
        return self.energy.pv_kw(times_s)

    def storage_kw(self, unit: int, times_s: Floats) -> Floats:
        """Power of a storage unit, AC: positive when it discharges."""
        return self.energy.storage_kw(unit, times_s)

    def storage_soc(self, unit: int, times_s: Floats) -> Floats:
        """Its state of charge."""
        return self.energy.storage_soc(unit, times_s)

    def outdoor_c(self, times_s: Floats) -> Floats:
        """Temperature outside."""
        return self.weather.outdoor_c(times_s)

    def meter_kw(self, times_s: Floats) -> Floats:
        """Hosts and auxiliaries minus PV and storage: positive when power comes from the grid."""
        return self.energy.meter_kw(times_s)

    def meter_kwh(self, times_s: Floats) -> Floats:
        """Energy from the grid since the start, minus what went back."""
        return self.energy.meter_kwh(times_s)

    def tariff(self, at_s: float) -> Tariff:
        """The tariff that holds."""
        return self.tariffs.at(at_s)

    # Visits

    def _receive_cars(self) -> Process:
        for at_s in self._arrivals.times_s():
            yield self.env.timeout(max(0.0, at_s - self.env.now))
            self._arrived_s.append(self.env.now)
            self.env.process(self._visit(self._draw_car()))

    def _draw_car(self) -> Car:
        hurried = (
            self.site.site_type is SiteType.CORRIDOR
            and day_kind(self.profile.local_time(self.env.now).date()).is_holiday
        )
        return draw_car(self._cars, self.site.site_type, self._outdoor_c, hurried)

    def _visit(self, car: Car) -> Process:
        gun = self._choose(car)
        patience = self.env.timeout(car.patience_s) if gun is None else None
        while gun is None:
            assert patience is not None
            looks_short = self._line.is_worth_it(self._releases_s(), car.tolerated_wait_s)
            if patience.processed or not looks_short:
                self._left_s.append(self.env.now)
                return
            place = self._line.join()
            yield place | patience
            if place.triggered:
                called = cast(Gun, place.value)
                called.promised = False
                gun = called if called.is_free else None
            else:
                self._line.leave(place)
        yield from self._occupy(gun, car)
        self._pass_on(gun)

    def _occupy(self, gun: Gun, car: Car) -> Process:
        session = self._plug(gun, car)
        yield from self._pause(gun, self.env.now + car.handshake_s)
        stays_s = LEAVES_BROKEN_GUN_S
        if gun.faults or not car.starts:
            session.end = End.ABNORMAL
            self._left_s.append(self.env.now)
        else:
            yield from self._charge(gun, session)
            if session.end is not End.ABNORMAL:
                stays_s = car.overstay_s
        yield self.env.timeout(stays_s)
        gun.unplug(self.env.now)

    def _plug(self, gun: Gun, car: Car) -> Session:
        session = Session(self._transaction_no(gun), gun.site.number, car, self.env.now)
        gun.plug(session)
        self._loads.add_session(session)
        return session

    def _charge(self, gun: Gun, session: Session) -> Process:
        gun.switch_on(self.env.now)
        self._charging.append(gun)
        self._share()
        while not gun.faults and self.env.now < session.times_s[-1] - INSTANT_S:
            yield from self._pause(gun, session.times_s[-1])
        is_done = self.env.now >= session.times_s[-1] - INSTANT_S
        gun.switch_off(session.times_s[-1] if is_done else self.env.now)
        early = session.car.stops_early
        planned = End.TARGET if early is None else End(early)
        session.end = planned if is_done else End.ABNORMAL
        self._charging.remove(gun)
        self._share()

    def _pause(self, gun: Gun, until_s: float) -> Process:
        """Wait until an instant, or until something about the gun changes."""
        gun.wake = self.env.event()
        yield gun.wake | self.env.timeout(max(0.0, until_s - self.env.now))
        gun.wake = None

    def _transaction_no(self, gun: Gun) -> str:
        """Twenty-four digits: second of plugging, station, gun, and a number within the station."""
        self._sessions_begun += 1
        second = self.profile.local_time(self.env.now).strftime("%Y%m%d%H%M%S")
        number = self._sessions_begun % 1000
        return f"{second}{self.site.index:04d}{gun.site.number:03d}{number:03d}"

    # Guns

    def _choose(self, car: Car) -> Gun | None:
        """A free gun, on an idle pile if there is one; the car's own draw picks among equals."""
        free = [gun for gun in self._guns.values() if gun.is_free]
        if not free:
            return None
        busy = {gun.site.pile for gun in self._guns.values() if gun.session is not None}
        best = [gun for gun in free if gun.site.pile not in busy] or free
        return best[int(car.choice * len(best))]

    def _pass_on(self, gun: Gun) -> None:
        """Give the gun to the driver who has waited longest, if it can be given."""
        if gun.is_free:
            self._line.serve(gun)

    def _releases_s(self) -> list[float]:
        """When each gun in order may be free, as far as a driver can tell."""
        return [
            gun.session.times_s[-1] if gun.session.times_s else self.env.now
            for gun in self._guns.values()
            if gun.session is not None and not gun.faults
        ]

    # Sharing

    def _share(self) -> None:
        """Grant every charging gun its part anew: a charge began or ended, or a host changed."""
        now_s = self.env.now
        demands = {gun.site.number: gun.demand_kw(now_s) for gun in self._charging}
        limits = self._sharing.limits(demands, self._hosts_kw, self.energy.allowed_dc_kw)
        is_scarce = False
        for gun in self._charging:
            limit, demand = limits[gun.site.number], demands[gun.site.number]
            if _is_worth_a_change(gun.limit_kw, limit, demand):
                gun.limit(now_s, limit)
                if gun.wake is not None and not gun.wake.triggered:
                    gun.wake.succeed()
            is_scarce = is_scarce or gun.limit_kw < demand
        if is_scarce and not self._looks_again:
            self._looks_again = True
            self.env.process(self._look_again())
        self.energy.load_changed()

    def _look_again(self) -> Process:
        yield self.env.timeout(LOOK_AGAIN_S)
        self._looks_again = False
        self._share()

    def _feel_weather(self) -> Process:
        """Batteries and hosts follow the temperature of each full hour."""
        hour = self.profile.start.replace(minute=0, second=0, microsecond=0)
        while True:
            hour += ONE_HOUR
            yield self.env.timeout(self.profile.story_s(hour) - self.env.now)
            self._outdoor_c = self.weather.outdoor_c_at(self.env.now)
            self._renew_host_limits()

    def _renew_host_limits(self) -> None:
        limits = self._host_limits()
        if limits != self._hosts_kw:
            self._hosts_kw = limits
            self._share()

    def _host_limits(self) -> list[float]:
        return [
            host_limit_kw(host.rated_kw, self._outdoor_c, MODULES - broken)
            for host, broken in zip(self.site.hosts, self._broken_modules, strict=True)
        ]

    # Faults

    def _suffer(self, source: FaultSource) -> Process:
        for fault in source.faults():
            yield self.env.timeout(max(0.0, fault.begin_s - self.env.now))
            self._loads.all_faults.append(fault)
            self._set_right(fault, broken=1)
            yield self.env.timeout(max(0.0, fault.end_s - self.env.now))
            self._set_right(fault, broken=-1)

    def _set_right(self, fault: Fault, broken: int) -> None:
        """What a fault breaks, or its repair (`broken` -1) mends."""
        if fault.part in ("dc", "ac"):
            self._broken_modules[fault.place] += broken
            self._renew_host_limits()
        elif fault.part == "storage":
            change = self.energy.stop_storage if broken > 0 else self.energy.restart_storage
            change(fault.place)
        for gun in self._guns.values():
            if stops_gun(fault, gun.site):
                gun.faults += broken
                self._notice(gun)

    def _notice(self, gun: Gun) -> None:
        if gun.faults and gun.wake is not None and not gun.wake.triggered:
            gun.wake.succeed()
        self._pass_on(gun)


def _is_worth_a_change(old_kw: float, new_kw: float, demand_kw: float) -> bool:
    """Whether another limit changes what flows: at once if it lowers, from 1 kW on if it raises."""
    if old_kw == 0.0 or new_kw < min(old_kw, demand_kw):
        return True
    return old_kw < demand_kw and new_kw > old_kw + RISE_MIN_KW
