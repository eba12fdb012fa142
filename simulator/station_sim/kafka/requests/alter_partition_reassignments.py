"""AlterPartitionReassignments: keep partitions on other nodes, or in another order of preference.

Speaks versions 0 and 1, which may forbid that the number of replicas changes. It is done at once,
so that there is never a reassignment to cancel.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import (
    AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse,
)

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = AlterPartitionReassignmentsRequest
RESPONSE = AlterPartitionReassignmentsResponse

_TOPIC = RESPONSE.ReassignableTopicResponse
_PARTITION = _TOPIC.ReassignablePartitionResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each partition."""
    may_change = context.version == 0 or request.allow_replication_factor_change
    return RESPONSE(
        allow_replication_factor_change=may_change,
        error_code=ErrorCode.NONE,
        error_message=None,
        responses=[
            _TOPIC(
                name=topic.name,
                partitions=[
                    _reassign(cluster, topic.name, asked, may_change) for asked in topic.partitions
                ],
            )
            for topic in request.topics
        ],
    )


def _reassign(cluster: "Cluster", topic: str, asked: Any, may_change: bool) -> Any:
    index = asked.partition_index
    try:
        _check_and_reassign(cluster, topic, asked, may_change)
    except RefusalError as refused:
        return _PARTITION(
            partition_index=index, error_code=refused.code, error_message=refused.message
        )
    return _PARTITION(partition_index=index, error_code=ErrorCode.NONE, error_message=None)


def _check_and_reassign(cluster: "Cluster", topic: str, asked: Any, may_change: bool) -> None:
    log = cluster.topics.partition(topic, asked.partition_index)
    if log is None:
        text = f"Unable to find partition {topic}:{asked.partition_index}."
        if topic not in cluster.topics:
            text = f"Unable to find a topic named {topic}."
        raise RefusalError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, text)
    if asked.replicas is None:
        raise RefusalError(
            ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, "No partition reassignment is in progress."
        )
    cluster.topics.check_nodes(asked.replicas)
    before = len(log.replicas.node_ids)
    if not may_change and len(asked.replicas) != before:
        raise RefusalError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"The replication factor is changed from {before} to {len(asked.replicas)}",
        )
    cluster.elections.reassign(log, asked.replicas)
