"""Which consumer groups a request is about.

Which topics and partitions it is about is in `shapes.py`.
"""

from collections.abc import Callable, Iterable
from typing import Any

_GROUP_KEY = 0
"""FindCoordinator's key type of groups; 1 is that of transactional ids."""


def groups_of(kind: str, request: Any) -> tuple[str, ...]:
    """The groups a request names, each once; empty for kinds that name none."""
    find = _GROUPS.get(kind)
    return () if find is None else tuple(dict.fromkeys(find(request)))


def names_groups(kind: str) -> bool:
    """Whether requests of a kind name groups."""
    return kind in _GROUPS


def _of_member(request: Any) -> Iterable[str]:
    return (request.group_id,)


def _of_coordinator(request: Any) -> Iterable[str]:
    if request.key_type != _GROUP_KEY:
        return ()
    return request.coordinator_keys or (request.key,)


def _of_offset_fetch(request: Any) -> Iterable[str]:
    return [group.group_id for group in request.groups or ()] or (request.group_id,)


_GROUPS: dict[str, Callable[[Any], Iterable[str]]] = {
    "AddOffsetsToTxn": _of_member,
    "DeleteGroups": lambda request: request.groups_names or (),
    "DescribeGroups": lambda request: request.groups or (),
    "FindCoordinator": _of_coordinator,
    "Heartbeat": _of_member,
    "JoinGroup": _of_member,
    "LeaveGroup": _of_member,
    "OffsetCommit": _of_member,
    "OffsetDelete": _of_member,
    "OffsetFetch": _of_offset_fetch,
    "SyncGroup": _of_member,
    "TxnOffsetCommit": _of_member,
}
