"""How long callbacks took, as counts by upper bound: what a Prometheus histogram shows.

Nothing here reads a clock; who measures hands the seconds over.
"""

from bisect import bisect_left

BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds; longer ones are counted behind the last."""

FIRST_SECONDS = BOUNDS_SECONDS[0]


class Durations:
    """Counts durations; `counts` has one entry a bound and one for what is longer than all.

    `held_seconds` is how long callbacks have kept their caller: those that raised too, and of those
    that wait the beginning.
    """

    __slots__ = ("counts", "held_seconds", "sum_seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_SECONDS) + 1)
        self.sum_seconds = 0.0
        self.held_seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        # Most are shorter than the first bound.
        place = 0 if seconds <= FIRST_SECONDS else bisect_left(BOUNDS_SECONDS, seconds)
        self.counts[place] += 1
        self.sum_seconds += seconds
