"""Produce: record batches to the ends of logs.

Speaks versions 3 to 13; version 0 is advertised as lowest, as Apache Kafka does, because librdkafka
otherwise believes that the broker cannot take compressed batches. A transaction's batches are
refused unless their partition takes part in it; from 12 on they make it take part. From 13 on
topics are named by id.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from kafka.protocol.producer import ProduceRequest, ProduceResponse

from station_sim.kafka.batches import Batch, read_batch
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.logs import Appended, PartitionLog
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.new_leaders import name_leaders
from station_sim.kafka.requests.topic_ids import FIRST_VERSION_BY_ID, check_id
from station_sim.kafka.transaction import Producer
from station_sim.kafka.transactional_writes import WriteKind, refusal_of_write

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = ProduceRequest
RESPONSE = ProduceResponse

ALL_REPLICAS = -1
"""The `acks` that wait for every replica in sync, of which there must be enough."""

_ACKS = (ALL_REPLICAS, 0, 1)
_FIRST_VERSION_WITH_ZSTD = 7
_FIRST_VERSION_WITH_LEADERS = 10
_FIRST_VERSION_WITH_ABORTABLE = 11
_WITHOUT_START = (
    ErrorCode.MESSAGE_TOO_LARGE,
    ErrorCode.RECORD_LIST_TOO_LARGE,
    ErrorCode.CORRUPT_MESSAGE,
)
_EXPLAINED = (ErrorCode.INVALID_TXN_STATE,)
"""Refusals before a log was asked that Kafka sends with a text."""

_TOPIC = RESPONSE.TopicProduceResponse
_PARTITION = _TOPIC.PartitionProduceResponse
_new = object.__new__


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """Append every batch, then wake who waits; None if the client wants no answer."""
    grown: list[PartitionLog] = []
    answers = []
    by_id = context.version >= FIRST_VERSION_BY_ID
    for topic, named in _last_named(request.topic_data):
        error = None
        if by_id:
            error = check_id(topic.topic_id, topic.name, cluster.topics.get(topic.name)) or None
        partitions = [
            _append(cluster, request, context, topic.name, asked, grown)
            if error is None
            else _PARTITION(index=asked.index, error_code=error, base_offset=-1)
            for asked in named
        ]
        answer = _TOPIC(name=topic.name, partition_responses=partitions)
        if by_id:
            answer.topic_id = topic.topic_id
        answers.append(answer)
    cluster.wake(grown)
    if request.acks == 0:
        if any(p.error_code for answer in answers for p in answer.partition_responses):
            context.connection.close()
        return None
    response = RESPONSE(responses=answers, throttle_time_ms=0)
    if context.version >= _FIRST_VERSION_WITH_LEADERS and len(cluster.nodes) > 1:
        name_leaders(cluster, response, _led_elsewhere(cluster, response))
    return response


def _last_named(topics: Sequence[Any]) -> Iterable[tuple[Any, Iterable[Any]]]:
    """Each topic with its partitions; of one that is named twice, the last batch alone counts."""
    if len(topics) == 1 and len(topics[0].partition_data) == 1:
        return ((topics[0], topics[0].partition_data),)
    named: dict[str, tuple[Any, dict[int, Any]]] = {}
    for topic in topics:
        _, by_index = named.setdefault(topic.name, (topic, {}))
        by_index.update((asked.index, asked) for asked in topic.partition_data)
    return [(topic, by_index.values()) for topic, by_index in named.values()]


def _led_elsewhere(cluster: "Cluster", response: Any) -> Iterator[tuple[PartitionLog, Any]]:
    for topic in response.responses:
        for answer in topic.partition_responses:
            if answer.error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER:
                yield cluster.topics.require(topic.name, answer.index), answer


def _append(
    cluster: "Cluster",
    request: Any,
    context: RequestContext,
    topic: str,
    asked: Any,
    grown: list[PartitionLog],
) -> Any:
    index = asked.index
    try:
        log = cluster.topics.require(topic, index)
        may_be_zstd = context.version >= _FIRST_VERSION_WITH_ZSTD
        batch = read_batch(asked.records or b"", may_be_zstd=may_be_zstd)
        if request.acks not in _ACKS:
            raise RefusalError(ErrorCode.INVALID_REQUIRED_ACKS)
        if batch.is_transactional:
            _check_transaction(cluster, request.transactional_id, context.version, log, batch)
        replicas = log.replicas
        if replicas.leader_id != context.node.node_id:
            raise RefusalError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        if request.acks == ALL_REPLICAS and replicas.lacks(log.config.min_insync_replicas):
            raise RefusalError(ErrorCode.NOT_ENOUGH_REPLICAS)
    except RefusalError as refused:
        return _PARTITION(
            index=index,
            error_code=refused.code,
            base_offset=-1,
            error_message=refused.message if refused.code in _EXPLAINED else None,
        )
    try:
        written = log.append(batch, cluster.now_ms())
    except RefusalError as refused:
        return _refused(index, refused, log)
    if not written.duplicate:
        grown.append(log)
        cluster.appended(log, batch)
    return _written(index, written, log.log_start_offset)


def _check_transaction(
    cluster: "Cluster", transactional_id: str | None, version: int, log: PartitionLog, batch: Batch
) -> None:
    """Raise `RefusalError` unless a batch belongs to its producer's open transaction.

    Once a transaction has a batch in a log, the log itself knows.
    """
    if transactional_id is None:
        raise RefusalError(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    now_ms = cluster.now_ms()
    producer = Producer(batch.producer_id, batch.producer_epoch)
    if log.producers.check_epoch(*producer, now_ms):
        return
    kind = WriteKind.of(version, abortable_since=_FIRST_VERSION_WITH_ABORTABLE)
    partition = (log.topic, log.partition)
    error = refusal_of_write(cluster.transactions, transactional_id, producer, partition, kind)
    if error is ErrorCode.INVALID_TXN_STATE:
        raise RefusalError(error, "Partition was not added to the transaction")
    if error is ErrorCode.CONCURRENT_TRANSACTIONS and kind is not WriteKind.ADDS_PARTITIONS:
        error = ErrorCode.NOT_ENOUGH_REPLICAS  # clients ask again, without asking for metadata
    if error:
        raise RefusalError(error)
    starts = batch.base_sequence == 0 or log.producers.has_written(batch.producer_id, now_ms)
    if kind is WriteKind.ADDS_PARTITIONS and not starts:
        raise RefusalError(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)


def _refused(index: int, refused: RefusalError, log: PartitionLog) -> Any:
    """What a log refuses; of some refusals Kafka does not say where the log starts."""
    return _PARTITION(
        index=index,
        error_code=refused.code,
        base_offset=-1,
        log_start_offset=-1 if refused.code in _WITHOUT_START else log.log_start_offset,
        record_errors=[
            _PARTITION.BatchIndexAndErrorMessage(batch_index=number, batch_index_error_message=text)
            for number, text in refused.record_errors
        ],
        error_message=refused.message if refused.record_errors else None,
    )


def _written(index: int, written: Appended, log_start_offset: int) -> Any:
    """The answer for a partition; built field by field, for there are very many of them."""
    answer = _new(_PARTITION)
    answer.tags = None
    answer.unknown_tags = None
    answer.index = index
    answer.error_code = 0
    answer.base_offset = written.base_offset
    answer.log_append_time_ms = written.append_time_ms
    answer.log_start_offset = log_start_offset
    answer.record_errors = ()
    answer.error_message = None
    answer.current_leader = None
    return answer
