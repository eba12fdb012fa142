"""ApiVersions: which requests in which versions this broker speaks.

Speaks versions 0 to 4. A newer version is answered with version 0, error 35 and the table, from
which clients learn to ask again. Names no features: there are none to finalise.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

VERSIONS = (0, 4)
REQUEST = ApiVersionsRequest
RESPONSE = ApiVersionsResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The table; `request` is None when its version is not known."""
    return RESPONSE(
        error_code=ErrorCode.UNSUPPORTED_VERSION if request is None else ErrorCode.NONE,
        api_keys=[
            RESPONSE.ApiVersion(
                api_key=kind.api_key, min_version=kind.advertised[0], max_version=kind.advertised[1]
            )
            for kind in cluster.kinds.values()
        ],
    )
