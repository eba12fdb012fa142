"""InitProducerId: an id for an idempotent producer.

Speaks versions 0 to 5. Transactions are not part of this broker: a transactional id is refused with
an error that clients take as final.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.producer import InitProducerIdRequest, InitProducerIdResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

VERSIONS = (0, 5)
REQUEST = InitProducerIdRequest
RESPONSE = InitProducerIdResponse


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """A fresh id at epoch 0."""
    if request.transactional_id is not None:
        code = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        return RESPONSE(error_code=code, producer_id=-1, producer_epoch=-1)
    return RESPONSE(
        error_code=ErrorCode.NONE, producer_id=cluster.producers.take(), producer_epoch=0
    )
