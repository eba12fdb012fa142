"""DeleteTopics: topics and all their records go at once.

Speaks versions 1 to 6, by name or (6) by topic id. Fetches that wait for such a topic are answered.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DeleteTopicsRequest, DeleteTopicsResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.topic_ids import NO_ID

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = DeleteTopicsRequest
RESPONSE = DeleteTopicsResponse

_FIRST_VERSION_WITH_IDS = 6
_TOPIC = RESPONSE.DeletableTopicResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each topic."""
    if context.version < _FIRST_VERSION_WITH_IDS:
        return RESPONSE(responses=[_delete(cluster, name, None) for name in request.topic_names])
    times_named = Counter((asked.name, asked.topic_id) for asked in request.topics)
    return RESPONSE(
        responses=[
            _delete_one(cluster, asked, times_named[asked.name, asked.topic_id])
            for asked in request.topics
        ]
    )


def _delete_one(cluster: "Cluster", asked: Any, times_named: int) -> Any:
    name, topic_id = asked.name, asked.topic_id
    try:
        _check_naming(asked, times_named)
        if name is None:
            topic = cluster.topics.with_id(topic_id)
            if topic is None:
                raise RefusalError(
                    ErrorCode.UNKNOWN_TOPIC_ID, "This server does not host this topic ID."
                )
            name = topic.name
    except RefusalError as refused:
        return _TOPIC(
            name=name, topic_id=topic_id, error_code=refused.code, error_message=refused.message
        )
    return _delete(cluster, name, topic_id)


def _check_naming(asked: Any, times_named: int) -> None:
    """Raise `RefusalError` (INVALID_REQUEST) unless a topic is named one way, and once."""
    by_name, by_id = asked.name is not None, asked.topic_id not in (None, NO_ID)
    if by_name == by_id:
        text = (
            "You may not specify both topic name and topic id."
            if by_name
            else "Neither topic name nor id were specified."
        )
    elif times_named > 1:
        text = "Duplicate topic name." if by_name else "Duplicate topic id."
    else:
        return
    raise RefusalError(ErrorCode.INVALID_REQUEST, text)


def _delete(cluster: "Cluster", name: str, topic_id: Any) -> Any:
    try:
        if not cluster.settings.delete_topic_enable:
            raise RefusalError(ErrorCode.TOPIC_DELETION_DISABLED, "Topic deletion is disabled.")
        topic = cluster.topics.delete(name)
    except RefusalError as refused:
        return _TOPIC(
            name=name, topic_id=topic_id, error_code=refused.code, error_message=refused.message
        )
    cluster.groups.forget_topic(name)
    cluster.wake(topic.partitions)
    return _TOPIC(name=name, topic_id=topic.topic_id, error_code=ErrorCode.NONE)
