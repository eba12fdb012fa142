"""Which nodes keep a partition: chosen in turn, or checked when a client has chosen.

Partition 0 begins at the first node, the next at the next one, and so on. Apache Kafka begins at a
random node; the rest, and the refusals with their texts, are as there (StripedReplicaPlacer and
ReplicationControlManager).
"""

from collections.abc import Callable, Sequence

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.replicas import Replicas


class Placement:
    """Places partitions on the nodes of these ids, of which those that are active may lead."""

    def __init__(
        self, node_ids: Sequence[int] = (0,), is_active: Callable[[int], bool] = lambda _: True
    ) -> None:
        self._node_ids = tuple(node_ids)
        self._is_active = is_active

    def place(self, first: int, count: int, replication_factor: int) -> list[list[int]]:
        """Replica nodes for `count` partitions from the number `first` on, leaders first.

        Raises `RefusalError` (INVALID_REPLICATION_FACTOR) if there are too few nodes.
        """
        known = len(self._node_ids)
        why_not = None
        if not any(map(self._is_active, self._node_ids)):
            why_not = "All brokers are currently fenced."
        elif replication_factor > known:
            why_not = (
                f"The target replication factor of {replication_factor} cannot be reached because "
                f"only {known} broker(s) are registered."
            )
        if why_not is not None:
            raise RefusalError(
                ErrorCode.INVALID_REPLICATION_FACTOR,
                f"Unable to replicate the partition {replication_factor} time(s): {why_not}",
            )
        return [
            self._from(number % known)[:replication_factor]
            for number in range(first, first + count)
        ]

    def check(
        self, assignments: Sequence[Sequence[int]], *, first: int, replicas: int | None = None
    ) -> None:
        """Raise `RefusalError` (INVALID_REPLICA_ASSIGNMENT) unless partitions may be put so.

        `first` is the number of the first of them; `replicas` is how many each must have (None: as
        many as the first).
        """
        for number, node_ids in enumerate(assignments, start=first):
            self.check_nodes(node_ids, replicas)
            if not any(map(self._is_active, node_ids)):
                raise _misplaced(
                    "All brokers specified in the manual partition assignment for partition "
                    f"{number} are fenced or in controlled shutdown."
                )
            replicas = len(node_ids)

    def check_nodes(self, node_ids: Sequence[int], replicas: int | None = None) -> None:
        """Raise `RefusalError` (INVALID_REPLICA_ASSIGNMENT) for nodes that are no replica set."""
        text = "The manual partition assignment includes "
        if not node_ids:
            raise _misplaced(f"{text}an empty replica list.")
        ordered = sorted(node_ids)
        for previous, node_id in zip([None, *ordered], ordered, strict=False):
            if node_id not in self._node_ids:
                raise _misplaced(f"{text}broker {node_id}, but no such broker is registered.")
            if node_id == previous:
                raise _misplaced(f"{text}the broker {node_id} more than once.")
        if replicas is not None and len(node_ids) != replicas:
            raise _misplaced(
                f"{text}a partition with {len(node_ids)} replica(s), but this is not consistent "
                f"with previous partitions, which have {replicas} replica(s)."
            )

    def replicas(self, node_ids: Sequence[int]) -> Replicas:
        """The replicas of a partition that is put on these nodes now: active ones are in sync."""
        return Replicas(node_ids, [each for each in node_ids if self._is_active(each)])

    def _from(self, start: int) -> list[int]:
        """All nodes in turn, those that are active before the others."""
        turn = [*self._node_ids[start:], *self._node_ids[:start]]
        return sorted(turn, key=lambda node_id: not self._is_active(node_id))


def _misplaced(text: str) -> RefusalError:
    return RefusalError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, text)
