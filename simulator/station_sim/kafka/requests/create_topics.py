"""CreateTopics: new topics with partitions and configuration, or only a check of them.

Speaks versions 2 to 7. There is one broker, so the replication factor is 1.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import CreateTopicsRequest, CreateTopicsResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.describe_configs import SOURCE_DEFAULT, SOURCE_TOPIC
from station_sim.kafka.topic_config import TopicConfig

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

VERSIONS = (2, 7)
REQUEST = CreateTopicsRequest
RESPONSE = CreateTopicsResponse

DEFAULT = -1
"""Number of partitions or replicas that leaves the choice to the broker."""

_TOPIC = RESPONSE.CreatableTopicResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each topic; a name that comes twice is refused both times, once answered."""
    names = [topic.name for topic in request.topics]
    answers = []
    for name in dict.fromkeys(names):
        asked = next(topic for topic in request.topics if topic.name == name)
        try:
            if names.count(name) > 1:
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


def _create(cluster: "Cluster", asked: Any, *, only_check: bool) -> Any:
    if asked.name in cluster.topics:
        raise RefusalError(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{asked.name}' already exists.")
    partitions = _partition_count(cluster, asked)
    config = {entry.name: entry.value for entry in asked.configs}
    checked = cluster.topics.check(asked.name, partitions, config)
    topic_id = None
    if not only_check:
        made = cluster.topics.create(asked.name, partitions=partitions, config=config)
        topic_id = made.topic_id
    return _TOPIC(
        name=asked.name,
        topic_id=topic_id,
        error_code=ErrorCode.NONE,
        error_message=None,
        num_partitions=partitions,
        replication_factor=1,
        configs=_configs(checked),
    )


def _partition_count(cluster: "Cluster", asked: Any) -> int:
    if asked.assignments:
        return _assigned_count(cluster, asked)
    if asked.replication_factor not in (DEFAULT, 1):
        if asked.replication_factor < 1:
            text = "Replication factor must be larger than 0, or -1 to use the default value."
        else:
            text = (
                f"Unable to replicate the partition {asked.replication_factor} time(s): The target "
                f"replication factor of {asked.replication_factor} cannot be reached because only "
                "1 broker(s) are registered."
            )
        raise RefusalError(ErrorCode.INVALID_REPLICATION_FACTOR, text)
    if asked.num_partitions == DEFAULT:
        return cluster.settings.num_partitions
    if asked.num_partitions < 1:
        raise RefusalError(
            ErrorCode.INVALID_PARTITIONS,
            "Number of partitions was set to an invalid non-positive value.",
        )
    return int(asked.num_partitions)


def _assigned_count(cluster: "Cluster", asked: Any) -> int:
    if asked.replication_factor != DEFAULT or asked.num_partitions != DEFAULT:
        raise RefusalError(
            ErrorCode.INVALID_REQUEST,
            "A manual partition assignment was specified, but replication factor or number of "
            "partitions was not set to -1.",
        )
    indexes = sorted(assignment.partition_index for assignment in asked.assignments)
    if indexes != list(range(len(indexes))):
        raise RefusalError(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            "partitions should be a consecutive 0-based integer sequence",
        )
    for assignment in asked.assignments:
        if list(assignment.broker_ids) != [cluster.controller.node_id]:
            raise RefusalError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"The manual partition assignment names brokers {list(assignment.broker_ids)}; "
                f"there is only {cluster.controller.node_id}.",
            )
    return len(indexes)


def _configs(config: TopicConfig) -> list[Any]:
    return [
        _TOPIC.CreatableTopicConfigs(
            name=name,
            value=text,
            config_source=SOURCE_TOPIC if name in config.overrides else SOURCE_DEFAULT,
        )
        for name, text in config.texts.items()
    ]
