"""TxnOffsetCommit: offsets of a group that count when the producer's transaction is committed.

Speaks versions 0 to 5: fenced by member and generation from 3 on; from 5 on (KIP-890) it needs no
AddOffsetsToTxn before it. Partitions that do not exist are answered first; only if some are left
are the transaction and the group asked.
"""

from typing import TYPE_CHECKING, Any

from kafka.protocol.producer import TxnOffsetCommitRequest, TxnOffsetCommitResponse

from station_sim.kafka.coordinator_partitions import OFFSETS_TOPIC
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group_messages import Identity
from station_sim.kafka.group_offsets import NO_LEADER_EPOCH, NO_METADATA
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.transaction import Producer
from station_sim.kafka.transactional_writes import WriteKind, refusal_of_write

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = TxnOffsetCommitRequest
RESPONSE = TxnOffsetCommitResponse

_FIRST_VERSION_WITH_LEADER_EPOCH = 2
_FIRST_VERSION_WITH_ABORTABLE = 4

_TOPIC = RESPONSE.TxnOffsetCommitResponseTopic
_PARTITION = _TOPIC.TxnOffsetCommitResponsePartition


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """One error code for each partition."""
    refusal = ErrorCode.NONE
    if any(
        cluster.topics.partition(topic.name, partition.partition_index) is not None
        for topic in request.topics
        for partition in topic.partitions
    ):
        refusal = _refusal(cluster, request, context)
    return RESPONSE(
        topics=[
            _TOPIC(
                name=topic.name,
                partitions=[
                    _PARTITION(
                        partition_index=partition.partition_index,
                        error_code=_store(
                            cluster, request, context, topic.name, partition, refusal
                        ),
                    )
                    for partition in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


def _refusal(cluster: "Cluster", request: Any, context: RequestContext) -> ErrorCode:
    group_id = request.group_id
    if not group_id:
        return ErrorCode.INVALID_GROUP_ID
    refusal = refusal_of_write(
        cluster.transactions,
        request.transactional_id,
        Producer(request.producer_id, request.producer_epoch),
        (OFFSETS_TOPIC, cluster.groups.partition_for(group_id)),
        WriteKind.of(context.version, abortable_since=_FIRST_VERSION_WITH_ABORTABLE),
    )
    if refusal:
        return refusal
    return cluster.groups.check_transactional_commit(
        group_id, Identity(request.member_id, request.group_instance_id), request.generation_id
    )


def _store(
    cluster: "Cluster",
    request: Any,
    context: RequestContext,
    topic: str,
    partition: Any,
    refusal: ErrorCode,
) -> ErrorCode:
    if cluster.topics.partition(topic, partition.partition_index) is None:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if refusal:
        return refusal
    has_epoch = context.version >= _FIRST_VERSION_WITH_LEADER_EPOCH
    return cluster.groups.commit_in_transaction(
        request.producer_id,
        request.group_id,
        topic,
        partition.partition_index,
        partition.committed_offset,
        leader_epoch=partition.committed_leader_epoch if has_epoch else NO_LEADER_EPOCH,
        metadata=partition.committed_metadata or NO_METADATA,
    )
