"""DescribeConfigs: what topics and the broker are configured to, and where that was said.

Speaks versions 1 to 4. Topics show all of Kafka's topic settings, a node those that this broker
obeys and those that may change while it runs, the cluster (an empty name) what was changed for it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DescribeConfigsRequest, DescribeConfigsResponse

from station_sim.kafka.dynamic_settings import DYNAMIC, Source, Synonym
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.config_changes import RESOURCE_BROKER, RESOURCE_TOPIC
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.setting_descriptions import describe_broker_setting, describe_topic_setting
from station_sim.kafka.topic_config import RULES, TYPE_BOOLEAN, TYPE_INT, TYPE_STRING
from station_sim.kafka.topics import check_name

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = DescribeConfigsRequest
RESPONSE = DescribeConfigsResponse

_RESULT = RESPONSE.DescribeConfigsResult
_ENTRY = _RESULT.DescribeConfigsResourceResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each resource, however often it is named alike."""
    asked_once = {
        (each.resource_type, each.resource_name, tuple(each.configuration_keys or ())): each
        for each in request.resources
    }
    return RESPONSE(
        results=[
            _describe(cluster, context.node.node_id, request, asked)
            for asked in asked_once.values()
        ]
    )


def _describe(cluster: "Cluster", node_id: int, request: Any, asked: Any) -> Any:
    entries: list[Any] = []
    code, message = ErrorCode.NONE, ""
    try:
        if asked.resource_type == RESOURCE_TOPIC:
            entries = _topic_entries(cluster, node_id, asked.resource_name)
        elif asked.resource_type == RESOURCE_BROKER and not asked.resource_name:
            entries = _cluster_entries(cluster, node_id)
        elif asked.resource_type == RESOURCE_BROKER:
            entries = _node_entries(cluster, node_id, asked.resource_name)
        else:
            raise _invalid(f"Unsupported resource type: {asked.resource_type}")
    except RefusalError as refused:
        code, message = refused.code, refused.message
    wanted = asked.configuration_keys
    entries = [entry for entry in entries if not wanted or entry.name in wanted]
    for entry in entries:
        if not request.include_synonyms:
            entry.synonyms = []
        if not request.include_documentation:
            entry.documentation = None
    return _RESULT(
        error_code=code,
        error_message=message,
        resource_type=asked.resource_type,
        resource_name=asked.resource_name,
        configs=entries,
    )


def _topic_entries(cluster: "Cluster", node_id: int, name: str) -> list[Any]:
    check_name(name)
    topic = cluster.topics.get(name)
    if topic is None:
        raise RefusalError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    config = topic.config
    return [
        _entry(
            setting,
            text,
            cluster.dynamic_settings.topic_synonyms(setting, config.overrides, node_id),
            kind=RULES[setting].kind,
            documentation=describe_topic_setting(setting),
        )
        for setting, text in config.texts.items()
    ]


def _cluster_entries(cluster: "Cluster", node_id: int) -> list[Any]:
    return [
        _broker_entry(setting, text, [Synonym(setting, text, Source.CLUSTER)])
        for setting, text in cluster.dynamic_settings.said(None).items()
    ]


def _node_entries(cluster: "Cluster", node_id: int, name: str) -> list[Any]:
    try:
        named_id = int(name)
    except ValueError as error:
        raise _invalid(f"Broker id must be an integer, but it is: {name}") from error
    if named_id != node_id:
        raise _invalid(
            f"Unexpected broker id, expected {node_id} or empty string, but received {name}"
        )
    settings = cluster.dynamic_settings
    return [
        _broker_entry(setting, text, settings.synonyms(setting, node_id))
        for setting, text in settings.texts(node_id).items()
    ]


def _broker_entry(name: str, text: str | None, synonyms: Sequence[Synonym]) -> Any:
    return _entry(
        name,
        text,
        synonyms,
        kind=DYNAMIC[name].kind if name in DYNAMIC else _kind_of(str(text)),
        documentation=describe_broker_setting(name),
        read_only=name not in DYNAMIC,
    )


def _entry(
    name: str,
    text: str | None,
    synonyms: Sequence[Synonym],
    *,
    kind: int,
    documentation: str,
    read_only: bool = False,
) -> Any:
    return _ENTRY(
        name=name,
        value=text,
        read_only=read_only,
        config_source=synonyms[0].source if synonyms else Source.DEFAULT,
        is_sensitive=False,
        synonyms=[
            _ENTRY.DescribeConfigsSynonym(name=said_as, value=value, source=source)
            for said_as, value, source in synonyms
        ],
        config_type=kind,
        documentation=documentation,
    )


def _kind_of(text: str) -> int:
    """The type of a setting that cannot change, told by its value: Kafka's mostly fit an INT."""
    if text in ("true", "false"):
        return TYPE_BOOLEAN
    if not text.lstrip("-").isdigit():
        return TYPE_STRING
    return TYPE_INT


def _invalid(text: str) -> RefusalError:
    return RefusalError(ErrorCode.INVALID_REQUEST, text)
