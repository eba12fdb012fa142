"""OffsetFetch: what a group has committed.

Speaks versions 1 to 9: all topics (null) from 2 on, many groups at once from 8 on. A partition
without a commit, of a group that exists or not, has offset -1. Offsets are always stable here:
there are no transactions.
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

VERSIONS = (1, 9)
REQUEST = OffsetFetchRequest
RESPONSE = OffsetFetchResponse

_FIRST_VERSION_WITH_GROUPS = 8
_NOTHING = CommittedOffset(NO_OFFSET, NO_LEADER_EPOCH, NO_METADATA, committed_at_ms=0)

_TOPIC = RESPONSE.OffsetFetchResponseTopic
_GROUP = RESPONSE.OffsetFetchResponseGroup
_GROUP_TOPIC = _GROUP.OffsetFetchResponseTopics


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The committed offsets of one group or of many."""
    if context.version < _FIRST_VERSION_WITH_GROUPS:
        offsets = cluster.groups.offsets(request.group_id)
        partition_class = _TOPIC.OffsetFetchResponsePartition
        topics = _topics(offsets, request.topics, _TOPIC, partition_class)
        return RESPONSE(error_code=ErrorCode.NONE, topics=topics)
    return RESPONSE(groups=[_group(cluster, asked) for asked in request.groups])


def _group(cluster: "Cluster", asked: Any) -> Any:
    offsets = cluster.groups.offsets(asked.group_id)
    partition_class = _GROUP_TOPIC.OffsetFetchResponsePartitions
    return _GROUP(
        group_id=asked.group_id,
        topics=_topics(offsets, asked.topics, _GROUP_TOPIC, partition_class),
        error_code=ErrorCode.NONE,
    )


def _topics(offsets: GroupOffsets, asked: Any, topic_class: Any, partition_class: Any) -> list[Any]:
    return [
        topic_class(
            name=name,
            partitions=[
                _partition(partition_class, index, offsets.get(name, index) or _NOTHING)
                for index in indexes
            ],
        )
        for name, indexes in _wanted(offsets, asked)
    ]


def _wanted(offsets: GroupOffsets, asked: Any) -> Iterator[tuple[str, list[int]]]:
    if asked is None:
        for name in offsets.topics():
            yield name, offsets.partitions(name)
    else:
        for topic in asked:
            yield topic.name, topic.partition_indexes


def _partition(partition_class: Any, index: int, committed: CommittedOffset) -> Any:
    return partition_class(
        partition_index=index,
        committed_offset=committed.offset,
        committed_leader_epoch=committed.leader_epoch,
        metadata=committed.metadata,
        error_code=ErrorCode.NONE,
    )
