"""ElectLeaders: let partitions be led by their preferred replica, or by any that is in sync.

Speaks versions 0 to 2. An unclean election finds nobody here: a replica out of sync is one whose
node is gone.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import ElectLeadersRequest, ElectLeadersResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.replicas import NO_LEADER
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = ElectLeadersRequest
RESPONSE = ElectLeadersResponse

PREFERRED, UNCLEAN = 0, 1
_TEXTS = {
    ErrorCode.ELECTION_NOT_NEEDED: "Leader election not needed for topic partition.",
    ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE: "The preferred leader was not available.",
    ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE: (
        "Eligible topic partition leaders are not available."
    ),
}

_TOPIC = RESPONSE.ReplicaElectionResult
_PARTITION = _TOPIC.PartitionResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each partition; if all are meant, for those that an election was held for."""
    kind = request.election_type if context.version > 0 else PREFERRED
    if kind not in (PREFERRED, UNCLEAN):
        return RESPONSE(error_code=ErrorCode.INVALID_REQUEST)
    results = []
    for topic, partitions in _wanted(cluster, request):
        found = [_elect(cluster, topic, index, kind) for index in partitions]
        if request.topic_partitions is None:
            found = [each for each in found if each.error_code != ErrorCode.ELECTION_NOT_NEEDED]
        results.append(_TOPIC(topic=topic, partition_result=found))
    return RESPONSE(error_code=ErrorCode.NONE, replica_election_results=results)


def _wanted(cluster: "Cluster", request: Any) -> Iterator[tuple[str, list[int]]]:
    if request.topic_partitions is None:
        for known in cluster.topics:
            yield known.name, list(range(len(known.partitions)))
    else:
        for asked in request.topic_partitions:
            yield asked.topic, list(asked.partitions)


def _elect(cluster: "Cluster", topic: str, index: int, kind: int) -> Any:
    log = cluster.topics.partition(topic, index)
    if log is None:
        text = f"No such partition as {topic}-{index}"
        if topic not in cluster.topics:
            text = f"No such topic as {topic}"
        code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return _PARTITION(partition_id=index, error_code=code, error_message=text)
    code = _elect_for(cluster, log, kind)
    return _PARTITION(partition_id=index, error_code=code, error_message=_TEXTS.get(code))


def _elect_for(cluster: "Cluster", log: PartitionLog, kind: int) -> ErrorCode:
    replicas = log.replicas
    wanted = (
        replicas.leader_id != NO_LEADER
        if kind == UNCLEAN
        else (replicas.leader_id == replicas.preferred_id)
    )
    if wanted:
        return ErrorCode.ELECTION_NOT_NEEDED
    if kind == UNCLEAN:
        if cluster.elections.elect_unclean(log):
            return ErrorCode.NONE
        return ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE
    if cluster.elections.elect_preferred(log):
        return ErrorCode.NONE
    return ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE
