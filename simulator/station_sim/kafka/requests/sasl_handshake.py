"""SaslHandshake: the client names its mechanism.

Speaks versions 0 and 1; after version 0 the tokens come without any request around them. On a
connection that needs no authentication, or has it, it is refused.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.sasl import SaslHandshakeRequest, SaslHandshakeResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.parked import answered_late
from station_sim.kafka.sasl.authentication import Stage

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = SaslHandshakeRequest
RESPONSE = SaslHandshakeResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The mechanisms there are, and whether the one named is among them."""
    authentication = context.connection.authentication
    if authentication is None or authentication.stage is Stage.DONE:
        return RESPONSE(error_code=ErrorCode.ILLEGAL_SASL_STATE, mechanisms=[])
    mechanisms = authentication.mechanisms
    if authentication.begin(request.mechanism, raw_tokens=context.version == 0):
        return RESPONSE(error_code=ErrorCode.NONE, mechanisms=mechanisms)
    refusal = RESPONSE(error_code=ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms=mechanisms)
    return answered_late(refusal, cluster.settings.connection_failed_authentication_delay_ms)
