"""Producer ids: each is handed out once, over all starts of a cluster.

As in Apache Kafka they are taken in blocks; what is left of a block when the cluster ends is never
handed out.
"""

from dataclasses import dataclass

from station_sim.kafka.storage.journal import Journal

BLOCK_SIZE = 1000
"""As in ProducerIdsBlock of Apache Kafka."""

_KIND = "producer ids"


@dataclass(frozen=True, slots=True)
class ProducerIdBlocks:
    """All producer ids below `end` may have been handed out."""

    end: int


class ProducerIds:
    """Hands out producer ids, each once; raises `RefusalError` (KAFKA_STORAGE_ERROR)."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        known = journal.get(_KIND, (), ProducerIdBlocks)
        self._next = self._end = 0 if known is None else known.end

    def take(self) -> int:
        """A fresh producer id."""
        if self._next == self._end:
            self._journal.put(_KIND, (), ProducerIdBlocks(self._end + BLOCK_SIZE))
            self._end += BLOCK_SIZE
        self._next += 1
        return self._next - 1
