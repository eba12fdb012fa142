"""What the grid connection allows: the transformer's limit, and what is left of it for whom.

Guns come first, so they are limited as if there were neither panels nor storage; storage charges
from the headroom that is left.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from station_sim.world.efficiency import (
    BEST_EFFICIENCY,
    FULL_EFFICIENCY,
    HOST_STANDBY_KW,
    host_ac_kw,
)
from station_sim.world.site import MODULES


def allowed_dc_kw(limit_kw: float, hosts_kw: Sequence[float], auxiliaries_kw: float) -> float:
    """DC power that all guns together may draw so that hosts and auxiliaries keep the limit.

    `limit_kw` is AC, `hosts_kw` the hosts' rated powers, `auxiliaries_kw` the most that
    auxiliaries ever take. Whatever hosts the power is spread over, the limit holds. Never negative.
    """
    above_kw = sum(_above_kw(rated_kw) for rated_kw in hosts_kw)
    return max(0.0, (limit_kw - auxiliaries_kw - above_kw) * FULL_EFFICIENCY)


def most_ac_kw(dc_kw: float, hosts_kw: Sequence[float]) -> float:
    """The most that hosts take for `dc_kw` in all, whatever hosts give it."""
    return dc_kw / FULL_EFFICIENCY + sum(_above_kw(rated_kw) for rated_kw in hosts_kw)


def least_ac_kw(dc_kw: float, hosts: int) -> float:
    """The least that hosts take for `dc_kw` in all, whatever hosts give it."""
    return dc_kw / BEST_EFFICIENCY + hosts * HOST_STANDBY_KW


def charging_headroom_kw(limit_kw: float, load_kw: float) -> float:
    """AC power that storage may take beside hosts and auxiliaries that take `load_kw`."""
    return max(0.0, limit_kw - load_kw)


@lru_cache(maxsize=256)
def _above_kw(rated_kw: float) -> float:
    """How far a host's intake may exceed its DC power / `FULL_EFFICIENCY`, at any power."""
    dc_kw = np.linspace(0.0, rated_kw, 4001)
    excess_kw = host_ac_kw(dc_kw, rated_kw) - dc_kw / FULL_EFFICIENCY
    between_kw = 0.001 * rated_kw / MODULES  # the looked-at powers lie so close
    return float(excess_kw.max()) + between_kw
