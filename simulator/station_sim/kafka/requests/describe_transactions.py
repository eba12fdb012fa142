"""DescribeTransactions: where transactional ids stand, and what takes part in their transactions.

Speaks version 0.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DescribeTransactionsRequest, DescribeTransactionsResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.transaction import Transaction

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = DescribeTransactionsRequest
RESPONSE = DescribeTransactionsResponse

_STATE = RESPONSE.TransactionState


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One description for each id."""
    return RESPONSE(
        transaction_states=[
            _describe(transactional_id, cluster.transactions.get(transactional_id))
            for transactional_id in request.transactional_ids
        ]
    )


def _describe(transactional_id: str, known: Transaction | None) -> Any:
    if known is None:
        is_named = bool(transactional_id)
        return _STATE(
            error_code=(
                ErrorCode.TRANSACTIONAL_ID_NOT_FOUND if is_named else ErrorCode.INVALID_REQUEST
            ),
            transactional_id=transactional_id,
        )
    topics: dict[str, list[int]] = {}
    for topic, partition in known.partitions:
        topics.setdefault(topic, []).append(partition)
    return _STATE(
        error_code=ErrorCode.NONE,
        transactional_id=transactional_id,
        transaction_state=known.state.value,
        transaction_timeout_ms=known.timeout_ms,
        transaction_start_time_ms=known.started_at_ms,
        producer_id=known.producer_id,
        producer_epoch=known.epoch,
        topics=[
            _STATE.TopicData(topic=topic, partitions=partitions)
            for topic, partitions in topics.items()
        ],
    )
