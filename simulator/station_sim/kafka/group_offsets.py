"""The offsets one group has committed, and when they are forgotten.

Whether a commit may be stored is decided by the group (`group.py`), whether its partition exists
by the request module. Every change is written to the journal before it is made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from station_sim.kafka.storage.journal import Journal, NoJournal

OFFSET = "offset"
"""Kind of the journal's records, whose keys are group, topic and partition."""

NO_OFFSET = -1
NO_LEADER_EPOCH = -1
NO_METADATA = ""


@dataclass(frozen=True, slots=True)
class CommittedOffset:
    """A position a group has committed."""

    offset: int
    leader_epoch: int
    metadata: str
    committed_at_ms: int
    expires_at_ms: int | None = None
    """Asked for by the client (OffsetCommit up to version 4) instead of the broker's retention."""


class GroupOffsets:
    """The newest committed offset of each partition, in the order of the first commits."""

    def __init__(self, group_id: str = "", journal: Journal | None = None) -> None:
        self._group_id = group_id
        self._journal = journal or NoJournal()
        self._topics: dict[str, dict[int, CommittedOffset]] = {}

    def __bool__(self) -> bool:
        return bool(self._topics)

    def __iter__(self) -> Iterator[tuple[str, int, CommittedOffset]]:
        for topic, partitions in self._topics.items():
            for partition, committed in partitions.items():
                yield topic, partition, committed

    def get(self, topic: str, partition: int) -> CommittedOffset | None:
        """Return what is committed for a partition, if anything."""
        return self._topics.get(topic, {}).get(partition)

    def partitions(self, topic: str) -> list[int]:
        """Return the partitions of `topic` that have a committed offset."""
        return list(self._topics.get(topic, ()))

    def topics(self) -> list[str]:
        """Return the topics that have a committed offset."""
        return list(self._topics)

    def store(self, topic: str, partition: int, committed: CommittedOffset) -> None:
        """Replace what is committed for a partition."""
        self._journal.put(OFFSET, self._key(topic, partition), committed)
        self.restore(topic, partition, committed)

    def restore(self, topic: str, partition: int, committed: CommittedOffset) -> None:
        """Know again what was stored before the cluster's start."""
        self._topics.setdefault(topic, {})[partition] = committed

    def forget(self, topic: str, partition: int) -> None:
        """Forget what is committed for a partition, if anything."""
        if self.get(topic, partition) is None:
            return
        self._journal.drop(OFFSET, self._key(topic, partition))
        partitions = self._topics[topic]
        del partitions[partition]
        if not partitions:
            del self._topics[topic]

    def forget_topic(self, topic: str) -> None:
        """Forget a topic that was deleted."""
        for partition in self.partitions(topic):
            self.forget(topic, partition)

    def clear(self) -> None:
        """Forget everything, with the group."""
        for topic in self.topics():
            self.forget_topic(topic)

    def expire(
        self,
        now_ms: int,
        expires_at_ms: Callable[[CommittedOffset], int],
        is_in_use: Callable[[str, int], bool],
    ) -> None:
        """Forget offsets not in use whose time, the client's own or `expires_at_ms`, is over."""
        for topic, partition, committed in tuple(self):
            own_ms = committed.expires_at_ms
            is_over = now_ms >= (expires_at_ms(committed) if own_ms is None else own_ms)
            if is_over and not is_in_use(topic, partition):
                self.forget(topic, partition)

    def _key(self, topic: str, partition: int) -> tuple[str, str, str]:
        return self._group_id, topic, str(partition)
