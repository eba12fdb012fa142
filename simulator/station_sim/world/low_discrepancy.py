"""Sequences that fill evenly whatever their length, so that a hundred draws have the shape of many.

A station's size, kind and frailty depend on its index and the seed alone, and any hundred stations
in a row look like a network. What is drawn from them is `sites`' business.
"""

from collections.abc import Mapping
from random import Random

from station_sim.world.random_streams import random_stream

GOLDEN = 0.6180339887498949
"""Steps of this leave the smallest gaps between points on a circle."""

PLASTIC = 0.7548776662466927
"""A second direction whose points avoid those of the first (the plastic number's inverse)."""

TWIN_STEP = 0.03
"""How far apart the two of a pair are in `pair_shares`' first value."""

SHIFT_MAX = 0.1
"""How far a seed moves the first values: little, for the share of large stations hangs on it."""

EDGE = 1e-4


def even_share(seed: int, purpose: str, index: int, step: float = GOLDEN) -> float:
    """The value in [0, 1) of the sequence for a purpose at an index."""
    return (_shift(seed, purpose).random() + index * step) % 1.0


def pair_shares(seed: int, purpose: str, index: int) -> tuple[float, float]:
    """Two values in (0, 1): evenly filled both, the second mirrored within each pair of indices.

    Indices 2k and 2k+1 have almost the same first value and the opposite second one, so that the
    second averages out however strongly the first one weighs.
    """
    rng = _shift(seed, purpose)
    pair, second = divmod(index, 2)
    middle = (SHIFT_MAX * rng.random() + pair * GOLDEN) % 1.0
    first_value = abs(middle + (TWIN_STEP if second else -TWIN_STEP) / 2)
    first_value = min(first_value, 2 - first_value)
    value = min(max((rng.random() + pair * PLASTIC) % 1.0, EDGE), 1 - EDGE)
    return first_value, 1 - value if second else value


def interleaved(shares: Mapping[str, float], count: int) -> list[str]:
    """`count` kinds of which every beginning has the shares as nearly as whole numbers can."""
    total = sum(shares.values())
    owed = dict.fromkeys(shares, 0.0)
    kinds: list[str] = []
    for _ in range(count):
        for kind, share in shares.items():
            owed[kind] += share / total
        most = max(owed, key=lambda kind: owed[kind])
        owed[most] -= 1.0
        kinds.append(most)
    return kinds


def _shift(seed: int, purpose: str) -> Random:
    return random_stream(seed, "sequence", purpose)
