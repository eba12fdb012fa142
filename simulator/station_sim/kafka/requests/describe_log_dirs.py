"""DescribeLogDirs: how many bytes each partition keeps.

Speaks versions 1 to 4. There is one log directory, which has a name and no size.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DescribeLogDirsRequest, DescribeLogDirsResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = DescribeLogDirsRequest
RESPONSE = DescribeLogDirsResponse

LOG_DIR = "/simulated"
UNKNOWN_BYTES = -1

_RESULT = RESPONSE.DescribeLogDirsResult
_TOPIC = _RESULT.DescribeLogDirsTopic


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The directory with the wanted partitions; null wants all, what is not there is left out."""
    wanted = None
    if request.topics is not None:
        wanted = {(asked.topic, index) for asked in request.topics for index in asked.partitions}
    topics = []
    for topic in cluster.topics:
        partitions = [
            _TOPIC.DescribeLogDirsPartition(
                partition_index=log.partition,
                partition_size=log.size_bytes,
                offset_lag=0,
                is_future_key=False,
            )
            for log in topic.partitions
            if wanted is None or (topic.name, log.partition) in wanted
        ]
        if partitions:
            topics.append(_TOPIC(name=topic.name, partitions=partitions))
    found = _RESULT(
        error_code=ErrorCode.NONE,
        log_dir=LOG_DIR,
        topics=topics,
        total_bytes=UNKNOWN_BYTES,
        usable_bytes=UNKNOWN_BYTES,
    )
    return RESPONSE(error_code=ErrorCode.NONE, results=[found])
