"""Metadata: the cluster's nodes, and topics with their partitions; makes missing topics.

Speaks versions 0 to 13. From 12 on topics may be named by id; where any is, names count for
nothing. A topic that is missing is made if the request and `auto.create.topics.enable` allow it;
the answer still says error 3 for it, and the next request finds it, as with Apache Kafka.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kafka.protocol.metadata import MetadataRequest, MetadataResponse

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.replicas import NO_LEADER, Leadership
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.topic_ids import NO_ID
from station_sim.kafka.topics import INTERNAL_TOPICS, PARTITIONS_MAX, Topic, check_name

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster
    from station_sim.kafka.node import Node

REQUEST = MetadataRequest
RESPONSE = MetadataResponse

_FIRST_VERSION_WITH_EMPTY_LIST = 1
_FIRST_VERSION_WITH_IDS, _FIRST_VERSION_BY_ID = 10, 12
_TOPIC = RESPONSE.MetadataResponseTopic
_PARTITION = _TOPIC.MetadataResponsePartition


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """All topics, or those asked for, each once."""
    wants_all = request.topics is None or (
        not request.topics and context.version < _FIRST_VERSION_WITH_EMPTY_LIST
    )
    if wants_all:
        topics = [_describe(cluster, topic, context.node) for topic in cluster.topics]
    else:
        by_id = _asked_by_id(request, context.version)
        is_nameless = any(asked.name is None for asked in request.topics)
        if context.version < _FIRST_VERSION_BY_ID and (by_id or is_nameless):
            return _refused(request, ErrorCode.INVALID_REQUEST)
        if is_nameless and not by_id:
            return _refused(request, ErrorCode.UNKNOWN_SERVER_ERROR)
        ids = dict.fromkeys(asked.topic_id for asked in by_id)
        topics = [_answer_by_id(cluster, topic_id, context.node) for topic_id in ids]
        if not by_id:
            names = dict.fromkeys(asked.name for asked in request.topics)
            may_make = _may_make(cluster, request, names)
            topics = [_answer(cluster, name, may_make, context.node) for name in names]
    return RESPONSE(
        brokers=[
            RESPONSE.MetadataResponseBroker(
                node_id=node.node_id, host=node.advertised_host, port=node.port, rack=None
            )
            for node in known_nodes(cluster, context.node)
        ],
        cluster_id=cluster.cluster_id,
        controller_id=cluster.controller.node_id,
        topics=topics,
    )


def known_nodes(cluster: "Cluster", asked: "Node") -> list["Node"]:
    """The nodes that the one that is asked believes to live."""
    active = cluster.elections.is_active
    return [n for n in cluster.nodes.values() if asked.view or active(n.node_id)]


def _asked_by_id(request: Any, version: int) -> list[Any]:
    if version < _FIRST_VERSION_WITH_IDS:
        return []
    return [asked for asked in request.topics if asked.topic_id not in (None, NO_ID)]


def _refused(request: Any, code: ErrorCode) -> Any:
    """Versions 10 and 11 have ids, and do not look topics up by them; none knows a topic that has
    neither name nor id.
    """
    return RESPONSE(
        cluster_id=None,
        error_code=code,
        topics=[
            _TOPIC(error_code=code, name=asked.name or "", topic_id=asked.topic_id)
            for asked in request.topics
        ],
    )


def _answer_by_id(cluster: "Cluster", topic_id: UUID, node: "Node") -> Any:
    topic = cluster.topics.with_id(topic_id)
    if topic is None:
        return _TOPIC(error_code=ErrorCode.UNKNOWN_TOPIC_ID, name=None, topic_id=topic_id)
    return _describe(cluster, topic, node)


def _may_make(cluster: "Cluster", request: Any, names: Iterable[str]) -> bool:
    """Whether topics that are missing are made: not if they had too many partitions together."""
    settings = cluster.settings
    if not (request.allow_auto_topic_creation and settings.auto_create_topics_enable):
        return False
    missing = sum(name not in cluster.topics for name in names)
    return missing * settings.num_partitions <= PARTITIONS_MAX


def _answer(cluster: "Cluster", name: str, may_make: bool, node: "Node") -> Any:
    topic = cluster.topics.get(name)
    if topic is not None:
        return _describe(cluster, topic, node)
    return _TOPIC(error_code=_missing(cluster, name, may_make), name=name)


def _missing(cluster: "Cluster", name: str, may_make: bool) -> ErrorCode:
    try:
        check_name(name)
        if may_make:
            cluster.topics.create(name)
    except RefusalError as refused:
        if refused.code != ErrorCode.INVALID_REPLICATION_FACTOR:  # which Kafka finds out later
            return refused.code
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def leadership(node: "Node", log: PartitionLog) -> Leadership:
    """Who leads a partition, as far as a node has heard."""
    old = node.view.outdated(log.replicas)
    if old is not None:
        return old
    return Leadership(log.replicas.leader_id, log.leader_epoch, log.replicas.in_sync_ids)


def offline(cluster: "Cluster", log: PartitionLog) -> list[int]:
    """The replicas of a partition whose nodes are gone."""
    active = cluster.elections.is_active
    return [node_id for node_id in log.replicas.node_ids if not active(node_id)]


def _partition(cluster: "Cluster", node: "Node", log: PartitionLog) -> Any:
    led = leadership(node, log)
    leaderless = led.leader_id == NO_LEADER
    return _PARTITION(
        error_code=ErrorCode.LEADER_NOT_AVAILABLE if leaderless else ErrorCode.NONE,
        partition_index=log.partition,
        leader_id=led.leader_id,
        leader_epoch=led.leader_epoch,
        replica_nodes=log.replicas.node_ids,
        isr_nodes=led.in_sync_ids,
        offline_replicas=offline(cluster, log),
    )


def _describe(cluster: "Cluster", topic: Topic, node: "Node") -> Any:
    return _TOPIC(
        error_code=ErrorCode.NONE,
        name=topic.name,
        topic_id=topic.topic_id,
        is_internal=topic.name in INTERNAL_TOPICS,
        partitions=[_partition(cluster, node, log) for log in topic.partitions],
    )
