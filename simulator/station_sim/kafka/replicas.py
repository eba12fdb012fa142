"""Where one partition is kept: its replica nodes, its leader, and which replicas are in sync.

Replication takes no time, so this is all there is of it: every replica reads the one log. Who moves
a leader, and when, is in `elections.py`; which nodes a new partition gets, in `placement.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

NO_LEADER = -1


@dataclass(frozen=True, slots=True)
class Leadership:
    """Who leads a partition, as metadata tell it at one moment."""

    leader_id: int
    leader_epoch: int
    in_sync_ids: tuple[int, ...]


class Replicas:
    """The replicas of one partition; the first of `node_ids` is its preferred leader.

    `is_short` tells whether any replica is out of sync; it saves a busy leader from counting.
    """

    __slots__ = ("in_sync_ids", "is_short", "leader_id", "node_ids")

    def __init__(self, node_ids: Sequence[int], in_sync_ids: Sequence[int] | None = None) -> None:
        self.node_ids = tuple(node_ids)
        self.in_sync_ids = self.node_ids if in_sync_ids is None else tuple(in_sync_ids)
        self.is_short = len(self.in_sync_ids) < len(self.node_ids)
        self.leader_id = self.in_sync_ids[0]

    @property
    def preferred_id(self) -> int:
        """The node that should lead when all is well."""
        return self.node_ids[0]

    def lacks(self, min_in_sync: int) -> bool:
        """Whether fewer replicas are in sync than `min_in_sync`, of which no more are asked for
        than there are replicas."""
        return self.is_short and len(self.in_sync_ids) < min(min_in_sync, len(self.node_ids))

    def keep_in_sync(self, is_in_sync: Callable[[int], bool]) -> None:
        """Let those replicas be in sync that are said to; the last one that was never leaves."""
        kept = tuple(node_id for node_id in self.node_ids if is_in_sync(node_id))
        self.in_sync_ids = kept or self.in_sync_ids
        self.is_short = len(self.in_sync_ids) < len(self.node_ids)

    def assign(self, node_ids: Sequence[int], is_in_sync: Callable[[int], bool]) -> None:
        """Live on other nodes from now on; those that may are in sync at once."""
        self.node_ids = tuple(node_ids)
        self.keep_in_sync(is_in_sync)

    def elect(self, may_lead: Callable[[int], bool], *, prefer: int | None = None) -> bool:
        """Keep the leader or take another replica in sync, the preferred first; tell of a change.

        `prefer` is taken over the present leader. Without anybody there is no leader.
        """
        able = [i for i in self.node_ids if i in self.in_sync_ids and may_lead(i)]
        if prefer in able:
            leader_id = prefer
        elif self.leader_id in able:
            return False
        else:
            leader_id = able[0] if able else NO_LEADER
        assert leader_id is not None
        changed, self.leader_id = leader_id != self.leader_id, leader_id
        return changed

    def elect_unclean(self, may_lead: Callable[[int], bool]) -> bool:
        """Take a leader that is not in sync, and is alone in sync then; tell whether one could."""
        able = [node_id for node_id in self.node_ids if may_lead(node_id)]
        if not able:
            return False
        self.leader_id = able[0]
        self.keep_in_sync(lambda node_id: node_id == able[0])
        return True
