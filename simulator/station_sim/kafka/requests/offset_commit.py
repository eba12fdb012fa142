"""OffsetCommit: a group, or a client without one, stores how far it has come.

Speaks versions 2 to 9. A retention of the client's own (up to 4) is kept; static members from 7 on.
Partitions that do not exist are answered first; only if some are left is the group asked.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.consumer import OffsetCommitRequest, OffsetCommitResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group_messages import Identity
from station_sim.kafka.group_offsets import NO_LEADER_EPOCH, NO_METADATA
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = OffsetCommitRequest
RESPONSE = OffsetCommitResponse

_LAST_VERSION_WITH_RETENTION = 4
_FIRST_VERSION_WITH_LEADER_EPOCH = 6
_FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND = 9
_BROKER_RETENTION_MS = -1

_TOPIC = RESPONSE.OffsetCommitResponseTopic
_PARTITION = _TOPIC.OffsetCommitResponsePartition


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One error code for each partition."""
    error = ErrorCode.NONE
    if _names_a_partition(cluster, request):
        error = cluster.groups.check_commit(
            request.group_id,
            Identity(request.member_id, request.group_instance_id),
            request.generation_id_or_member_epoch,
            names_missing=context.version >= _FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND,
        )
    return RESPONSE(
        topics=[
            _TOPIC(
                name=topic.name,
                partitions=[
                    _PARTITION(
                        partition_index=partition.partition_index,
                        error_code=_store(cluster, request, context, topic.name, partition, error),
                    )
                    for partition in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


def _names_a_partition(cluster: "Cluster", request: Any) -> bool:
    return any(
        cluster.topics.partition(topic.name, partition.partition_index) is not None
        for topic in request.topics
        for partition in topic.partitions
    )


def _store(
    cluster: "Cluster",
    request: Any,
    context: RequestContext,
    topic: str,
    partition: Any,
    error: ErrorCode,
) -> ErrorCode:
    if cluster.topics.partition(topic, partition.partition_index) is None:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if error:
        return error
    has_epoch = context.version >= _FIRST_VERSION_WITH_LEADER_EPOCH
    return cluster.groups.commit(
        request.group_id,
        topic,
        partition.partition_index,
        partition.committed_offset,
        leader_epoch=partition.committed_leader_epoch if has_epoch else NO_LEADER_EPOCH,
        metadata=partition.committed_metadata or NO_METADATA,
        retention_ms=_own_retention_ms(request, context),
    )


def _own_retention_ms(request: Any, context: RequestContext) -> int | None:
    if context.version > _LAST_VERSION_WITH_RETENTION:
        return None
    retention_ms = int(request.retention_time_ms)
    return None if retention_ms == _BROKER_RETENTION_MS else retention_ms
