"""InitProducerId: an id for an idempotent producer, or the producer of a transactional id.

Speaks versions 0 to 5; from 3 on a client may name the producer with which it goes on after an
error. Who is fenced is decided in `transactions.py`; clients older than version 4 are told so as
INVALID_PRODUCER_EPOCH.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.producer import InitProducerIdRequest, InitProducerIdResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.add_partitions_to_txn import told_fence
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.transaction import NO_EPOCH, NO_PRODUCER, NO_PRODUCER_ID, Producer

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = InitProducerIdRequest
RESPONSE = InitProducerIdResponse


_FIRST_VERSION_WITH_FENCED = 4


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """A producer id and its epoch; a fresh id at epoch 0 without a transactional id."""
    expected = Producer(request.producer_id, request.producer_epoch)
    if (expected.producer_id == NO_PRODUCER_ID) != (expected.epoch == NO_EPOCH):
        return _response(ErrorCode.INVALID_REQUEST, NO_PRODUCER)
    if request.transactional_id is None:
        return _response(ErrorCode.NONE, Producer(cluster.producers.take(), 0))
    answer = cluster.transactions.initialise(
        request.transactional_id,
        request.transaction_timeout_ms,
        None if expected == NO_PRODUCER else expected,
    )
    error = told_fence(answer.error, context.version, _FIRST_VERSION_WITH_FENCED)
    return _response(error, answer.producer)


def _response(error: ErrorCode, producer: Producer) -> Any:
    return RESPONSE(
        error_code=error, producer_id=producer.producer_id, producer_epoch=producer.epoch
    )
