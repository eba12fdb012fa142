"""CreateTopics: new topics with partitions and configuration, or only a check of them.

Speaks versions 2 to 7.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import CreateTopicsRequest, CreateTopicsResponse

from station_sim.kafka.dynamic_settings import Source
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.topic_config import TopicConfig
from station_sim.kafka.topics import PARTITIONS_MAX

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = CreateTopicsRequest
RESPONSE = CreateTopicsResponse

DEFAULT = -1
"""Number of partitions or replicas that leaves the choice to the broker."""

_TOPIC = RESPONSE.CreatableTopicResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each topic; a name that comes twice is refused both times, once answered."""
    partitions = sum(_partitions(cluster, asked) for asked in request.topics)
    if partitions > PARTITIONS_MAX:
        return _too_much(request, "Excessively large number of partitions per request.")
    if partitions + sum(1 + len(topic.configs) for topic in request.topics) > PARTITIONS_MAX:
        return _too_much(request, "Unable to perform excessively large batch operation.")
    times_named = Counter(topic.name for topic in request.topics)
    answers = []
    for name, asked in {topic.name: topic for topic in request.topics}.items():
        try:
            if times_named[name] > 1:
                raise RefusalError(ErrorCode.INVALID_REQUEST, "Duplicate topic name.")
            answers.append(_create(cluster, asked, only_check=request.validate_only))
        except RefusalError as refused:
            answers.append(
                _TOPIC(
                    name=name,
                    error_code=refused.code,
                    error_message=refused.message or None,
                )
            )
    return RESPONSE(topics=answers)


def _partitions(cluster: "Cluster", asked: Any) -> int:
    """How many a topic would have, before anybody looks whether it may."""
    if asked.assignments:
        return len(asked.assignments)
    default = cluster.settings.num_partitions
    return default if asked.num_partitions == DEFAULT else max(0, asked.num_partitions)


def _too_much(request: Any, text: str) -> Any:
    """The refusal of all that was asked."""
    code = ErrorCode.POLICY_VIOLATION
    return RESPONSE(
        topics=[
            _TOPIC(name=topic.name, error_code=code, error_message=text) for topic in request.topics
        ]
    )


def _create(cluster: "Cluster", asked: Any, *, only_check: bool) -> Any:
    config = {entry.name: entry.value for entry in asked.configs}
    cluster.topics.check_but_counts(asked.name, config)
    assignments = _assignments(asked)
    if assignments is None:
        partitions, factor = _counts(cluster, asked)
    else:
        partitions, factor = len(assignments), None
    placed = cluster.topics.place(0, partitions, factor, assignments)
    checked = cluster.topics.check(asked.name, partitions, config)
    if only_check:
        topic_id = cluster.topics.new_id()  # which Kafka tells too, though nothing gets it
    else:
        made = cluster.topics.create(
            asked.name,
            partitions=partitions,
            config=config,
            replication_factor=factor,
            assignments=assignments,
        )
        topic_id = made.topic_id
    return _TOPIC(
        name=asked.name,
        topic_id=topic_id,
        error_code=ErrorCode.NONE,
        error_message=None,
        num_partitions=partitions,
        replication_factor=len(placed[0]),
        configs=_configs(cluster, checked),
    )


def _counts(cluster: "Cluster", asked: Any) -> tuple[int, int]:
    """How many partitions, and how many replicas of each."""
    factor, partitions = asked.replication_factor, asked.num_partitions
    if factor == 0 or factor < DEFAULT:
        raise RefusalError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        )
    if partitions == 0 or partitions < DEFAULT:
        raise RefusalError(
            ErrorCode.INVALID_PARTITIONS,
            "Number of partitions was set to an invalid non-positive value.",
        )
    settings = cluster.settings
    return (
        settings.num_partitions if partitions == DEFAULT else partitions,
        settings.default_replication_factor if factor == DEFAULT else factor,
    )


def _assignments(asked: Any) -> list[list[int]] | None:
    """The nodes that the client chose for each partition; None if it leaves the choice."""
    if not asked.assignments:
        return None
    for count, what in (
        (asked.replication_factor, "replication factor"),
        (asked.num_partitions, "numPartitions"),
    ):
        if count != DEFAULT:
            raise RefusalError(
                ErrorCode.INVALID_REQUEST,
                f"A manual partition assignment was specified, but {what} was not set to -1.",
            )
    chosen: dict[int, list[int]] = {}
    for assignment in asked.assignments:
        index = assignment.partition_index
        if index in chosen:
            raise RefusalError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"Found multiple manual partition assignments for partition {index}",
            )
        chosen[index] = list(assignment.broker_ids)
    if sorted(chosen) != list(range(len(chosen))):
        raise RefusalError(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            "partitions should be a consecutive 0-based integer sequence",
        )
    return [chosen[index] for index in range(len(chosen))]


def _configs(cluster: "Cluster", config: TopicConfig) -> list[Any]:
    answers = []
    for name, text in config.texts.items():
        synonyms = cluster.dynamic_settings.topic_synonyms(
            name, config.overrides, cluster.controller.node_id
        )
        source = synonyms[0].source if synonyms else Source.DEFAULT
        answers.append(_TOPIC.CreatableTopicConfigs(name=name, value=text, config_source=source))
    return answers
