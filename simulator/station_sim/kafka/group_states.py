"""The states of a consumer group, and which may follow which.

Only the table lives here. What makes a group move is in `group.py`.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class GroupState(Enum):
    """A state of the classic group protocol; the value is the name DescribeGroups shows."""

    EMPTY = "Empty"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


SUCCESSORS: Mapping[GroupState, frozenset[GroupState]] = MappingProxyType(
    {
        GroupState.EMPTY: frozenset({GroupState.PREPARING_REBALANCE, GroupState.DEAD}),
        GroupState.PREPARING_REBALANCE: frozenset(
            {GroupState.COMPLETING_REBALANCE, GroupState.EMPTY, GroupState.DEAD}
        ),
        GroupState.COMPLETING_REBALANCE: frozenset(
            {GroupState.STABLE, GroupState.PREPARING_REBALANCE, GroupState.DEAD}
        ),
        GroupState.STABLE: frozenset({GroupState.PREPARING_REBALANCE, GroupState.DEAD}),
        GroupState.DEAD: frozenset(),
    }
)


class IllegalMoveError(Exception):
    """A group was to move where its state does not lead: a bug here, never of a client."""


def check_move(group_id: str, state: GroupState, target: GroupState) -> None:
    """Raise `IllegalMoveError` unless `target` may follow `state`."""
    if target not in SUCCESSORS[state]:
        allowed = ", ".join(sorted(successor.value for successor in SUCCESSORS[state])) or "nothing"
        raise IllegalMoveError(
            f"group {group_id!r} cannot go from {state.value} to {target.value}; "
            f"{state.value} is followed by {allowed}"
        )
