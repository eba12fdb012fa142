"""OffsetFetch: what a group has committed.

Speaks versions 1 to 9: all topics (null) from 2 on, many groups at once from 8 on. A partition
without a commit, of a group that exists or not, has offset -1. A client that wants stable offsets
(from 7 on) is refused those that an open transaction commits.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kafka.protocol.consumer import OffsetFetchRequest, OffsetFetchResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group_offsets import (
    NO_LEADER_EPOCH,
    NO_METADATA,
    NO_OFFSET,
    CommittedOffset,
    GroupOffsets,
)
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = OffsetFetchRequest
RESPONSE = OffsetFetchResponse

_FIRST_VERSION_WITH_STABLE = 7
_FIRST_VERSION_WITH_GROUPS = 8
_NOTHING = CommittedOffset(NO_OFFSET, NO_LEADER_EPOCH, NO_METADATA, committed_at_ms=0)

_TOPIC = RESPONSE.OffsetFetchResponseTopic
_GROUP = RESPONSE.OffsetFetchResponseGroup
_GROUP_TOPIC = _GROUP.OffsetFetchResponseTopics


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The committed offsets of one group or of many."""
    stable = context.version >= _FIRST_VERSION_WITH_STABLE and request.require_stable
    if context.version < _FIRST_VERSION_WITH_GROUPS:
        known = _Known(cluster, request.group_id, stable=stable)
        partition_class = _TOPIC.OffsetFetchResponsePartition
        topics = _topics(known, request.topics, _TOPIC, partition_class)
        return RESPONSE(error_code=ErrorCode.NONE, topics=topics)
    return RESPONSE(
        groups=[
            _group(_Known(cluster, asked.group_id, stable=stable), asked)
            for asked in request.groups
        ]
    )


class _Known:
    """What a group has committed, and which of it is about to change; nothing for who asks not."""

    def __init__(self, cluster: "Cluster", group_id: str, *, stable: bool) -> None:
        self.offsets = cluster.groups.offsets(group_id)
        self._group_id = group_id
        self._pending = cluster.groups.pending if stable else None

    def partition(self, partition_class: Any, topic: str, index: int) -> Any:
        """The answer for a partition."""
        if self._pending is not None and self._pending.is_pending(self._group_id, topic, index):
            return _partition(partition_class, index, _NOTHING, ErrorCode.UNSTABLE_OFFSET_COMMIT)
        committed = self.offsets.get(topic, index) or _NOTHING
        return _partition(partition_class, index, committed, ErrorCode.NONE)


def _group(known: _Known, asked: Any) -> Any:
    partition_class = _GROUP_TOPIC.OffsetFetchResponsePartitions
    return _GROUP(
        group_id=asked.group_id,
        topics=_topics(known, asked.topics, _GROUP_TOPIC, partition_class),
        error_code=ErrorCode.NONE,
    )


def _topics(known: _Known, asked: Any, topic_class: Any, partition_class: Any) -> list[Any]:
    return [
        topic_class(
            name=name,
            partitions=[known.partition(partition_class, name, index) for index in indexes],
        )
        for name, indexes in _wanted(known.offsets, asked)
    ]


def _wanted(offsets: GroupOffsets, asked: Any) -> Iterator[tuple[str, list[int]]]:
    if asked is None:
        for name in offsets.topics():
            yield name, offsets.partitions(name)
    else:
        for topic in asked:
            yield topic.name, topic.partition_indexes


def _partition(
    partition_class: Any, index: int, committed: CommittedOffset, error: ErrorCode
) -> Any:
    return partition_class(
        partition_index=index,
        committed_offset=committed.offset,
        committed_leader_epoch=committed.leader_epoch,
        metadata=committed.metadata,
        error_code=error,
    )
