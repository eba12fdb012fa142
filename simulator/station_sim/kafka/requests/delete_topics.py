"""DeleteTopics: topics and all their records go at once.

Speaks versions 1 to 6, by name or (6) by topic id. Fetches that wait for such a topic are answered.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import DeleteTopicsRequest, DeleteTopicsResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

VERSIONS = (1, 6)
REQUEST = DeleteTopicsRequest
RESPONSE = DeleteTopicsResponse

_FIRST_VERSION_WITH_IDS = 6
_TOPIC = RESPONSE.DeletableTopicResult


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One result for each topic."""
    if context.version < _FIRST_VERSION_WITH_IDS:
        return RESPONSE(responses=[_delete(cluster, name, None) for name in request.topic_names])
    answers = []
    for asked in request.topics:
        name = asked.name
        if name is None:
            topic = cluster.topics.with_id(asked.topic_id)
            if topic is None:
                code = ErrorCode.UNKNOWN_TOPIC_ID
                answers.append(_TOPIC(name=None, topic_id=asked.topic_id, error_code=code))
                continue
            name = topic.name
        answers.append(_delete(cluster, name, asked.topic_id))
    return RESPONSE(responses=answers)


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
