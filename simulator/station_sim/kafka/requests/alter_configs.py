"""AlterConfigs: the settings of topics and of the broker, all that are said, at once.

Speaks versions 0 to 2. What is not named goes back to its default.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import AlterConfigsRequest, AlterConfigsResponse

from station_sim.kafka.requests.config_changes import change_all, refuse_duplicates_and_nulls
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = AlterConfigsRequest
RESPONSE = AlterConfigsResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each resource."""
    return RESPONSE(
        responses=[
            RESPONSE.AlterConfigsResourceResponse(
                error_code=code,
                error_message=text,
                resource_type=asked.resource_type,
                resource_name=asked.resource_name,
            )
            for asked, code, text in change_all(cluster, request, context, _replaced)
        ]
    )


def _replaced(asked: Any, said: Mapping[str, str]) -> dict[str, str]:
    nulls = [config.name for config in asked.configs if config.value is None]
    refuse_duplicates_and_nulls(asked.configs, nulls)
    return {config.name: config.value for config in asked.configs}
