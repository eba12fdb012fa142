"""Records in flight: how many, of which partitions, and whether they still count.

A record is in flight from the moment it is applied until all that it caused is done. One of an
earlier ownership of its partition counts no more, whatever becomes of it.
"""

from collections.abc import Iterable

from data_analysis.offsets import OffsetManager
from data_analysis.work import Flight


class Flights:
    """Opens and closes flights, and says to the offsets which records are done.

    Args:
        offsets: who owns what, in which generation.
    """

    def __init__(self, offsets: OffsetManager) -> None:
        self.count = 0
        self._offsets = offsets
        self._by_partition: dict[tuple[str, int], int] = {}

    def begin(self, topic: str, partition: int, offset: int) -> Flight:
        """Return the flight of a record, with one thing to do: applying it."""
        tp = (topic, partition)
        flight = Flight(topic, partition, offset, self._offsets.generation(tp))
        flight.open = 1
        self.count += 1
        self._by_partition[tp] = self._by_partition.get(tp, 0) + 1
        return flight

    def release(self, flight: Flight) -> bool:
        """Note that one thing a record caused is done; return whether that was the last."""
        flight.open -= 1
        if flight.open or not self.counts(flight):
            return False
        tp = (flight.topic, flight.partition)
        self.count -= 1
        self._by_partition[tp] -= 1
        self._offsets.done(tp, flight.offset, generation=flight.generation)
        return True

    def counts(self, flight: Flight) -> bool:
        """Return whether the record's partition is owned as it was when the record came."""
        tp = (flight.topic, flight.partition)
        return self._offsets.owns(tp) and self._offsets.generation(tp) == flight.generation

    def count_of(self, tps: Iterable[tuple[str, int]]) -> int:
        """Return how many records of these partitions are in flight."""
        return sum(self._by_partition.get(tp, 0) for tp in tps)

    def busy(self, tps: Iterable[tuple[str, int]]) -> bool:
        """Return whether records of one of these partitions are in flight."""
        return any(self._by_partition.get(tp) for tp in tps)

    def forget(self, tps: Iterable[tuple[str, int]]) -> None:
        """Count no more what is in flight of these partitions: they are owned anew, or not."""
        for tp in tps:
            self.count -= self._by_partition.pop(tp, 0)
