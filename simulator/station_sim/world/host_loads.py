"""What a station's hosts take from its grid for what its guns give: power and exact energy.

Gun power is known to the story, in steps; so is AC power, host by host. Energy is summed hour by
hour, each hour by itself, so that it does not depend on what was asked or forgotten before.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from station_sim.world.efficiency import host_ac_kw
from station_sim.world.site import HostSite
from station_sim.world.steps import SECONDS_PER_HOUR, Floats


class GunLoad(Protocol):
    """What is known of a station's guns, DC."""

    def total_dc_kw(self, at_s: float) -> float:
        """Power of all guns at an instant from now on, as planned if nothing intervenes."""

    def most_dc_kw(self, now_s: float) -> float:
        """The most that all guns take from now on until a change is announced."""

    def host_dc_kw(self, host: int, times_s: Floats) -> Floats:
        """Power that a host gives to its guns."""

    def changes_s(self, begin_s: float, end_s: float) -> Floats:
        """Instants in [begin, end) at which some gun's power changes: all of them, in any order,
        and others too."""


class HostLoads:
    """The AC side of a station's hosts.

    Instants are story seconds, ascending, from 0 on; `ValueError` for energies in hours that were
    forgotten.
    """

    def __init__(self, hosts: Sequence[HostSite], guns: GunLoad) -> None:
        self._rated_kw = [host.rated_kw for host in hosts]
        self._guns = guns
        self._sums_kwh = np.zeros((1, len(hosts)))  # until the beginning of each hour
        self._kept_hour = 0

    def host_kw(self, host: int, times_s: Floats) -> Floats:
        """A host's intake at instants."""
        return host_ac_kw(self._guns.host_dc_kw(host, times_s), self._rated_kw[host])

    def host_kwh(self, host: int, times_s: Floats) -> Floats:
        """A host's energy from the story's start to instants."""
        return self._kwh(times_s, [host])

    def kw(self, times_s: Floats) -> Floats:
        """All hosts' intake at instants."""
        found = np.zeros(len(times_s))
        for host in range(len(self._rated_kw)):
            found += self.host_kw(host, times_s)
        return found

    def kwh(self, times_s: Floats) -> Floats:
        """All hosts' energy from the story's start to instants."""
        return self._kwh(times_s, range(len(self._rated_kw)))

    def forget(self, before_s: float) -> float:
        """Sum up what lies before an instant; from the instant that is returned on, and not
        before, guns are asked about from now on."""
        hour = int(before_s // SECONDS_PER_HOUR)
        self._settle(hour)
        self._kept_hour = max(self._kept_hour, hour)
        return self._kept_hour * SECONDS_PER_HOUR

    def _settle(self, hours: int) -> None:
        """Know the sums until the beginning of hour number `hours`."""
        known = len(self._sums_kwh) - 1
        if hours <= known:
            return
        end_s = hours * SECONDS_PER_HOUR
        bounds_s, powers_kw = self._steps(known, end_s, range(len(self._rated_kw)))
        sums = list(self._sums_kwh)
        for hour in range(known, hours):
            inside = _hour(bounds_s, hour)
            end = np.array([(hour + 1) * SECONDS_PER_HOUR])
            sums.append(sums[-1] + _energies(bounds_s[inside], powers_kw[inside], end)[0])
        self._sums_kwh = np.array(sums)

    def _kwh(self, times_s: Floats, hosts: Sequence[int]) -> Floats:
        found = np.zeros(len(times_s))
        if not len(times_s) or not hosts:
            return found
        hours = np.floor_divide(times_s, SECONDS_PER_HOUR).astype(np.int64)
        first, last = int(hours[0]), int(hours[-1])
        if first < self._kept_hour:
            raise ValueError(f"hour {first} was forgotten; known from hour {self._kept_hour} on")
        self._settle(last)
        bounds_s, powers_kw = self._steps(first, float(times_s[-1]), hosts)
        for hour in np.unique(hours).tolist():
            asked, inside = hours == hour, _hour(bounds_s, hour)
            energies = _energies(bounds_s[inside], powers_kw[inside], times_s[asked])
            found[asked] = (self._sums_kwh[hour, list(hosts)] + energies).sum(axis=1)
        return found

    def _steps(self, first: int, end_s: float, hosts: Sequence[int]) -> tuple[Floats, Floats]:
        """Bounds from hour number `first` until `end_s`, whole hours among them, and each host's
        power from each on, shape (bounds, hosts)."""
        begin_s = first * SECONDS_PER_HOUR
        hours_s = np.arange(begin_s, max(end_s, begin_s + 1.0), SECONDS_PER_HOUR)
        if end_s % SECONDS_PER_HOUR == 0:
            hours_s = np.append(hours_s, end_s)
        bounds_s = np.unique(np.concatenate((hours_s, self._guns.changes_s(begin_s, end_s))))
        powers_kw = [self.host_kw(host, bounds_s) for host in hosts]
        return bounds_s, np.stack(powers_kw, axis=1)


def _hour(bounds_s: Floats, hour: int) -> slice:
    """Where the bounds of an hour stand, the first of them its beginning."""
    ends = np.searchsorted(bounds_s, (hour * SECONDS_PER_HOUR, (hour + 1) * SECONDS_PER_HOUR))
    return slice(int(ends[0]), int(ends[1]))


def _energies(bounds_s: Floats, powers_kw: Floats, times_s: Floats) -> Floats:
    """Energies from the first bound to instants, shape (instants, hosts).

    Bounds behind an instant play no part in it, not even in its rounding.
    """
    parts = powers_kw[:-1] * np.diff(bounds_s)[:, None] / SECONDS_PER_HOUR
    sums = np.concatenate((np.zeros((1, powers_kw.shape[1])), np.cumsum(parts, axis=0)))
    places = np.searchsorted(bounds_s, times_s, side="right") - 1
    since_s = times_s - bounds_s[places]
    found: Floats = sums[places] + powers_kw[places] * since_s[:, None] / SECONDS_PER_HOUR
    return found
