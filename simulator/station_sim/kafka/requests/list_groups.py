"""ListGroups: the names of all groups.

Speaks versions 0 to 5: chosen by state from 4 on, by type from 5 on. All groups here are of the
classic type.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import ListGroupsRequest, ListGroupsResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = ListGroupsRequest
RESPONSE = ListGroupsResponse

CLASSIC = "classic"


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The groups of the wanted states and types, in the order they were made."""
    states = {state.lower() for state in request.states_filter or ()}
    types = {name.lower() for name in request.types_filter or ()}
    return RESPONSE(
        error_code=ErrorCode.NONE,
        groups=[
            RESPONSE.ListedGroup(
                group_id=group.group_id,
                protocol_type=group.protocol_type or "",
                group_state=group.state.value,
                group_type=CLASSIC,
            )
            for group in cluster.groups
            if (not states or group.state.value.lower() in states)
            and (not types or CLASSIC in types)
        ],
    )
