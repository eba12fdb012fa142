"""ListOffsets: a log's ends, and the first offset at or after a time.

Speaks versions 1 to 10. Besides times: -1 the end, -2 the start, -3 the newest record, -4 the start
of what is local (here the start), -5 the end of what is tiered (here nothing). Readers of committed
records are shown the log up to its last stable offset.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.consumer import ListOffsetsRequest, ListOffsetsResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = ListOffsetsRequest
RESPONSE = ListOffsetsResponse

READ_COMMITTED = 1
"""The isolation level of readers that see no open transaction."""

LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED = -1, -2, -3, -4, -5

_SINCE_VERSION = {LATEST: 0, EARLIEST: 0, MAX_TIMESTAMP: 7, EARLIEST_LOCAL: 8, LATEST_TIERED: 9}
"""The version from which on a special value may be asked for."""

_TOPIC = RESPONSE.ListOffsetsTopicResponse
_PARTITION = _TOPIC.ListOffsetsPartitionResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One offset for each partition."""
    committed = request.isolation_level == READ_COMMITTED
    return RESPONSE(
        topics=[
            _TOPIC(
                name=topic.name,
                partitions=[
                    _answer(cluster, topic.name, asked, context, committed)
                    for asked in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


def _answer(
    cluster: "Cluster", topic: str, asked: Any, context: RequestContext, committed: bool
) -> Any:
    index = asked.partition_index
    try:
        if asked.timestamp < 0 and context.version < _SINCE_VERSION.get(asked.timestamp, 1 << 15):
            raise RefusalError(ErrorCode.UNSUPPORTED_VERSION)
        log = cluster.topics.require(topic, index)
        context.node.check_leads(log, asked.current_leader_epoch)
        end_offset = log.last_stable_offset if committed else log.high_watermark
        found = look_up(log, asked.timestamp, end_offset)
    except RefusalError as refused:
        return _PARTITION(partition_index=index, error_code=refused.code, timestamp=-1, offset=-1)
    if found is None:
        return _PARTITION(partition_index=index, error_code=0, timestamp=-1, offset=-1)
    offset, timestamp_ms = found
    return _PARTITION(
        partition_index=index,
        error_code=0,
        timestamp=timestamp_ms,
        offset=offset,
        leader_epoch=_epoch_of(log, asked.timestamp, offset),
    )


def _epoch_of(log: PartitionLog, timestamp_ms: int, offset: int) -> int:
    """The leader epoch that an offset is of; the log's end is of the one that is writing."""
    return log.leader_epoch if timestamp_ms == LATEST else log.epochs.epoch_at(offset)


def look_up(log: PartitionLog, timestamp_ms: int, end_offset: int) -> tuple[int, int] | None:
    """Offset and time for a time or one of the special values, in the log up to `end_offset`.

    None if there is no such record.
    """
    if timestamp_ms == LATEST:
        return end_offset, -1
    if timestamp_ms in (EARLIEST, EARLIEST_LOCAL):
        return log.log_start_offset, -1
    if timestamp_ms == LATEST_TIERED:
        return None
    found = log.newest_record() if timestamp_ms == MAX_TIMESTAMP else log.offset_at(timestamp_ms)
    return None if found is None or found[0] >= end_offset else found
