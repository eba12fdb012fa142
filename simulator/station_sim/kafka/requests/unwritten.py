"""What a request is answered whose effect could not be written down, as on a full disk.

Produce tells it of each partition by itself. Coordinators in Apache Kafka say that they are none,
so that clients look for another, and ask again.
"""

from typing import TYPE_CHECKING, Any

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.registry import Kind
from station_sim.kafka.requests.shapes import refuse

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

_OF_COORDINATORS = frozenset(
    {
        "AddOffsetsToTxn",
        "AddPartitionsToTxn",
        "DeleteGroups",
        "EndTxn",
        "Heartbeat",
        "JoinGroup",
        "LeaveGroup",
        "OffsetCommit",
        "OffsetDelete",
        "OffsetFetch",
        "SyncGroup",
        "TxnOffsetCommit",
    }
)


def handle(kind: Kind, cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """What the handler of a kind says, or that its effect could not be written down."""
    try:
        return kind.handle(cluster, request, context)
    except RefusalError as refused:
        if refused.code is not ErrorCode.KAFKA_STORAGE_ERROR:
            raise
        return refuse(kind.name, request, kind.response, _told(kind.name, request))


def _told(kind: str, request: Any) -> ErrorCode:
    if kind == "InitProducerId" and request.transactional_id is None:
        return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS  # as where no block of ids can be had
    if kind in _OF_COORDINATORS or kind == "InitProducerId":
        return ErrorCode.NOT_COORDINATOR
    return ErrorCode.KAFKA_STORAGE_ERROR
