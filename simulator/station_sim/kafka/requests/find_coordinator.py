"""FindCoordinator: which broker keeps a group or a transactional id. It is always this one.

Speaks versions 0 to 6, from 4 on with many keys at once. Share groups (key type 2) and unknown key
types are refused. Apache Kafka answers COORDINATOR_NOT_AVAILABLE until its offsets topic is made;
this broker has no such topic.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.metadata import FindCoordinatorRequest, FindCoordinatorResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

VERSIONS = (0, 6)
REQUEST = FindCoordinatorRequest
RESPONSE = FindCoordinatorResponse

GROUP, TRANSACTION = 0, 1
_FIRST_VERSION_WITH_KEYS = 4


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """This broker's address, for each key."""
    node = cluster.controller
    place = {"node_id": node.node_id, "host": node.advertised_host, "port": node.port}
    error = ErrorCode.NONE
    if context.version > 0 and request.key_type not in (GROUP, TRANSACTION):
        place = {"node_id": -1, "host": "", "port": -1}
        error = ErrorCode.INVALID_REQUEST
    if context.version < _FIRST_VERSION_WITH_KEYS:
        return RESPONSE(error_code=error, error_message=error.name, **place)
    return RESPONSE(
        coordinators=[
            RESPONSE.Coordinator(key=key, error_code=error, error_message="", **place)
            for key in request.coordinator_keys
        ]
    )
