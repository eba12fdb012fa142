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
        producer = Producer(request.v3_and_below_producer_id, request.v3_and_below_producer_epoch)
        transactional_id = request.v3_and_below_transactional_id

        def add(partitions: list[TopicPartition]) -> ErrorCode:
            error = cluster.transactions.add(transactional_id, producer, partitions)
            return told_fence(error, context.version, _FIRST_VERSION_WITH_FENCED)

        topics = _add_all(cluster, request.v3_and_below_topics, add)
        return RESPONSE(results_by_topic_v3_and_below=topics)
    return RESPONSE(
        error_code=ErrorCode.NONE,
        results_by_transaction=[_transaction(cluster, asked) for asked in request.transactions],
    )


def told_fence(error: ErrorCode, version: int, first_version: int) -> ErrorCode:
    """PRODUCER_FENCED as clients know it that are older than `first_version`."""
    if error is ErrorCode.PRODUCER_FENCED and version < first_version:
        return ErrorCode.INVALID_PRODUCER_EPOCH
    return error


def _transaction(cluster: "Cluster", asked: Any) -> Any:
    producer = Producer(asked.producer_id, asked.producer_epoch)
    transactional_id = asked.transactional_id
    transactions = cluster.transactions
    if asked.verify_only:
        topics = _answer(
            asked.topics,
            lambda partition: transactions.verify(transactional_id, producer, partition),
        )
    else:
        topics = _add_all(
            cluster,
            asked.topics,
            lambda partitions: transactions.add(transactional_id, producer, partitions),
        )
    return _TRANSACTION(transactional_id=transactional_id, topic_results=topics)


def _add_all(
    cluster: "Cluster", topics: Any, add: Callable[[list[TopicPartition]], ErrorCode]
) -> list[Any]:
    wanted = [(topic.name, index) for topic in topics for index in topic.partitions]
    missing = {pair for pair in wanted if cluster.topics.partition(*pair) is None}
    if not missing:
        error = add(wanted)
        return _answer(topics, lambda _: error)
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
