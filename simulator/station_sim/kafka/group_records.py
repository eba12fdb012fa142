"""What is written down of groups, and which groups nothing is written of.

A commit of which nothing is stored makes its group at the coordinator, and writes nothing. Who
changes such a group finds it at once. Who looks at groups sees them as of the last write to a
partition of Kafka's offsets topic, so it shows when something was written behind it, of any group
of the same partition. It is lost with its coordinator. So CoordinatorRuntime and its timeline of
snapshots have it in Apache Kafka 4.1.

The records themselves are those of `rebalance.py`, `group_offsets.py` and `pending_offsets.py`.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from station_sim.kafka.storage.journal import Journal, Key

T = TypeVar("T")


class GroupRecords:
    """The journal of the groups; the first part of each key is the group."""

    def __init__(self, journal: Journal, partition_for: Callable[[str], int]) -> None:
        self._journal = journal
        self._partition_for = partition_for
        self._unwritten: dict[str, bool] = {}
        """Whether it shows, by group."""

    # Groups without records

    def begin_without(self, group_id: str) -> None:
        """A group was made, and nothing is written of it."""
        self._unwritten[group_id] = False

    def is_written(self, group_id: str) -> bool:
        """Whether a group outlives its coordinator."""
        return group_id not in self._unwritten

    def shows(self, group_id: str) -> bool:
        """Whether a group is seen by who looks at groups."""
        return self._unwritten.get(group_id, True)

    def forget(self, group_id: str) -> None:
        """A group was lost with its coordinator."""
        self._unwritten.pop(group_id, None)

    def wrote(self, offsets_partition: int) -> None:
        """Something was written to a partition of the offsets topic."""
        for group_id in self._unwritten:
            if self._partition_for(group_id) == offsets_partition:
                self._unwritten[group_id] = True

    # As the journal

    def put(self, kind: str, key: Key, value: Any) -> None:
        """Keep a value of a group."""
        self._journal.put(kind, key, value)
        self.wrote_of(key[0])

    def drop(self, kind: str, key: Key) -> None:
        """Forget a value of a group."""
        self._journal.drop(kind, key)
        self.wrote_of(key[0])

    def get(self, kind: str, key: Key, form: type[T]) -> T | None:
        """What is kept under a key; None if it is not there."""
        return self._journal.get(kind, key, form)

    def values(self, kind: str, form: type[T]) -> Iterator[tuple[Key, T]]:
        """The keys of a kind with their values, in the order in which they first came."""
        return self._journal.values(kind, form)

    def wrote_of(self, group_id: str) -> None:
        """Something was written of a group."""
        if self._unwritten:
            self._unwritten.pop(group_id, None)
            self.wrote(self._partition_for(group_id))
