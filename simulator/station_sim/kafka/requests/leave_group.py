"""LeaveGroup: members go, and the others share out anew.

Speaks versions 0 to 5: one member up to 2, from 3 on many, each by its id or its instance id.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.consumer import LeaveGroupRequest, LeaveGroupResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group_messages import Identity
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = LeaveGroupRequest
RESPONSE = LeaveGroupResponse

_FIRST_VERSION_WITH_MEMBERS = 3


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One answer for each member."""
    if not request.group_id:
        return RESPONSE(error_code=ErrorCode.INVALID_GROUP_ID, members=[])
    if context.version < _FIRST_VERSION_WITH_MEMBERS:
        (error,) = cluster.groups.leave(request.group_id, [Identity(request.member_id)])
        return RESPONSE(error_code=error)
    identities = [Identity(m.member_id, m.group_instance_id) for m in request.members]
    errors = cluster.groups.leave(request.group_id, identities)
    return RESPONSE(
        error_code=ErrorCode.NONE,
        members=[
            RESPONSE.MemberResponse(
                member_id=identity.member_id,
                group_instance_id=identity.instance_id,
                error_code=error,
            )
            for identity, error in zip(identities, errors, strict=True)
        ],
    )
