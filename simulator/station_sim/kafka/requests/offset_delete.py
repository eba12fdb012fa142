"""OffsetDelete: a group forgets offsets of topics that none of its members is subscribed to.

Speaks version 0. Partitions that do not exist are answered as such if the group is there.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.consumer import OffsetDeleteRequest, OffsetDeleteResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = OffsetDeleteRequest
RESPONSE = OffsetDeleteResponse

_TOPIC = RESPONSE.OffsetDeleteResponseTopic
_PARTITION = _TOPIC.OffsetDeleteResponsePartition


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One error code for each partition, or one for the group."""
    error = cluster.groups.check_delete_offsets(request.group_id)
    if error:
        return RESPONSE(error_code=error, topics=[])
    return RESPONSE(
        error_code=ErrorCode.NONE,
        topics=[
            _TOPIC(
                name=topic.name,
                partitions=[
                    _PARTITION(
                        partition_index=partition.partition_index,
                        error_code=_delete(
                            cluster, request.group_id, topic.name, partition.partition_index
                        ),
                    )
                    for partition in topic.partitions
                ],
            )
            for topic in request.topics
        ],
    )


def _delete(cluster: "Cluster", group_id: str, topic: str, partition: int) -> ErrorCode:
    if cluster.topics.partition(topic, partition) is None:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return cluster.groups.delete_offset(group_id, topic, partition)
