"""Produce: record batches to the ends of logs.

Speaks versions 3 to 11; version 0 is advertised as lowest, as Apache Kafka does, because librdkafka
otherwise believes that the broker cannot take compressed batches. Not here: topic ids (13) and
transactions (12).
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.producer import ProduceRequest, ProduceResponse

from station_sim.kafka.batches import TRANSACTIONAL_BIT, parse_batch
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.logs import Appended, PartitionLog
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

VERSIONS = (3, 11)
ADVERTISED = (0, 11)
REQUEST = ProduceRequest
RESPONSE = ProduceResponse

_TOPIC = RESPONSE.TopicProduceResponse
_PARTITION = _TOPIC.PartitionProduceResponse
_new = object.__new__


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """Append every batch, then wake who waits; None if the client wants no answer."""
    refusal = None
    if request.acks not in (-1, 0, 1):
        refusal = ErrorCode.INVALID_REQUIRED_ACKS
    elif request.transactional_id is not None:
        refusal = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    grown: list[PartitionLog] = []
    answers = []
    for topic in request.topic_data:
        partitions = [
            _append(cluster, topic.name, asked, grown)
            if refusal is None
            else _PARTITION(index=asked.index, error_code=refusal, base_offset=-1)
            for asked in topic.partition_data
        ]
        answers.append(_TOPIC(name=topic.name, partition_responses=partitions))
    cluster.wake(grown)
    if request.acks == 0:
        if any(p.error_code for answer in answers for p in answer.partition_responses):
            context.connection.close()
        return None
    return RESPONSE(responses=answers, throttle_time_ms=0)


def _append(cluster: "Cluster", topic: str, asked: Any, grown: list[PartitionLog]) -> Any:
    index = asked.index
    try:
        log = cluster.topics.require(topic, index)
        batch = parse_batch(asked.records or b"")
        if batch.attributes & TRANSACTIONAL_BIT:
            raise RefusalError(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    except RefusalError as refused:
        return _PARTITION(index=index, error_code=refused.code, base_offset=-1)
    try:
        written = log.append(batch, cluster.now_ms())
    except RefusalError as refused:
        return _refused(index, refused, log)
    if not written.duplicate:
        grown.append(log)
        cluster.appended(log, batch)
    return _written(index, written, log.log_start_offset)


def _refused(index: int, refused: RefusalError, log: PartitionLog) -> Any:
    """What a log refuses; for a size it does not say where the log starts, as Kafka does not."""
    by_size = refused.code in (ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.RECORD_LIST_TOO_LARGE)
    return _PARTITION(
        index=index,
        error_code=refused.code,
        base_offset=-1,
        log_start_offset=-1 if by_size else log.log_start_offset,
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
