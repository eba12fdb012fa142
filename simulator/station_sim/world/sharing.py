"""How guns share power: within a pile, a host, and what the grid allows the station.

The same rule at each level: equal parts, and what one does not need is lent to the others. For two
guns of a pile it is halves when both are busy, the rule that EPFL's open station follows. When
shares change is `station`'s business.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf

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
        piles = {pile: self._pile_kw[pile] for pile in map(self._pile_of.__getitem__, demands)}
        hosts = {host: hosts_kw[host] for host in map(self._host_of.__getitem__, demands)}
        shares = _share_level(demands, self._pile_of, piles)
        shares = _share_level(shares, self._host_of, hosts)
        shares = fair_shares(shares, allowed_kw)
        spare_kw = allowed_kw - sum(shares.values())
        pile_spare = _spare(shares, self._pile_of, piles)
        host_spare = _spare(shares, self._host_of, hosts)
        limits: Kw = {}
        for gun, share in shares.items():
            is_full = share >= demands[gun]
            spare = min(pile_spare[self._pile_of[gun]], host_spare[self._host_of[gun]], spare_kw)
            limits[gun] = max(share + max(spare, 0.0) if is_full else share, LEAST_KW)
        return limits


def _share_level(wants: Kw, group_of: Mapping[int, int], capacities: Mapping[int, float]) -> Kw:
    sums = _sums(wants, group_of)
    scarce = [group for group, kw in sums.items() if kw > capacities.get(group, inf)]
    if not scarce:
        return wants
    shares = dict(wants)
    for group in scarce:
        members = {gun: kw for gun, kw in wants.items() if group_of[gun] == group}
        shares.update(fair_shares(members, capacities[group]))
    return shares


def _spare(shares: Kw, group_of: Mapping[int, int], capacities: Mapping[int, float]) -> Kw:
    sums = _sums(shares, group_of)
    return {group: capacities[group] - kw for group, kw in sums.items()}


def _sums(values: Kw, group_of: Mapping[int, int]) -> Kw:
    sums: defaultdict[int, float] = defaultdict(float)
    for gun, kw in values.items():
        sums[group_of[gun]] += kw
    return dict(sums)
