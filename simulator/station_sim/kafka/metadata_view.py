"""What one node has not heard of yet: leaders that moved, of which it goes on telling the old tale.

A node with nothing outdated, the usual case, tells what is. Who leads in truth is in `replicas.py`.
"""

import asyncio

from station_sim.kafka.replicas import Leadership, Replicas


class MetadataView:
    """One node's view of who leads."""

    def __init__(self) -> None:
        self._outdated: dict[Replicas, tuple[Leadership, float]] = {}

    def __bool__(self) -> bool:
        """Whether anything in it may be outdated."""
        return bool(self._outdated)

    def keep(self, replicas: Replicas, old: Leadership, *, delay_s: float) -> None:
        """Tell of the old leader for so long; what is outdated already stays what it is."""
        if self.outdated(replicas) is None:
            until_s = asyncio.get_running_loop().time() + delay_s
            self._outdated[replicas] = (old, until_s)

    def outdated(self, replicas: Replicas) -> Leadership | None:
        """What this node still believes of a partition; None if it knows."""
        if replicas not in self._outdated:
            return None
        old, until_s = self._outdated[replicas]
        if asyncio.get_running_loop().time() < until_s:
            return old
        del self._outdated[replicas]
        return None
