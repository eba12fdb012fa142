"""FindCoordinator: which node keeps a group or a transactional id, see `coordinators.py`.

Speaks versions 0 to 6, from 4 on with many keys at once. Share groups (key type 2) and unknown key
types are refused. Apache Kafka answers COORDINATOR_NOT_AVAILABLE until its offsets topic is made;
here it is answered while no replica of the key's partition lives.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.metadata import FindCoordinatorRequest, FindCoordinatorResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.replicas import NO_LEADER
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = FindCoordinatorRequest
RESPONSE = FindCoordinatorResponse

GROUP, TRANSACTION = 0, 1
_FIRST_VERSION_WITH_KEYS = 4


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The coordinator's address, for each key."""
    key_type = request.key_type if context.version > 0 else GROUP
    if context.version < _FIRST_VERSION_WITH_KEYS:
        place = _place(cluster, context, key_type, request.key)
        return RESPONSE(error_message=place["error_code"].name, **place)
    return RESPONSE(
        coordinators=[
            RESPONSE.Coordinator(
                key=key, error_message="", **_place(cluster, context, key_type, key)
            )
            for key in request.coordinator_keys
        ]
    )


def _place(cluster: "Cluster", context: RequestContext, key_type: int, key: str) -> dict[str, Any]:
    nowhere = {"node_id": -1, "host": "", "port": -1}
    if key_type == GROUP:
        replicas = cluster.coordinators.of_group(key)
    elif key_type == TRANSACTION:
        replicas = cluster.coordinators.of_transaction(key)
    else:
        return {"error_code": ErrorCode.INVALID_REQUEST, **nowhere}
    old = context.node.view.outdated(replicas)
    leader_id = replicas.leader_id if old is None else old.leader_id
    if leader_id == NO_LEADER:
        return {"error_code": ErrorCode.COORDINATOR_NOT_AVAILABLE, **nowhere}
    node = cluster.nodes[leader_id]
    return {
        "error_code": ErrorCode.NONE,
        "node_id": node.node_id,
        "host": node.advertised_host,
        "port": node.port,
    }
