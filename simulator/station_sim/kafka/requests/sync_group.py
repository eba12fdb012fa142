"""SyncGroup: the leader hands in everybody's assignment, each member gets its own.

Speaks versions 0 to 5; static members from 3 on, the protocol's type and name are compared from 5
on. The answer waits for the leader, see `rebalance.py`.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.consumer import SyncGroupRequest, SyncGroupResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group_messages import Sync, SyncAnswer
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.parked import parked

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = SyncGroupRequest
RESPONSE = SyncGroupResponse

_FIRST_VERSION_WITH_PROTOCOL = 5


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The member's assignment, when the leader has sent it."""
    if context.version >= _FIRST_VERSION_WITH_PROTOCOL and not _names_protocol(request):
        return _response(SyncAnswer(ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
    sync = Sync(
        request.member_id,
        request.generation_id,
        instance_id=request.group_instance_id,
        protocol_type=request.protocol_type,
        protocol_name=request.protocol_name,
        assignments={a.member_id: bytes(a.assignment) for a in request.assignments},
    )
    return parked(
        lambda reply: cluster.groups.sync(
            request.group_id, sync, lambda answer: reply(_response(answer))
        )
    )


def _names_protocol(request: Any) -> bool:
    return request.protocol_type is not None and request.protocol_name is not None


def _response(answer: SyncAnswer) -> Any:
    return RESPONSE(
        error_code=answer.error,
        protocol_type=answer.protocol_type,
        protocol_name=answer.protocol_name,
        assignment=answer.assignment,
    )
