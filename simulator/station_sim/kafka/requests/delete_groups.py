"""DeleteGroups: forget groups without members, with their offsets.

Speaks versions 0 to 2.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DeleteGroupsRequest, DeleteGroupsResponse

from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = DeleteGroupsRequest
RESPONSE = DeleteGroupsResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each group, named once or more."""
    return RESPONSE(
        results=[
            RESPONSE.DeletableGroupResult(
                group_id=group_id, error_code=cluster.groups.delete(group_id)
            )
            for group_id in dict.fromkeys(request.groups_names)
        ]
    )
