"""AddPartitionsToTxn: partitions take part in a producer's transaction.

Speaks versions 0 to 5; from 4 on for several transactions at once, or only to ask whether the
partitions take part, which brokers do among themselves. One partition that does not exist refuses
all of its transaction. Old clients (0 and 1) are told of a fence as INVALID_PRODUCER_EPOCH.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kafka.protocol.producer import AddPartitionsToTxnRequest, AddPartitionsToTxnResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.transaction import Producer, TopicPartition

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = AddPartitionsToTxnRequest
RESPONSE = AddPartitionsToTxnResponse

_FIRST_VERSION_WITH_FENCED = 2
_FIRST_VERSION_WITH_TRANSACTIONS = 4

_TRANSACTION = RESPONSE.AddPartitionsToTxnResult
_TOPIC = RESPONSE.AddPartitionsToTxnTopicResult
_PARTITION = _TOPIC.AddPartitionsToTxnPartitionResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One error code for each partition."""
    if context.version < _FIRST_VERSION_WITH_TRANSACTIONS:
        return RESPONSE(results_by_topic_v3_and_below=_one_transaction(cluster, request, context))
    return RESPONSE(
        error_code=ErrorCode.NONE,
        results_by_transaction=[_transaction(cluster, asked) for asked in request.transactions],
    )


def _one_transaction(cluster: "Cluster", request: Any, context: RequestContext) -> list[Any]:
    topics = request.v3_and_below_topics
    refused = _answer_missing(cluster, topics)
    if refused is not None:
        return refused
    producer = Producer(request.v3_and_below_producer_id, request.v3_and_below_producer_epoch)
    transactional_id = request.v3_and_below_transactional_id
    error = cluster.transactions.add(transactional_id, producer, _partitions(topics))
    error = told_fence(error, context.version, _FIRST_VERSION_WITH_FENCED)
    return _answer(topics, lambda _: error)


def told_fence(error: ErrorCode, version: int, first_version: int) -> ErrorCode:
    """PRODUCER_FENCED as clients know it that are older than `first_version`."""
    if error is ErrorCode.PRODUCER_FENCED and version < first_version:
        return ErrorCode.INVALID_PRODUCER_EPOCH
    return error


def _transaction(cluster: "Cluster", asked: Any) -> Any:
    producer = Producer(asked.producer_id, asked.producer_epoch)
    transactional_id = asked.transactional_id
    transactions = cluster.transactions
    topics = _answer_missing(cluster, asked.topics)
    if topics is None and asked.verify_only:
        topics = _answer(
            asked.topics,
            lambda partition: transactions.verify(transactional_id, producer, partition),
        )
    elif topics is None:
        error = transactions.add(transactional_id, producer, _partitions(asked.topics))
        topics = _answer(asked.topics, lambda _: error)
    return _TRANSACTION(transactional_id=transactional_id, topic_results=topics)


def _partitions(topics: Any) -> list[TopicPartition]:
    return [(topic.name, index) for topic in topics for index in topic.partitions]


def _answer_missing(cluster: "Cluster", topics: Any) -> list[Any] | None:
    """The refusal of all partitions if one is not there; None if all are."""
    missing = {pair for pair in _partitions(topics) if cluster.topics.partition(*pair) is None}
    if not missing:
        return None
    return _answer(
        topics,
        lambda pair: (
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            if pair in missing
            else ErrorCode.OPERATION_NOT_ATTEMPTED
        ),
    )


def _answer(topics: Any, error_of: Callable[[TopicPartition], ErrorCode]) -> list[Any]:
    return [
        _TOPIC(
            name=topic.name,
            results_by_partition=[
                _PARTITION(
                    partition_index=index, partition_error_code=error_of((topic.name, index))
                )
                for index in topic.partitions
            ],
        )
        for topic in topics
    ]
