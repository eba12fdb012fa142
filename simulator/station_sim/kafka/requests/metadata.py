"""Metadata: the cluster's only broker, and topics with their partitions; makes missing topics.

Speaks versions 0 to 12 (13 only adds an error of the whole answer). A topic that is missing is made
if the request and `auto.create.topics.enable` allow it; the answer still says error 3 for it, and
the next request finds it, as with Apache Kafka.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.metadata import MetadataRequest, MetadataResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.topics import INTERNAL_TOPICS, Topic, check_name

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

VERSIONS = (0, 12)
REQUEST = MetadataRequest
RESPONSE = MetadataResponse

_FIRST_VERSION_WITH_EMPTY_LIST = 1
_TOPIC = RESPONSE.MetadataResponseTopic
_PARTITION = _TOPIC.MetadataResponsePartition


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """All topics, or those asked for."""
    wants_all = request.topics is None or (
        not request.topics and context.version < _FIRST_VERSION_WITH_EMPTY_LIST
    )
    if wants_all:
        topics = [_describe(cluster, topic) for topic in cluster.topics]
    else:
        topics = [_answer(cluster, asked, request) for asked in request.topics]
    return RESPONSE(
        brokers=[
            RESPONSE.MetadataResponseBroker(
                node_id=node.node_id, host=node.advertised_host, port=node.port, rack=None
            )
            for node in cluster.nodes.values()
        ],
        cluster_id=cluster.cluster_id,
        controller_id=cluster.controller.node_id,
        topics=topics,
    )


def _answer(cluster: "Cluster", asked: Any, request: Any) -> Any:
    if asked.name is None:
        by_id = cluster.topics.with_id(asked.topic_id)
        if by_id is None:
            return _TOPIC(error_code=ErrorCode.UNKNOWN_TOPIC_ID, name=None, topic_id=asked.topic_id)
        return _describe(cluster, by_id)
    topic = cluster.topics.get(asked.name)
    if topic is not None:
        return _describe(cluster, topic)
    return _TOPIC(error_code=_missing(cluster, asked.name, request), name=asked.name)


def _missing(cluster: "Cluster", name: str, request: Any) -> ErrorCode:
    try:
        check_name(name)
        if request.allow_auto_topic_creation and cluster.settings.auto_create_topics_enable:
            cluster.topics.create(name)
    except RefusalError as refused:
        return refused.code
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def _describe(cluster: "Cluster", topic: Topic) -> Any:
    here = [cluster.controller.node_id]
    return _TOPIC(
        error_code=ErrorCode.NONE,
        name=topic.name,
        topic_id=topic.topic_id,
        is_internal=topic.name in INTERNAL_TOPICS,
        partitions=[
            _PARTITION(
                error_code=ErrorCode.NONE,
                partition_index=log.partition,
                leader_id=cluster.controller.node_id,
                leader_epoch=log.leader_epoch,
                replica_nodes=here,
                isr_nodes=here,
            )
            for log in topic.partitions
        ],
    )
