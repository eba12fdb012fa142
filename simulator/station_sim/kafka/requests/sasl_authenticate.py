"""SaslAuthenticate: the mechanism's tokens, one at a time.

Speaks versions 0 to 2; from version 1 the answer tells how long the session lasts. A failure is
answered after a delay, with Kafka's text, and ends the connection.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.sasl import SaslAuthenticateRequest, SaslAuthenticateResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.parked import answered_late
from station_sim.kafka.sasl.authentication import FailedError, Stage

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = SaslAuthenticateRequest
RESPONSE = SaslAuthenticateResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The broker's next token, or why there is none."""
    authentication = context.connection.authentication
    if authentication is None or authentication.stage is Stage.DONE:
        return RESPONSE(
            error_code=ErrorCode.ILLEGAL_SASL_STATE,
            error_message="SaslAuthenticate request received after successful authentication",
            auth_bytes=b"",
        )
    try:
        token = authentication.answer(bytes(request.auth_bytes), may_renew=context.version > 0)
    except FailedError as error:
        refusal = None
        if error.message is not None:
            refusal = RESPONSE(
                error_code=ErrorCode.SASL_AUTHENTICATION_FAILED,
                error_message=error.message,
                auth_bytes=b"",
            )
        return answered_late(refusal, cluster.settings.connection_failed_authentication_delay_ms)
    return RESPONSE(
        error_code=ErrorCode.NONE,
        error_message="",
        auth_bytes=token,
        session_lifetime_ms=authentication.session_lifetime_ms,
    )
