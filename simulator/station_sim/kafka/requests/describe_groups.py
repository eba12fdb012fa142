"""DescribeGroups: a group's state and who belongs to it.

Speaks versions 0 to 6. A group that does not exist is `Dead`, from 6 on with an error. Members'
metadata are only shown while the group is stable. Everybody may do everything.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DescribeGroupsRequest, DescribeGroupsResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group import Group
from station_sim.kafka.group_states import GroupState
from station_sim.kafka.members import Member
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = DescribeGroupsRequest
RESPONSE = DescribeGroupsResponse

GROUP_OPERATIONS = frozenset({3, 6, 8, 10, 11})
"""Read, delete, describe, describe configs, alter configs: what can be done to a group."""

_FIRST_VERSION_WITH_OPERATIONS = 3
_FIRST_VERSION_WITH_MISSING = 6

_GROUP = RESPONSE.DescribedGroup


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One description for each group."""
    with_operations = (
        context.version >= _FIRST_VERSION_WITH_OPERATIONS and request.include_authorized_operations
    )
    described = []
    for group_id in request.groups:
        group = cluster.groups.get(group_id)
        answer = _missing(group_id, context) if group is None else _describe(group)
        if with_operations and not answer.error_code:
            answer.authorized_operations = set(GROUP_OPERATIONS)
        described.append(answer)
    return RESPONSE(groups=described)


def _missing(group_id: str, context: RequestContext) -> Any:
    is_error = context.version >= _FIRST_VERSION_WITH_MISSING
    return _GROUP(
        error_code=ErrorCode.GROUP_ID_NOT_FOUND if is_error else ErrorCode.NONE,
        error_message=f"Group {group_id} not found." if is_error else None,
        group_id=group_id,
        group_state=GroupState.DEAD.value,
        protocol_type="",
        protocol_data="",
        members=[],
    )


def _describe(group: Group) -> Any:
    protocol_name = group.protocol_name if group.state is GroupState.STABLE else None
    return _GROUP(
        error_code=ErrorCode.NONE,
        error_message=None,
        group_id=group.group_id,
        group_state=group.state.value,
        protocol_type=group.protocol_type or "",
        protocol_data=protocol_name or "",
        members=[_member(member, protocol_name) for member in group.members],
    )


def _member(member: Member, protocol_name: str | None) -> Any:
    return _GROUP.DescribedGroupMember(
        member_id=member.member_id,
        group_instance_id=member.instance_id,
        client_id=member.join.client_id,
        client_host=member.join.client_host,
        member_metadata=b"" if protocol_name is None else member.metadata(protocol_name),
        member_assignment=member.assignment,
    )
