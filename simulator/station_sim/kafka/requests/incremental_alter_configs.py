"""IncrementalAlterConfigs: some settings of topics and of the broker, the others stay.

Speaks versions 0 and 1. A setting is set or deleted; a list gets or loses words.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse

from station_sim.kafka.dynamic_settings import DYNAMIC
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.config_changes import (
    RESOURCE_BROKER,
    change_all,
    refuse_duplicates_and_nulls,
)
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.topic_config import RULES, TYPE_LIST, Rule

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = IncrementalAlterConfigsRequest
RESPONSE = IncrementalAlterConfigsResponse

SET, DELETE, APPEND, SUBTRACT = range(4)


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each resource."""
    return RESPONSE(
        responses=[
            RESPONSE.AlterConfigsResourceResponse(
                error_code=code,
                error_message=text,
                resource_type=asked.resource_type,
                resource_name=asked.resource_name,
            )
            for asked, code, text in change_all(cluster, request, context, _merged)
        ]
    )


def _merged(asked: Any, said: Mapping[str, str]) -> dict[str, str]:
    nulls = [
        config.name
        for config in asked.configs
        if config.config_operation != DELETE and config.value is None
    ]
    refuse_duplicates_and_nulls(asked.configs, nulls)
    merged = dict(said)
    is_broker = asked.resource_type == RESOURCE_BROKER
    rules = DYNAMIC if is_broker else RULES
    for config in asked.configs:
        name, operation = config.name, config.config_operation
        if operation == SET:
            merged[name] = config.value
        elif operation == DELETE:
            merged.pop(name, None)
        elif operation in (APPEND, SUBTRACT):
            rule = _list_rule(rules.get(name), name, operation, is_broker=is_broker)
            merged[name] = _joined(merged.get(name, rule.default), operation, config.value)
        elif is_broker:
            text = f"Unknown operations type {operation}"
            raise RefusalError(ErrorCode.INVALID_REQUEST, text)
        else:
            raise RefusalError(ErrorCode.UNKNOWN_SERVER_ERROR)
    return merged


def _list_rule(rule: Rule | None, name: str, operation: int, *, is_broker: bool) -> Rule:
    """The rule of a setting that is a list; Kafka's refusals of others differ by resource."""
    if rule is not None and rule.kind == TYPE_LIST:
        return rule
    word = "append" if operation == APPEND else "subtract"
    if not is_broker:
        text = f"Can't {word.upper()} to key {name} because its type is not LIST."
    elif rule is not None:
        text = f"Config value {word} is not allowed for config key: {name}"
    else:
        raise RefusalError(ErrorCode.UNKNOWN_SERVER_ERROR)
    raise RefusalError(ErrorCode.INVALID_CONFIG, text)


def _joined(old: str, operation: int, value: str) -> str:
    words = [word for word in old.split(",") if word]
    for word in value.split(","):
        if operation == SUBTRACT and word in words:
            words.remove(word)
        elif operation == APPEND and word not in words:
            words.append(word)
    return ",".join(words)
