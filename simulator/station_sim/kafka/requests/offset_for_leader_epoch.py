"""OffsetForLeaderEpoch: where a leader epoch's records end, for consumers that look for losses.

Speaks versions 2 to 4. Only the leader answers. Which epoch ends where is in `leader_epochs.py`.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.consumer import OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.leader_epochs import UNKNOWN_END
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = OffsetForLeaderEpochRequest
RESPONSE = OffsetForLeaderEpochResponse

_TOPIC = RESPONSE.OffsetForLeaderTopicResult
_PARTITION = _TOPIC.EpochEndOffset


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The end of one epoch for each partition."""
    return RESPONSE(
        throttle_time_ms=0,
        topics=[
            _TOPIC(
                topic=topic.topic,
                partitions=[
                    _answer(cluster, topic.topic, asked, context) for asked in topic.partitions
                ],
            )
            for topic in request.topics
        ],
    )


def _answer(cluster: "Cluster", topic: str, asked: Any, context: RequestContext) -> Any:
    code, end = ErrorCode.NONE, UNKNOWN_END
    try:
        log = cluster.topics.require(topic, asked.partition)
        context.node.check_leads(log, asked.current_leader_epoch)
        end = log.epochs.end_of(asked.leader_epoch, log.end_offset)
    except RefusalError as refused:
        code = refused.code
    return _PARTITION(
        error_code=code,
        partition=asked.partition,
        leader_epoch=end.epoch,
        end_offset=end.end_offset,
    )
