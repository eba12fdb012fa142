"""Asking a broker where partitions are to be: more of them, on other nodes, under other leaders."""

from collections.abc import Sequence
from typing import Any

from kafka.protocol.admin import (
    AlterPartitionReassignmentsRequest,
    CreatePartitionsRequest,
    ElectLeadersRequest,
)

from tests.contract.connection import Connection

TIMEOUT_MS = 30_000
PREFERRED = 0


async def create_partitions(
    wire: Connection,
    topic: str,
    count: int,
    *,
    assignments: Sequence[Sequence[int]] | None = None,
    validate_only: bool = False,
    version: int = 1,
) -> Any:
    """Let a topic have `count` partitions; returns its result."""
    wanted = CreatePartitionsRequest.CreatePartitionsTopic
    chosen = None
    if assignments is not None:
        chosen = [
            wanted.CreatePartitionsAssignment(broker_ids=list(nodes)) for nodes in assignments
        ]
    request = CreatePartitionsRequest(
        topics=[wanted(name=topic, count=count, assignments=chosen)],
        timeout_ms=TIMEOUT_MS,
        validate_only=validate_only,
    )
    return (await wire.ask(request, version)).results[0]


async def elect_leaders(
    wire: Connection,
    topic: str,
    *,
    partition: int = 0,
    election_type: int = PREFERRED,
    version: int = 1,
) -> Any:
    """Hold an election for one partition; returns its result."""
    wanted = ElectLeadersRequest.TopicPartitions(topic=topic, partitions=[partition])
    request = ElectLeadersRequest(
        election_type=election_type, topic_partitions=[wanted], timeout_ms=TIMEOUT_MS
    )
    answer = await wire.ask(request, version)
    return answer.replica_election_results[0].partition_result[0]


async def reassign(
    wire: Connection,
    topic: str,
    replicas: Sequence[int] | None,
    *,
    partition: int = 0,
    version: int = 0,
) -> Any:
    """Keep one partition on these nodes, the preferred leader first; None cancels."""
    wanted = AlterPartitionReassignmentsRequest.ReassignableTopic
    part = wanted.ReassignablePartition(
        partition_index=partition, replicas=None if replicas is None else list(replicas)
    )
    request = AlterPartitionReassignmentsRequest(
        timeout_ms=TIMEOUT_MS,
        allow_replication_factor_change=True,
        topics=[wanted(name=topic, partitions=[part])],
    )
    return (await wire.ask(request, version)).responses[0].partitions[0]
