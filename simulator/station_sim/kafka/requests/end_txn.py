"""EndTxn: a producer commits or aborts its transaction.

Speaks versions 0 to 5; from 5 on (KIP-890) the answer has the producer to go on with. Old clients
(0 and 1) are told of a fence as INVALID_PRODUCER_EPOCH.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.producer import EndTxnRequest, EndTxnResponse

from station_sim.kafka.requests.add_partitions_to_txn import told_fence
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.transaction import Producer

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = EndTxnRequest
RESPONSE = EndTxnResponse

_FIRST_VERSION_WITH_FENCED = 2
_FIRST_VERSION_WITH_BUMP = 5


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """An error code, and the producer at its new epoch."""
    answer = cluster.transactions.end(
        request.transactional_id,
        Producer(request.producer_id, request.producer_epoch),
        commit=request.committed,
        bump=context.version >= _FIRST_VERSION_WITH_BUMP,
    )
    return RESPONSE(
        error_code=told_fence(answer.error, context.version, _FIRST_VERSION_WITH_FENCED),
        producer_id=answer.producer.producer_id,
        producer_epoch=answer.producer.epoch,
    )
