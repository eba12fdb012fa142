"""Fetch: batches from logs, waiting for them if there are too few.

Speaks versions 4 to 18; from 13 on topics are named by id. Answers every request in full: a client
that asks for a fetch session is given none (session id 0), which is what Apache Kafka answers when
its session cache is full. Readers of committed records are given the log up to its last stable
offset, and told which transactions in it were aborted. Not here: followers.
"""

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kafka.protocol.consumer import FetchRequest, FetchResponse

from station_sim.kafka.batches import end_offset_of
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.leader_epochs import NO_EPOCH, NO_OFFSET, EpochEnd
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.fetch_encoding import encode
from station_sim.kafka.requests.new_leaders import name_leaders
from station_sim.kafka.requests.topic_ids import FIRST_VERSION_BY_ID, check_id

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster
    from station_sim.kafka.node import Node

REQUEST = FetchRequest
RESPONSE = FetchResponse

__all__ = ["REQUEST", "RESPONSE", "encode", "handle"]

READ_COMMITTED = 1
"""The isolation level of readers that see no open transaction."""

_TOPIC = RESPONSE.FetchableTopicResponse
_PARTITION = _TOPIC.PartitionData
_ABORTED = _PARTITION.AbortedTransaction
_DIVERGING = _PARTITION.EpochEndOffset
_new = object.__new__

_LED_ELSEWHERE = (ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.FENCED_LEADER_EPOCH)
"""Errors with which the leader is named."""

_FIRST_VERSION_WITH_LEADERS = 16
_NOT_ASKED_A_LOG = (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID)
"""With these Kafka names no aborted transactions, with all else null."""

_FIRST_VERSION_WITH_FOLLOWERS = 11
"""From here on consumers may read from any replica, whether or not they name a rack."""

_FULL_FETCH_EPOCHS = (0, -1)
"""What a client sends that opens a session, or wants none; sessions would count from 1."""


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """What there is, or a future of it."""
    if request.session_id != 0 or request.session_epoch not in _FULL_FETCH_EPOCHS:
        return RESPONSE(error_code=ErrorCode.FETCH_SESSION_ID_NOT_FOUND, session_id=0)
    reading = Reading(cluster, request, context)
    if reading.is_enough or request.max_wait_ms <= 0:
        return reading.response
    return LongPoll(cluster, request, context, reading).answer


class Reading:
    """What one look at the logs gave; `logs` are those read at, `is_enough` ends the wait."""

    __slots__ = ("is_enough", "logs", "response")

    def __init__(self, cluster: "Cluster", request: Any, context: RequestContext) -> None:
        node = context.node
        follows = context.version >= _FIRST_VERSION_WITH_FOLLOWERS
        left_bytes = min(request.max_bytes, cluster.settings.fetch_max_bytes)
        found_bytes = 0
        failed = False
        committed = request.isolation_level == READ_COMMITTED
        by_id = context.version >= FIRST_VERSION_BY_ID
        self.logs: list[PartitionLog] = []
        led_elsewhere: list[tuple[PartitionLog, Any]] = []
        answers = []
        for topic in request.topics:
            partitions = []
            wrong_id = ErrorCode.NONE
            if by_id:
                known = cluster.topics.get(topic.topic)
                wrong_id = check_id(topic.topic_id, topic.topic, known)
            for asked in topic.partitions:
                log = cluster.topics.partition(topic.topic, asked.partition)
                error = wrong_id or _error(log, asked, node, follows)
                if error or log is None:
                    failed = True
                    refused = _answer(asked.partition, error, None, [])
                    partitions.append(refused)
                    if log is not None and error in _LED_ELSEWHERE:
                        led_elsewhere.append((log, refused))
                    continue
                if asked.last_fetched_epoch != NO_EPOCH:
                    diverging = _divergence(log, asked)
                    if diverging is not None:
                        failed = True
                        partitions.append(_diverged(asked.partition, log, diverging))
                        continue
                self.logs.append(log)
                data = log.read(
                    asked.fetch_offset,
                    min(asked.partition_max_bytes, left_bytes),
                    at_least_one=found_bytes == 0,
                    before_offset=log.last_stable_offset if committed else None,
                )
                size_bytes = sum(map(len, data))
                found_bytes += size_bytes
                left_bytes = max(0, left_bytes - size_bytes)
                answer = _answer(asked.partition, ErrorCode.NONE, log, data)
                if committed:
                    answer.aborted_transactions = _aborted(log, asked.fetch_offset, data)
                partitions.append(answer)
            answers.append(_topic(topic.topic, topic.topic_id if by_id else None, partitions))
        self.is_enough = failed or found_bytes >= request.min_bytes or not request.topics
        self.response = _response(answers)
        if led_elsewhere and context.version >= _FIRST_VERSION_WITH_LEADERS:
            name_leaders(cluster, self.response, led_elsewhere)


