"""ListPartitionReassignments: those under way, which are none, for each is done at once.

Speaks version 0.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsResponse,
)

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = ListPartitionReassignmentsRequest
RESPONSE = ListPartitionReassignmentsResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """None."""
    return RESPONSE(error_code=ErrorCode.NONE, error_message=None, topics=[])
