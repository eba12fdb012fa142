"""Records in flight: how many, of which partitions, and whether they still count.

A record is in flight from the moment it is applied until all that it caused is done. One of an
earlier ownership of its partition counts no more, whatever becomes of it.
"""

from collections.abc import Iterable, Mapping, Sequence

from data_analysis.offsets import OffsetManager
from data_analysis.work import Flight, Ownership


class Flights:
    """Opens and closes flights, and says to the offsets which records are done.

    Args:
        offsets: who owns what, in which generation.
    """

    def __init__(self, offsets: OffsetManager) -> None:
        self.count = 0
        self._offsets = offsets
        self._ownerships: dict[tuple[str, int], Ownership] = {}

    def ownership(self, tp: tuple[str, int]) -> Ownership | None:
        """Return how a partition is owned now, None if it is not."""
        if not self._offsets.owns(tp):
            return None
        generation = self._offsets.generation(tp)
        held = self._ownerships.get(tp)
        if held is None or held.generation != generation:
            self.forget([tp])
            held = self._ownerships[tp] = Ownership(tp, generation)
        return held

    def begin(self, ownership: Ownership, records: int) -> None:
        """So many records are in flight; what one of them causes holds its `Flight`."""
        self.count += records
        ownership.in_flight += records

    def end(self, ownership: Ownership, offsets: Sequence[int]) -> int:
        """Records that cause nothing more are done; return how many of them count."""
        if not ownership.current:
            return 0
        self.count -= len(offsets)
        ownership.in_flight -= len(offsets)
        self._offsets.done_all(ownership.tp, offsets, generation=ownership.generation)
        return len(offsets)

    def end_all(self, ended: Mapping[Ownership, Sequence[int]]) -> int:
        """Do what `end` does for the records of many partitions."""
        return sum([self.end(ownership, offsets) for ownership, offsets in ended.items()])

    def release(self, flight: Flight) -> bool:
        """Note that one thing a record caused is done; return whether that was the last."""
        flight.open -= 1
        ownership = flight.ownership
        if flight.open or not ownership.current:
            return False
        self.count -= 1
        ownership.in_flight -= 1
        self._offsets.done(ownership.tp, flight.offset, generation=ownership.generation)
        return True

    def release_all(self, flights: Iterable[Flight]) -> int:
        """Note that one thing is done of each; return for how many records it was the last."""
        ended: dict[Ownership, list[int]] = {}
        for flight in flights:
            flight.open -= 1
            if not flight.open:
                ended.setdefault(flight.ownership, []).append(flight.offset)
        return self.end_all(ended)

    def counts(self, flight: Flight) -> bool:
        """Return whether the record's partition is owned as it was when the record came."""
        return flight.ownership.current

    def count_of(self, tps: Iterable[tuple[str, int]]) -> int:
        """Return how many records of these partitions are in flight."""
        held = self._ownerships
        return sum(held[tp].in_flight for tp in tps if tp in held)

    def busy(self, tps: Iterable[tuple[str, int]]) -> bool:
        """Return whether records of one of these partitions are in flight."""
        held = self._ownerships
        return any(held[tp].in_flight for tp in tps if tp in held)

    def forget(self, tps: Iterable[tuple[str, int]]) -> None:
        """Count no more what is in flight of these partitions: they are owned anew, or not."""
        for tp in tps:
            ownership = self._ownerships.pop(tp, None)
            if ownership is not None:
                ownership.current = False
                self.count -= ownership.in_flight
