"""How guns share power: within a pile, a host, and what the grid allows the station.

The same rule at each level: equal parts, and what one does not need is lent to the others. For two
guns of a pile it is halves when both are busy, the rule that EPFL's open station follows. When
shares change is `station`'s business.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from station_sim.world.site import StationSite

Kw = dict[int, float]
LEAST_KW = 0.5
"""Every gun keeps this much, so that no charge lasts for ever; the levels' sums stay above it."""


def fair_shares(wants: Mapping[int, float], capacity_kw: float) -> Kw:
    """Equal parts of a capacity by gun, none above what is wanted, nothing left that is wanted."""
    if sum(wants.values()) <= capacity_kw:
        return dict(wants)
    shares: Kw = {}
    left_kw, left = capacity_kw, len(wants)
    for gun, want in sorted(wants.items(), key=lambda each: (each[1], each[0])):
        shares[gun] = min(want, left_kw / left)
        left_kw -= shares[gun]
        left -= 1
    return shares


class PowerSharing:
    """The piles and hosts of one site."""

    def __init__(self, site: StationSite) -> None:
        self._pile_of = {gun.number: gun.pile for gun in site.guns}
        self._host_of = {gun.number: gun.host for gun in site.guns}
        self._pile_kw = {gun.pile: gun.rated_kw for gun in site.guns}

    def limits(self, demands: Kw, hosts_kw: Sequence[float], allowed_kw: float) -> Kw:
        """What each charging gun may give, in kW, by what each can take.

        A gun that gets all it can take has a limit above it, by what is left at every level.
        """
        shares = self._shares(demands, hosts_kw, allowed_kw)
        pile_left, host_left, left_kw = self._left(shares, hosts_kw, allowed_kw)
        limits: Kw = {}
        for gun, share in shares.items():
            limits[gun] = share
            if share >= demands[gun]:
                spare = min(pile_left[self._pile_of[gun]], host_left[self._host_of[gun]], left_kw)
                limits[gun] += max(spare, 0.0)
            limits[gun] = max(limits[gun], LEAST_KW)
        return limits

    def _shares(self, demands: Kw, hosts_kw: Sequence[float], allowed_kw: float) -> Kw:
        pile_left, host_left, left_kw = self._left(demands, hosts_kw, allowed_kw)
        if min(*pile_left.values(), *host_left.values(), left_kw, 0.0) == 0.0:
            return demands
        shares = _share_level(demands, self._pile_of, self._pile_kw)
        shares = _share_level(shares, self._host_of, dict(enumerate(hosts_kw)))
        return fair_shares(shares, allowed_kw)

    def _left(
        self, shares: Kw, hosts_kw: Sequence[float], allowed_kw: float
    ) -> tuple[Kw, Kw, float]:
        """What piles, hosts and the station have left when guns take their shares."""
        piles: Kw = {}
        hosts: Kw = {}
        for gun, share in shares.items():
            pile, host = self._pile_of[gun], self._host_of[gun]
            piles[pile] = piles.get(pile, self._pile_kw[pile]) - share
            hosts[host] = hosts.get(host, hosts_kw[host]) - share
            allowed_kw -= share
        return piles, hosts, allowed_kw


def _share_level(wants: Kw, group_of: Mapping[int, int], capacities: Mapping[int, float]) -> Kw:
    groups: defaultdict[int, Kw] = defaultdict(dict)
    for gun, want in wants.items():
        groups[group_of[gun]][gun] = want
    shares = {}
    for group, members in groups.items():
        shares.update(fair_shares(members, capacities[group]))
    return {gun: shares[gun] for gun in wants}
