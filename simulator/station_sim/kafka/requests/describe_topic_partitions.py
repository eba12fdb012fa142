"""DescribeTopicPartitions: topics with their partitions, page by page.

Speaks version 0. Topics come in the order of their names; where the page ends, the answer says
where to go on.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.replicas import Leadership
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.metadata import leadership, offline
from station_sim.kafka.topics import INTERNAL_TOPICS, Topic, check_name

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster
    from station_sim.kafka.logs import PartitionLog

REQUEST = DescribeTopicPartitionsRequest
RESPONSE = DescribeTopicPartitionsResponse

PARTITIONS_MAX = 2000
"""`max.request.partition.size.limit`, by Kafka's default: no page is longer."""

TOPIC_OPERATIONS = sum(1 << operation for operation in (3, 4, 5, 6, 7, 8, 10, 11))
"""What everybody may do with a topic: read, write, create, delete, alter, describe, and the same
with its settings.
"""

_TOPIC = RESPONSE.DescribeTopicPartitionsResponseTopic
_PARTITION = _TOPIC.DescribeTopicPartitionsResponsePartition
_CURSOR = RESPONSE.Cursor


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One page."""
    cursor = request.cursor
    wants_all = not request.topics
    names = [t.name for t in (cluster.topics if wants_all else request.topics)]
    first = "" if cursor is None else cursor.topic_name
    names = sorted({name for name in names if name >= first})
    is_astray = cursor is not None and not wants_all and cursor.topic_name not in names
    if is_astray or (cursor is not None and cursor.partition_index < 0):
        # Kafka has no field for an error of the whole answer, either; it refuses every topic.
        return RESPONSE(
            topics=[
                _TOPIC(name=each.name, error_code=ErrorCode.INVALID_REQUEST)
                for each in request.topics
            ]
        )
    return _page(cluster, request, context, names)


def _page(cluster: "Cluster", request: Any, context: RequestContext, names: list[str]) -> Any:
    left = max(min(PARTITIONS_MAX, request.response_partition_limit), 1)
    answers: list[Any] = []
    for name in names:
        if left == 0:
            return RESPONSE(topics=answers, next_cursor=_CURSOR(topic_name=name, partition_index=0))
        topic = cluster.topics.get(name)
        if topic is None:
            answers.append(_TOPIC(name=name, error_code=_why_unknown(name)))
            continue
        cursor = request.cursor
        start = cursor.partition_index if cursor and cursor.topic_name == name else 0
        logs = topic.partitions[start : start + left]
        answers.append(_describe(cluster, context, topic, logs))
        left -= len(logs)
        end = start + len(logs)
        if end < len(topic.partitions):
            return RESPONSE(
                topics=answers, next_cursor=_CURSOR(topic_name=name, partition_index=end)
            )
    return RESPONSE(topics=answers, next_cursor=None)


def _why_unknown(name: str) -> ErrorCode:
    try:
        check_name(name)
    except RefusalError as refused:
        return refused.code
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def _describe(
    cluster: "Cluster", context: RequestContext, topic: Topic, logs: "list[PartitionLog]"
) -> Any:
    return _TOPIC(
        error_code=ErrorCode.NONE,
        name=topic.name,
        topic_id=topic.topic_id,
        is_internal=topic.name in INTERNAL_TOPICS,
        topic_authorized_operations=TOPIC_OPERATIONS,
        partitions=[_partition(cluster, log, leadership(context.node, log)) for log in logs],
    )


def _partition(cluster: "Cluster", log: "PartitionLog", led: Leadership) -> Any:
    return _PARTITION(
        error_code=ErrorCode.NONE,
        partition_index=log.partition,
        leader_id=led.leader_id,
        leader_epoch=led.leader_epoch,
        replica_nodes=log.replicas.node_ids,
        isr_nodes=led.in_sync_ids,
        eligible_leader_replicas=[],
        last_known_elr=[],
        offline_replicas=offline(cluster, log),
    )
