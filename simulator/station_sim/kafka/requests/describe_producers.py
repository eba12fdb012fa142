"""DescribeProducers: what partitions know of idempotent and transactional producers.

Speaks version 0.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DescribeProducersRequest, DescribeProducersResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.topics import check_name

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = DescribeProducersRequest
RESPONSE = DescribeProducersResponse

_NO_OFFSET = -1

_TOPIC = RESPONSE.TopicResponse
_PARTITION = _TOPIC.PartitionResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The producers of each partition."""
    return RESPONSE(
        topics=[
            _TOPIC(
                name=topic.name,
                partitions=[
                    _describe(cluster, topic.name, index) for index in topic.partition_indexes
                ],
            )
            for topic in request.topics
        ]
    )


def _describe(cluster: "Cluster", topic: str, index: int) -> Any:
    try:
        check_name(topic)
        log = cluster.topics.require(topic, index)
    except RefusalError as refused:
        is_of_topic = topic not in cluster.topics
        return _PARTITION(
            partition_index=index,
            error_code=refused.code,
            error_message=refused.message if is_of_topic else None,
        )
    return _PARTITION(
        partition_index=index,
        error_code=ErrorCode.NONE,
        active_producers=_producers(log, cluster.now_ms()),
    )


def _producers(log: PartitionLog, now_ms: int) -> list[Any]:
    found = []
    for producer_id, known in log.producers.known(now_ms):
        first_offset = log.transactions.first_offset_of(producer_id)
        found.append(
            _PARTITION.ProducerState(
                producer_id=producer_id,
                producer_epoch=known.epoch,
                last_sequence=known.last_sequence,
                last_timestamp=known.last_timestamp_ms,
                coordinator_epoch=known.coordinator_epoch,
                current_txn_start_offset=_NO_OFFSET if first_offset is None else first_offset,
            )
        )
    return found
