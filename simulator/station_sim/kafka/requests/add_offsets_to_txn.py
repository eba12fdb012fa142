"""AddOffsetsToTxn: the offsets of a group take part in a producer's transaction.

Speaks versions 0 to 4. Old clients (0 and 1) are told of a fence as INVALID_PRODUCER_EPOCH.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.producer import AddOffsetsToTxnRequest, AddOffsetsToTxnResponse

from station_sim.kafka.coordinator_partitions import OFFSETS_TOPIC
from station_sim.kafka.requests.add_partitions_to_txn import told_fence
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.transaction import Producer

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = AddOffsetsToTxnRequest
RESPONSE = AddOffsetsToTxnResponse

_FIRST_VERSION_WITH_FENCED = 2


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """An error code."""
    error = cluster.transactions.add(
        request.transactional_id,
        Producer(request.producer_id, request.producer_epoch),
        [(OFFSETS_TOPIC, cluster.groups.partition_for(request.group_id))],
    )
    return RESPONSE(error_code=told_fence(error, context.version, _FIRST_VERSION_WITH_FENCED))
