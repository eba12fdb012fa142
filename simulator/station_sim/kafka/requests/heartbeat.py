"""Heartbeat: a member says that it lives, and learns whether to join again.

Speaks versions 0 to 4; static members from 3 on.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.consumer import HeartbeatRequest, HeartbeatResponse

from station_sim.kafka.group_messages import Identity
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = HeartbeatRequest
RESPONSE = HeartbeatResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """REBALANCE_IN_PROGRESS, or why the member is none."""
    identity = Identity(request.member_id, request.group_instance_id)
    error = cluster.groups.heartbeat(request.group_id, identity, request.generation_id)
    return RESPONSE(error_code=error)
