"""CreatePartitions: more partitions for topics that are there, or only a check of them.

Speaks versions 0 to 3. Records that are there stay where they are, whatever their keys.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import CreatePartitionsRequest, CreatePartitionsResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.topics import PARTITIONS_MAX

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = CreatePartitionsRequest
RESPONSE = CreatePartitionsResponse

_RESULT = RESPONSE.CreatePartitionsTopicResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each topic; one that comes twice is refused, and left as it is."""
    times_named = Counter(topic.name for topic in request.topics)
    results = []
    room = PARTITIONS_MAX
    for asked in {topic.name: topic for topic in request.topics}.values():
        try:
            if times_named[asked.name] > 1:
                raise RefusalError(ErrorCode.INVALID_REQUEST, "Duplicate topic name.")
            room -= _increase(cluster, asked, room, only_check=request.validate_only)
        except RefusalError as refused:
            is_unknown = refused.code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            text = None if is_unknown else refused.message or None  # Kafka only tells the code
            results.append(_RESULT(name=asked.name, error_code=refused.code, error_message=text))
        else:
            results.append(_RESULT(name=asked.name, error_code=0, error_message=None))
    return RESPONSE(results=results)


def _increase(cluster: "Cluster", asked: Any, room: int, *, only_check: bool) -> int:
    """How many partitions were added; of too many, Kafka has no better word than error -1."""
    assignments = asked.assignments
    if assignments is not None:
        assignments = [list(assignment.broker_ids) for assignment in assignments]
    added = len(cluster.topics.check_increase(asked.name, asked.count, assignments))
    if only_check:
        return 0
    if added > room:
        raise RefusalError(ErrorCode.UNKNOWN_SERVER_ERROR)
    cluster.topics.add_partitions(asked.name, asked.count, assignments)
    return added
