"""Produce: record batches to the ends of logs.

Speaks versions 3 to 11; version 0 is advertised as lowest, as Apache Kafka does, because librdkafka
otherwise believes that the broker cannot take compressed batches. Not here: topic ids (13) and
transactions (12).
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.producer import ProduceRequest, ProduceResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.broker import Broker

VERSIONS = (3, 11)
ADVERTISED = (0, 11)
REQUEST = ProduceRequest
RESPONSE = ProduceResponse

_TOPIC = RESPONSE.TopicProduceResponse
_PARTITION = _TOPIC.PartitionProduceResponse
_new = object.__new__


def handle(broker: "Broker", request: Any, context: RequestContext) -> Any:
    """Append every batch, then wake who waits; None if the client wants no answer."""
    if request.acks not in (-1, 0, 1):
        refusal: RefusalError | None = RefusalError(ErrorCode.INVALID_REQUIRED_ACKS)
    elif request.transactional_id is not None:
        refusal = RefusalError(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    else:
        refusal = None
    grown: list[PartitionLog] = []
    answers = []
    for topic in request.topic_data:
        partitions = [
            _append(broker, topic.name, asked, refusal, grown) for asked in topic.partition_data
        ]
        answers.append(_TOPIC(name=topic.name, partition_responses=partitions))
    broker.wake(grown)
    if request.acks == 0:
        if any(p.error_code for answer in answers for p in answer.partition_responses):
            context.connection.close()
        return None
    return RESPONSE(responses=answers, throttle_time_ms=0)


def _append(
    broker: "Broker",
    topic: str,
    asked: Any,
    refusal: RefusalError | None,
    grown: list[PartitionLog],
) -> Any:
    try:
        if refusal is not None:
            raise refusal
        log = broker.topics.require(topic, asked.index)
        written = log.append(asked.records or b"", broker.now_ms())
    except RefusalError as refused:
        return _PARTITION(
            index=asked.index,
            error_code=refused.code,
            base_offset=-1,
            error_message=refused.message or None,
        )
    if not written.duplicate:
        grown.append(log)
        broker.appended(log, written.batch)
    return _written(
        asked.index,
        written.base_offset,
        written.append_time_ms if log.config.log_append_time else -1,
        log.log_start_offset,
    )


def _written(index: int, base_offset: int, append_time_ms: int, log_start_offset: int) -> Any:
    """The answer for a partition; built field by field, for there are very many of them."""
    answer = _new(_PARTITION)
    answer.tags = None
    answer.unknown_tags = None
    answer.index = index
    answer.error_code = 0
    answer.base_offset = base_offset
    answer.log_append_time_ms = append_time_ms
    answer.log_start_offset = log_start_offset
    answer.record_errors = ()
    answer.error_message = None
    answer.current_leader = None
    return answer