def _response(answers: list[Any]) -> Any:
    """Built field by field, as all that a fetch's answer is made of: there are very many of them.

    What a version has not is set too, for a field that nobody set is slow to read.
    """
    response = _new(RESPONSE)
    response.tags = response.unknown_tags = response._version = None
    response._header = response._min_version = response._max_version = None
    response.throttle_time_ms = 0
    response.error_code = 0
    response.session_id = 0
    response.responses = answers
    response.node_endpoints = []
    return response


def _topic(name: str, topic_id: UUID | None, partitions: list[Any]) -> Any:
    answer = _new(_TOPIC)
    answer.tags = answer.unknown_tags = answer._version = None
    answer.topic = name
    answer.topic_id = topic_id
    answer.partitions = partitions
    return answer


def _error(log: PartitionLog | None, asked: Any, node: "Node", follows: bool) -> ErrorCode:
    if log is None:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    replicas = log.replicas
    claimed = asked.current_leader_epoch
    if replicas.leader_id != node.node_id or claimed not in (NO_EPOCH, log.epochs.latest):
        error = node.why_not_leader(log, claimed)
        may_follow = follows and node.node_id in replicas.node_ids
        if error and not (may_follow and error is ErrorCode.NOT_LEADER_OR_FOLLOWER):
            return error
    highest = log.end_offset
    if asked.last_fetched_epoch != NO_EPOCH:
        if log.epochs.end_of(asked.last_fetched_epoch, highest).end_offset == NO_OFFSET:
            return ErrorCode.OFFSET_OUT_OF_RANGE
        highest = asked.fetch_offset  # beyond the end it diverges
    if not log.log_start_offset <= asked.fetch_offset <= highest:
        return ErrorCode.OFFSET_OUT_OF_RANGE
    return ErrorCode.NONE


def _divergence(log: PartitionLog, asked: Any) -> EpochEnd | None:
    """Where the log left what the reader has read; None if it did not."""
    end = log.epochs.end_of(asked.last_fetched_epoch, log.end_offset)
    diverged = end.epoch < asked.last_fetched_epoch or end.end_offset < asked.fetch_offset
    return end if diverged else None


def _diverged(index: int, log: PartitionLog, end: EpochEnd) -> Any:
    answer = _answer(index, ErrorCode.NONE, log, [])
    answer.diverging_epoch = _DIVERGING(epoch=end.epoch, end_offset=end.end_offset)
    return answer


def _answer(index: int, error: ErrorCode, log: PartitionLog | None, data: list[bytes]) -> Any:
    """The answer for a partition; without a log it says -1 for its ends, as with every error."""
    answer = _new(_PARTITION)
    answer.tags = answer.unknown_tags = answer._version = None
    answer.partition_index = index
    answer.error_code = error
    if log is None:
        answer.high_watermark = answer.last_stable_offset = answer.log_start_offset = -1
    else:
        answer.high_watermark = log.high_watermark
        answer.last_stable_offset = log.last_stable_offset
        answer.log_start_offset = log.log_start_offset
    answer.diverging_epoch = answer.current_leader = answer.snapshot_id = None
    answer.aborted_transactions = [] if error in _NOT_ASKED_A_LOG else None
    answer.preferred_read_replica = -1
    answer.records = data
    return answer


def _aborted(log: PartitionLog, from_offset: int, data: list[bytes]) -> list[Any]:
    """The aborted transactions that touch what was read."""
    if not data:
        return []
    return [
        _ABORTED(producer_id=aborted.producer_id, first_offset=aborted.first_offset)
        for aborted in log.transactions.aborted(from_offset, end_offset_of(data[-1]))
    ]


class LongPoll:
    """A fetch that waits for records, an error, or its time."""

    __slots__ = ("_cluster", "_context", "_logs", "_request", "_timer", "answer")

    def __init__(
        self, cluster: "Cluster", request: Any, context: RequestContext, reading: Reading
    ) -> None:
        self._cluster = cluster
        self._context = context
        self._request = request
        self._logs = reading.logs
        loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Any] = loop.create_future()
        self.answer.add_done_callback(self._forget)
        self._timer = loop.call_later(request.max_wait_ms / 1000, self._look, True)
        for log in self._logs:
            log.waiters[self] = None

    def wake(self) -> None:
        """A log it waits for changed."""
        self._look(False)

    def _look(self, time_is_up: bool) -> None:
        if self.answer.done():
            return
        reading = Reading(self._cluster, self._request, self._context)
        if time_is_up or reading.is_enough:
            self.answer.set_result(reading.response)
            self._forget(self.answer)

    def _forget(self, _answer: "asyncio.Future[Any]") -> None:
        """It waits no longer; also when its connection went away, which cancels the answer."""
        self._timer.cancel()
        for log in self._logs:
            log.waiters.pop(self, None)
