"""JoinGroup: take part in a group's next generation.

Speaks versions 0 to 9: the rebalance timeout is the member's own from 1 on, an id is handed out
before the first join from 4 on, members may be static from 5 on, and from 9 on the leader may be
told to skip the assignment. The answer waits for the other members, see `rebalance.py`.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.consumer import JoinGroupRequest, JoinGroupResponse

from station_sim.kafka.group_messages import Join, JoinAnswer
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.parked import parked

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = JoinGroupRequest
RESPONSE = JoinGroupResponse

_FIRST_VERSION_WITH_REBALANCE_TIMEOUT = 1
_FIRST_VERSION_WITH_MEMBER_ID_REQUIRED = 4
_FIRST_VERSION_WITH_NO_PROTOCOL = 7
_FIRST_VERSION_WITH_SKIPPED_ASSIGNMENT = 9


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The generation the member belongs to, when it is known."""
    version = context.version
    join = _join_of(request, context)
    return parked(
        lambda reply: cluster.groups.join(
            request.group_id, join, lambda answer: reply(_response(answer, version))
        )
    )


def _join_of(request: Any, context: RequestContext) -> Join:
    version = context.version
    own_timeout = version >= _FIRST_VERSION_WITH_REBALANCE_TIMEOUT
    return Join(
        member_id=request.member_id,
        client_id=context.client_id or "",
        client_host=context.client_host,
        session_timeout_ms=request.session_timeout_ms,
        rebalance_timeout_ms=(
            request.rebalance_timeout_ms if own_timeout else request.session_timeout_ms
        ),
        protocol_type=request.protocol_type,
        protocols=tuple((p.name, bytes(p.metadata)) for p in request.protocols),
        instance_id=request.group_instance_id,
        needs_member_id=version >= _FIRST_VERSION_WITH_MEMBER_ID_REQUIRED,
        may_skip_assignment=version >= _FIRST_VERSION_WITH_SKIPPED_ASSIGNMENT,
    )


def _response(answer: JoinAnswer, version: int) -> Any:
    without = None if version >= _FIRST_VERSION_WITH_NO_PROTOCOL else ""
    return RESPONSE(
        error_code=answer.error,
        generation_id=answer.generation_id,
        protocol_type=answer.protocol_type,
        protocol_name=without if answer.protocol_name is None else answer.protocol_name,
        leader=answer.leader_id or "",
        skip_assignment=answer.skip_assignment,
        member_id=answer.member_id,
        members=[
            RESPONSE.JoinGroupResponseMember(
                member_id=member.member_id,
                group_instance_id=member.instance_id,
                metadata=member.metadata,
            )
            for member in answer.members
        ],
    )
