"""DescribeConfigs: what topics and the broker are configured to.

Speaks versions 1 to 4. Topics show all of Kafka's topic settings, the broker those this broker
obeys.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DescribeConfigsRequest, DescribeConfigsResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.topic_config import RULES, TYPE_BOOLEAN, TYPE_LONG, TYPE_STRING
from station_sim.kafka.topics import check_name

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

VERSIONS = (1, 4)
REQUEST = DescribeConfigsRequest
RESPONSE = DescribeConfigsResponse

RESOURCE_TOPIC, RESOURCE_BROKER = 2, 4
SOURCE_TOPIC, SOURCE_BROKER, SOURCE_DEFAULT = 1, 4, 5

_RESULT = RESPONSE.DescribeConfigsResult
_ENTRY = _RESULT.DescribeConfigsResourceResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each resource."""
    return RESPONSE(
        results=[_describe(cluster, context.node.node_id, asked) for asked in request.resources]
    )


def _describe(cluster: "Cluster", node_id: int, asked: Any) -> Any:
    entries: list[Any] = []
    code, message = ErrorCode.NONE, None
    try:
        if asked.resource_type == RESOURCE_TOPIC:
            entries = _topic_entries(cluster, asked.resource_name)
        elif asked.resource_type == RESOURCE_BROKER:
            entries = _broker_entries(cluster, node_id, asked.resource_name)
        else:
            raise RefusalError(
                ErrorCode.INVALID_REQUEST, f"Unsupported resource type: {asked.resource_type}"
            )
    except RefusalError as refused:
        code, message = refused.code, refused.message
    wanted = asked.configuration_keys
    return _RESULT(
        error_code=code,
        error_message=message,
        resource_type=asked.resource_type,
        resource_name=asked.resource_name,
        configs=[entry for entry in entries if wanted is None or entry.name in wanted],
    )


def _topic_entries(cluster: "Cluster", name: str) -> list[Any]:
    check_name(name)
    topic = cluster.topics.get(name)
    if topic is None:
        raise RefusalError(
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "This server does not host this topic-partition."
        )
    return [
        _ENTRY(
            name=setting,
            value=text,
            config_source=SOURCE_TOPIC if setting in topic.config.overrides else SOURCE_DEFAULT,
            config_type=RULES[setting].kind,
            documentation=None,
        )
        for setting, text in topic.config.texts.items()
    ]


def _broker_entries(cluster: "Cluster", node_id: int, name: str) -> list[Any]:
    if name != str(node_id):
        raise RefusalError(
            ErrorCode.INVALID_REQUEST,
            f"Unexpected broker id, expected {node_id}, but received {name}",
        )
    defaults = BrokerSettings().to_kafka()
    return [
        _ENTRY(
            name=setting,
            value=text,
            read_only=True,
            config_source=SOURCE_DEFAULT if text == defaults[setting] else SOURCE_BROKER,
            config_type=_type_of(text),
            documentation=None,
        )
        for setting, text in cluster.settings.to_kafka().items()
    ]


def _type_of(text: str) -> int:
    if text in ("true", "false"):
        return TYPE_BOOLEAN
    return TYPE_LONG if text.lstrip("-").isdigit() else TYPE_STRING
