"""What every charging gun of a station is granted, as charges begin and end and hosts change.

How shares are found is `sharing`'s business; which charges begin and end is `station`'s.
"""

from collections.abc import Callable, Generator

import simpy

from station_sim.world.efficiency import host_limit_kw
from station_sim.world.gun import Gun
from station_sim.world.sharing import PowerSharing
from station_sim.world.site import MODULES, StationSite

LOOK_AGAIN_S = 60.0
"""How soon what one gun no longer needs is lent to another."""

RISE_MIN_KW = 1.0
"""A limit is raised when it is worth a change."""

NOISE_KW = 1e-9


class Grants:
    """The charging guns of one station and their limits.

    `allowed_dc_kw` is what all of them may draw; `changed` is called after powers changed.
    """

    def __init__(
        self,
        env: simpy.Environment,
        site: StationSite,
        allowed_dc_kw: float,
        outdoor_c: float,
        changed: Callable[[], None],
    ) -> None:
        self._env, self._site = env, site
        self._allowed_dc_kw, self._changed = allowed_dc_kw, changed
        self._sharing = PowerSharing(site)
        self._charging: list[Gun] = []
        self._broken_modules = [0] * len(site.hosts)
        self._outdoor_c = outdoor_c
        self._hosts_kw = self._host_limits()
        self._looks_again = False

    def begin(self, gun: Gun) -> None:
        """A gun that was switched on takes part."""
        self._charging.append(gun)
        self._share()

    def end(self, gun: Gun) -> None:
        """A gun that was switched off takes part no more."""
        self._charging.remove(gun)
        self._share()

    def feel(self, outdoor_c: float) -> None:
        """Hosts give less in great heat."""
        self._outdoor_c = outdoor_c
        self._renew()

    def break_module(self, host: int, count: int = 1) -> None:
        """A host has so many modules less, or more again where `count` is negative."""
        self._broken_modules[host] += count
        self._renew()

    def total_kw(self, at_s: float) -> float:
        """Power of all guns at an instant from now on, if nothing intervenes."""
        return sum(gun.session.kw_at(at_s) for gun in self._charging if gun.session is not None)

    def most_kw(self, at_s: float) -> float:
        """The most that all guns can take from an instant on, until something intervenes."""
        return sum(min(gun.limit_kw, gun.demand_kw(at_s)) for gun in self._charging)

    def least_kw(self, now_s: float, until_s: float) -> float:
        """The least that all guns take within a stretch, if nothing intervenes.

        Each gun's power rises at most once and then falls, so that its least is at an end.
        """
        return sum(
            min(gun.session.kw_at(now_s), gun.session.kw_at(until_s))
            for gun in self._charging
            if gun.session is not None
        )

    def _share(self) -> None:
        now_s = self._env.now
        demands = {gun.site.number: gun.demand_kw(now_s) for gun in self._charging}
        limits = self._sharing.limits(demands, self._hosts_kw, self._allowed_dc_kw)
        is_scarce = False
        for gun in self._charging:
            limit, demand = limits[gun.site.number], demands[gun.site.number]
            if _is_worth_a_change(gun.limit_kw, limit, demand):
                gun.limit(now_s, limit)
                gun.rouse()
            is_scarce = is_scarce or gun.limit_kw < demand
        if is_scarce and not self._looks_again:
            self._looks_again = True
            self._env.process(self._look_again())
        self._changed()

    def _look_again(self) -> Generator[simpy.Event, None, None]:
        yield self._env.timeout(LOOK_AGAIN_S)
        self._looks_again = False
        self._share()

    def _renew(self) -> None:
        limits = self._host_limits()
        if limits != self._hosts_kw:
            self._hosts_kw = limits
            self._share()

    def _host_limits(self) -> list[float]:
        return [
            host_limit_kw(host.rated_kw, self._outdoor_c, MODULES - broken)
            for host, broken in zip(self._site.hosts, self._broken_modules, strict=True)
        ]


def _is_worth_a_change(old_kw: float, new_kw: float, demand_kw: float) -> bool:
    """Whether another limit changes what flows: at once if it lowers, from 1 kW on if it raises."""
    if old_kw == 0.0 or new_kw < min(old_kw, demand_kw) - NOISE_KW:
        return True
    return old_kw < demand_kw and new_kw > old_kw + RISE_MIN_KW
