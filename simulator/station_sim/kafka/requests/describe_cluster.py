"""DescribeCluster: the cluster's id and its nodes.

Speaks versions 0 to 2; controllers (endpoint type 2) cannot be reached by clients here.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DescribeClusterRequest, DescribeClusterResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.metadata import known_nodes

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = DescribeClusterRequest
RESPONSE = DescribeClusterResponse

ENDPOINT_BROKERS = 1
_MISMATCHED_ENDPOINT_TYPE = 114


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """All nodes that live."""
    if context.version >= 1 and request.endpoint_type != ENDPOINT_BROKERS:
        return RESPONSE(
            error_code=_MISMATCHED_ENDPOINT_TYPE,
            error_message="The request was sent to an endpoint of the wrong type.",
            endpoint_type=ENDPOINT_BROKERS,
        )
    return RESPONSE(
        error_code=ErrorCode.NONE,
        endpoint_type=ENDPOINT_BROKERS,
        cluster_id=cluster.cluster_id,
        controller_id=cluster.controller.node_id,
        brokers=[
            RESPONSE.DescribeClusterBroker(
                broker_id=node.node_id, host=node.advertised_host, port=node.port, rack=None
            )
            for node in known_nodes(cluster, context.node)
        ],
    )
