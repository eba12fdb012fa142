"""Offsets that groups committed in transactions which are still open.

They count when the transaction is committed, unless a later commit of the same partition came
first. Which commits are allowed is decided by the group (`group.py`); what counts is in
`group_offsets.py`. The rules are those of OffsetMetadataManager in Apache Kafka 4.1. Every change
is written to the journal before it is made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from station_sim.kafka.group_offsets import CommittedOffset
from station_sim.kafka.storage.journal import Journal, NoJournal

TopicPartition = tuple[str, int]

_Pending = dict[int, CommittedOffset | None]
"""By producer id, in the order of the commits; None where a later one came first."""

_KIND = "pending offsets"


@dataclass(frozen=True, slots=True)
class PendingRecord:
    """The pending offsets of a group's partition as they are kept."""

    offsets: tuple[tuple[int, CommittedOffset | None], ...]


class PendingOffsets:
    """The pending offsets of all groups."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal or NoJournal()
        self._groups: dict[str, dict[TopicPartition, _Pending]] = {}
        for (group_id, topic, partition), record in self._journal.values(_KIND, PendingRecord):
            partitions = self._groups.setdefault(group_id, {})
            partitions[topic, int(partition)] = dict(record.offsets)

    def __contains__(self, group_id: object) -> bool:
        return group_id in self._groups

    def __iter__(self) -> Iterator[str]:
        """The groups that have any."""
        return iter(tuple(self._groups))

    def is_pending(self, group_id: str, topic: str, partition: int) -> bool:
        """Whether an open transaction commits an offset of a group's partition."""
        return (topic, partition) in self._groups.get(group_id, ())

    def store(
        self,
        producer_id: int,
        group_id: str,
        topic: str,
        partition: int,
        committed: CommittedOffset,
    ) -> None:
        """Keep an offset for the end of a producer's transaction."""
        pending = self._of(group_id, (topic, partition))
        pending.pop(producer_id, None)
        pending[producer_id] = committed
        self._put(group_id, (topic, partition), pending)

    def overtaken(self, group_id: str, topic: str, partition: int) -> None:
        """A commit outside transactions counts more than all before it."""
        pending = self._of(group_id, (topic, partition))
        if pending:
            self._put(group_id, (topic, partition), dict.fromkeys(pending))

    def of_producer(
        self, producer_id: int, is_concerned: Callable[[str], bool]
    ) -> list[tuple[str, str, int, CommittedOffset | None]]:
        """What a producer's transaction holds of the groups that are concerned.

        Gives group, topic, partition, and the offset unless it was overtaken.
        """
        return [
            (group_id, topic, partition, pending[producer_id])
            for group_id, partitions in self._groups.items()
            if is_concerned(group_id)
            for (topic, partition), pending in partitions.items()
            if producer_id in pending
        ]

    def end(
        self, producer_id: int, group_id: str, topic: str, partition: int, *, counts: bool
    ) -> None:
        """A producer's transaction is over; an offset that counts does so over earlier ones."""
        pending = self._of(group_id, (topic, partition))
        if counts:
            _overtake_before(pending, producer_id)
        pending.pop(producer_id, None)
        self._put(group_id, (topic, partition), pending)

    def forget_topic(self, name: str) -> None:
        """Forget a topic that was deleted."""
        for group_id in self:
            self._forget(group_id, lambda topic: topic == name)

    def forget_group(self, group_id: str) -> None:
        """Forget a group that was deleted."""
        self._forget(group_id, lambda _: True)

    def _forget(self, group_id: str, is_meant: Callable[[str], bool]) -> None:
        for topic, partition in tuple(self._groups.get(group_id, ())):
            if is_meant(topic):
                self._put(group_id, (topic, partition), {})

    def _of(self, group_id: str, partition: TopicPartition) -> _Pending:
        """A copy of what is pending for a group's partition."""
        return dict(self._groups.get(group_id, {}).get(partition, {}))

    def _put(self, group_id: str, partition: TopicPartition, pending: _Pending) -> None:
        key = (group_id, partition[0], str(partition[1]))
        if pending:
            self._journal.put(_KIND, key, PendingRecord(tuple(pending.items())))
            self._groups.setdefault(group_id, {})[partition] = pending
            return
        self._journal.drop(_KIND, key)
        partitions = self._groups.get(group_id, {})
        partitions.pop(partition, None)
        if not partitions:
            self._groups.pop(group_id, None)


def _overtake_before(pending: _Pending, producer_id: int) -> None:
    for earlier_id in pending:
        if earlier_id == producer_id:
            break
        pending[earlier_id] = None
