"""What AlterConfigs and IncrementalAlterConfigs share: finding the resource, refusing, changing.

How a request says what a resource's settings shall be is in the two modules; which settings the
broker lets change is in `dynamic_settings.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.topics import check_name

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

RESOURCE_TOPIC, RESOURCE_BROKER = 2, 4

Merge = Callable[[Any, Mapping[str, str]], dict[str, str]]
"""From what is asked of a resource and what is said for it now: what shall be said."""


def change_all(
    cluster: "Cluster", request: Any, context: RequestContext, merge: Merge
) -> list[tuple[Any, ErrorCode, str | None]]:
    """Change every resource, each wholly or not at all: what was asked, error code, text."""
    named = [(asked.resource_type, asked.resource_name) for asked in request.resources]
    times_named = Counter(named)
    results: list[tuple[Any, ErrorCode, str | None]] = []
    for asked, key in zip(request.resources, named, strict=True):
        try:
            if times_named[key] > 1:
                raise _invalid("Each resource must appear at most once.")
            _change(cluster, context, asked, merge, only_check=request.validate_only)
            results.append((asked, ErrorCode.NONE, None))
        except RefusalError as refused:
            results.append((asked, refused.code, refused.message or None))
    return results


def refuse_duplicates_and_nulls(configs: Iterable[Any], nulls: Iterable[str]) -> None:
    """Raise `RefusalError` if a setting comes twice, or any is in `nulls`."""
    names = [config.name for config in configs]
    if len(set(names)) < len(names):
        raise _invalid("Error due to duplicate config keys")
    without = list(nulls)
    if without:
        raise _invalid(f"Null value not supported for : {', '.join(without)}")


def _change(
    cluster: "Cluster", context: RequestContext, asked: Any, merge: Merge, *, only_check: bool
) -> None:
    if asked.resource_type == RESOURCE_TOPIC:
        _change_topic(cluster, asked, merge, only_check=only_check)
    elif asked.resource_type == RESOURCE_BROKER:
        _change_broker(cluster, context.node.node_id, asked, merge, only_check=only_check)
    else:
        merge(asked, {})
        raise _invalid(f"Unknown resource type {asked.resource_type}")


def _change_topic(cluster: "Cluster", asked: Any, merge: Merge, *, only_check: bool) -> None:
    name = asked.resource_name
    topic = cluster.topics.get(name)
    config = merge(asked, {} if topic is None else topic.config.overrides)
    if not name:
        raise _invalid("Default topic resources are not allowed.")
    check_name(name)
    if only_check:
        cluster.topics.checked_config(name, config)
    else:
        cluster.configure_topic(name, config)


def _change_broker(
    cluster: "Cluster", asked_node_id: int, asked: Any, merge: Merge, *, only_check: bool
) -> None:
    node_id = None
    if asked.resource_name:
        node_id = _node_id(asked.resource_name)
        if node_id != asked_node_id:
            raise _invalid(
                f"Unexpected broker id, expected {asked_node_id}, but received "
                f"{asked.resource_name}"
            )
    texts = merge(asked, cluster.dynamic_settings.said(node_id))
    if only_check:
        cluster.dynamic_settings.check(node_id, texts)
    else:
        cluster.configure_broker(node_id, texts)


def _node_id(name: str) -> int:
    try:
        return int(name)
    except ValueError as error:
        raise _invalid(f"Node id must be an integer, but it is: {name}") from error


def _invalid(text: str) -> RefusalError:
    return RefusalError(ErrorCode.INVALID_REQUEST, text)
