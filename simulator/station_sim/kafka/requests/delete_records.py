"""DeleteRecords: cuts the head of logs exactly at an offset.

Speaks versions 0 to 2.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DeleteRecordsRequest, DeleteRecordsResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = DeleteRecordsRequest
RESPONSE = DeleteRecordsResponse

_TOPIC = RESPONSE.DeleteRecordsTopicResult
_PARTITION = _TOPIC.DeleteRecordsPartitionResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The new start of each log."""
    return RESPONSE(
        topics=[
            _TOPIC(
                name=topic.name,
                partitions=[
                    _cut(cluster, topic.name, asked, context) for asked in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


def _cut(cluster: "Cluster", topic: str, asked: Any, context: RequestContext) -> Any:
    index = asked.partition_index
    try:
        log = cluster.topics.require(topic, index)
        context.node.check_leads(log)
        low_watermark = log.delete_records(asked.offset)
    except RefusalError as refused:
        return _PARTITION(partition_index=index, low_watermark=-1, error_code=refused.code)
    return _PARTITION(partition_index=index, low_watermark=low_watermark, error_code=ErrorCode.NONE)
