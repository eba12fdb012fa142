"""ListConfigResources: what has settings: nodes with their loggers, and topics.

Speaks versions 0 and 1. Version 0 asks for client metrics alone, of which there are none; groups
have no settings here either.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import ListConfigResourcesRequest, ListConfigResourcesResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.config_changes import RESOURCE_BROKER, RESOURCE_TOPIC
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = ListConfigResourcesRequest
RESPONSE = ListConfigResourcesResponse

RESOURCE_LOGGER, RESOURCE_CLIENT_METRICS, RESOURCE_GROUP = 8, 16, 32
KNOWN = frozenset(
    {RESOURCE_TOPIC, RESOURCE_BROKER, RESOURCE_LOGGER, RESOURCE_CLIENT_METRICS, RESOURCE_GROUP}
)

_FIRST_VERSION_WITH_TYPES = 1


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The resources of the wanted types; of all types if none is named."""
    if context.version < _FIRST_VERSION_WITH_TYPES:
        return RESPONSE(error_code=ErrorCode.NONE, config_resources=[])
    wanted = set(request.resource_types) or KNOWN
    if not wanted <= KNOWN:
        return RESPONSE(error_code=ErrorCode.UNSUPPORTED_VERSION, config_resources=[])
    return RESPONSE(
        error_code=ErrorCode.NONE,
        config_resources=[
            RESPONSE.ConfigResource(resource_name=name, resource_type=kind)
            for kind, name in _resources(cluster)
            if kind in wanted
        ],
    )


def _resources(cluster: "Cluster") -> Iterator[tuple[int, str]]:
    for node_id in cluster.nodes:
        yield RESOURCE_LOGGER, str(node_id)
        yield RESOURCE_BROKER, str(node_id)
    for topic in cluster.topics:
        yield RESOURCE_TOPIC, topic.name
