"""What the grid connection allows: the transformer's limit, and what is left of it for whom.

Guns come first, so they are limited as if there were neither panels nor storage; storage charges
from the headroom that is left.
"""

from collections.abc import Sequence

from station_sim.world.efficiency import FULL_EFFICIENCY, host_ac_most_kw

CONTINUOUS_SHARE = 0.8  # of the transformer's kVA, for ever (an estimate)


def allowed_dc_kw(limit_kw: float, hosts_kw: Sequence[float], auxiliaries_kw: float) -> float:
    """DC power that all guns together may draw so that hosts and auxiliaries keep the limit.

    `limit_kw` is AC, `hosts_kw` the hosts' rated powers, `auxiliaries_kw` the most that
    auxiliaries ever take. Whatever hosts the power is spread over, the limit holds. Never negative.
    """
    above_kw = sum(host_ac_most_kw(rated_kw) for rated_kw in hosts_kw)
    return max(0.0, (limit_kw - auxiliaries_kw - above_kw) * FULL_EFFICIENCY)


def charging_headroom_kw(limit_kw: float, load_kw: float) -> float:
    """AC power that storage may take beside hosts and auxiliaries that take `load_kw`."""
    return max(0.0, limit_kw - load_kw)
