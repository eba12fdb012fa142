"""Offsets that groups committed in transactions which are still open.

They count when the transaction is committed, unless a later commit of the same partition came
first. Which commits are allowed is decided by the group (`group.py`); what counts is in
`group_offsets.py`. The rules are those of OffsetMetadataManager in Apache Kafka 4.1.
"""

from collections.abc import Callable

from station_sim.kafka.group_offsets import CommittedOffset

TopicPartition = tuple[str, int]

_Pending = dict[TopicPartition, dict[int, CommittedOffset | None]]
"""By partition and producer id, in the order of the commits; None where a later one came first."""


class PendingOffsets:
    """The pending offsets of all groups."""

    def __init__(self) -> None:
        self._groups: dict[str, _Pending] = {}

    def __contains__(self, group_id: object) -> bool:
        return group_id in self._groups

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
        pending = self._groups.setdefault(group_id, {}).setdefault((topic, partition), {})
        pending.pop(producer_id, None)
        pending[producer_id] = committed

    def overtaken(self, group_id: str, topic: str, partition: int) -> None:
        """A commit outside transactions counts more than all before it."""
        pending = self._groups.get(group_id, {}).get((topic, partition), {})
        for producer_id in pending:
            pending[producer_id] = None

    def end(
        self, producer_id: int, is_concerned: Callable[[str], bool], *, commit: bool
    ) -> list[tuple[str, str, int, CommittedOffset]]:
        """End a producer's transaction in the groups that are concerned.

        Gives group, topic, partition and offset of what counts from now on.
        """
        counting = []
        for group_id in [group_id for group_id in self._groups if is_concerned(group_id)]:
            for (topic, partition), pending in tuple(self._groups[group_id].items()):
                committed = pending.get(producer_id)
                if commit and committed is not None:
                    counting.append((group_id, topic, partition, committed))
                    _overtake_before(pending, producer_id)
                pending.pop(producer_id, None)
                self._tidy(group_id, (topic, partition))
        return counting

    def forget_topic(self, name: str) -> None:
        """Forget a topic that was deleted."""
        for group_id, partitions in tuple(self._groups.items()):
            for topic, partition in tuple(partitions):
                if topic == name:
                    partitions[topic, partition].clear()
                    self._tidy(group_id, (topic, partition))

    def forget_group(self, group_id: str) -> None:
        """Forget a group that was deleted."""
        self._groups.pop(group_id, None)

    def _tidy(self, group_id: str, partition: TopicPartition) -> None:
        partitions = self._groups[group_id]
        if not partitions[partition]:
            del partitions[partition]
        if not partitions:
            del self._groups[group_id]


def _overtake_before(pending: dict[int, CommittedOffset | None], producer_id: int) -> None:
    for earlier_id in pending:
        if earlier_id == producer_id:
            break
        pending[earlier_id] = None
