"""Adding partitions to topics, and where partitions are kept: on one node, what can be told there.

What takes several nodes is in `nodes.py`.
"""

from functools import partial
from typing import Any

from kafka.protocol.admin import (
    AlterPartitionReassignmentsRequest,
    CreatePartitionsRequest,
    DescribeTopicPartitionsRequest,
    ElectLeadersRequest,
    ListPartitionReassignmentsRequest,
)

from tests.contract.asking import metadata
from tests.contract.bench import Bench
from tests.contract.placing import create_partitions, elect_leaders, reassign
from tests.contract.registry import case
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
INVALID_TOPIC = 17
INVALID_PARTITIONS = 37
INVALID_REPLICATION_FACTOR = 38
INVALID_REPLICA_ASSIGNMENT = 39
INVALID_REQUEST = 42
ELECTION_NOT_NEEDED = 84
NO_REASSIGNMENT_IN_PROGRESS = 85


async def count(kafka: Bench, topic: str) -> int:
    """How many partitions a topic has."""
    return len((await metadata(kafka.wire, topic)).topics[0].partitions)


async def has(kafka: Bench, topic: str, partitions: int) -> bool:
    """Whether a topic has so many partitions, each with a leader."""
    found = (await metadata(kafka.wire, topic)).topics[0].partitions
    return len(found) == partitions and all(each.leader_id >= 0 for each in found)


async def own_id(kafka: Bench) -> int:
    """The id of a node."""
    found: int = (await metadata(kafka.wire)).brokers[0].node_id
    return found


@case("CreatePartitions")
async def case_create_partitions_every_version(kafka: Bench) -> None:
    """CreatePartitions adds partitions at every version it advertises."""
    topic = await kafka.topic()
    for wanted, version in enumerate(await kafka.versions(CreatePartitionsRequest), start=2):
        done = await create_partitions(kafka.wire, topic, wanted, version=version)
        assert (0, topic) == (done.error_code, done.name)
        await eventually(partial(has, kafka, topic, wanted))


@case("CreatePartitions")
async def case_create_partitions_refusals(kafka: Bench) -> None:
    """No topic is error 3, no increase 37, a wrong assignment 39, a topic named twice 42."""
    topic, node = await kafka.topic(partitions=2), await own_id(kafka)
    for name, wanted, assignments, expected, text in (
        (kafka.name("nowhere"), 2, None, UNKNOWN_TOPIC_OR_PARTITION, ""),
        (topic, 2, None, INVALID_PARTITIONS, "Topic already has 2 partition(s)."),
        (topic, 1, None, INVALID_PARTITIONS, "1 would not be an increase"),
        (topic, 0, None, INVALID_PARTITIONS, "0 would not be an increase"),
        (topic, 4, [[node]], INVALID_REPLICA_ASSIGNMENT, "only 1 assignment(s)"),
        (topic, 3, [[]], INVALID_REPLICA_ASSIGNMENT, "empty replica list"),
        (topic, 3, [[node + 90]], INVALID_REPLICA_ASSIGNMENT, "no such broker is registered"),
        (topic, 3, [[node, node]], INVALID_REPLICA_ASSIGNMENT, "more than once"),
    ):
        refused = await create_partitions(kafka.wire, name, wanted, assignments=assignments)
        assert expected == refused.error_code, (wanted, assignments, refused)
        assert text in (refused.error_message or "")
    assert 2 == await count(kafka, topic)


@case("CreatePartitions")
async def case_create_partitions_named_twice(kafka: Bench) -> None:
    """A topic named twice in one request is error 42, and stays as it is."""
    topic = await kafka.topic()
    twin = CreatePartitionsRequest.CreatePartitionsTopic(name=topic, count=2, assignments=None)
    request = CreatePartitionsRequest(topics=[twin, twin], timeout_ms=30_000, validate_only=False)
    (result,) = (await kafka.wire.ask(request, 1)).results
    assert (INVALID_REQUEST, "Duplicate topic name.") == (result.error_code, result.error_message)
    assert 1 == await count(kafka, topic)


@case("CreatePartitions")
async def case_create_partitions_validates_only(kafka: Bench) -> None:
    """`validate_only` judges and adds nothing."""
    topic = await kafka.topic()
    assert 0 == (await create_partitions(kafka.wire, topic, 3, validate_only=True)).error_code
    refused = await create_partitions(kafka.wire, topic, 1, validate_only=True)
    assert INVALID_PARTITIONS == refused.error_code
    assert 1 == await count(kafka, topic)


@case("CreatePartitions")
async def case_create_partitions_where_told(kafka: Bench) -> None:
    """Partitions come to the nodes that the request names."""
    topic, node = await kafka.topic(), await own_id(kafka)
    done = await create_partitions(kafka.wire, topic, 3, assignments=[[node], [node]])
    assert 0 == done.error_code, done
    await eventually(partial(has, kafka, topic, 3))
    found = (await metadata(kafka.wire, topic)).topics[0].partitions
    assert [[node]] * 3 == [list(each.replica_nodes) for each in found]


async def describe(kafka: Bench, *topics: str, limit: int = 100, cursor: Any = None) -> Any:
    """One page of DescribeTopicPartitions."""
    wanted = [DescribeTopicPartitionsRequest.TopicRequest(name=topic) for topic in topics]
    request = DescribeTopicPartitionsRequest(
        topics=wanted, response_partition_limit=limit, cursor=cursor
    )
    return await kafka.wire.ask(request, 0)


@case("DescribeTopicPartitions")
async def case_describe_topic_partitions(kafka: Bench) -> None:
    """DescribeTopicPartitions tells of leaders and replicas, and of topics that are not there."""
    topic, node = await kafka.topic(partitions=2), await own_id(kafka)
    missing = kafka.name("z-missing")
    answer = await describe(kafka, missing, topic, "not/legal")
    by_name = {each.name: each for each in answer.topics}
    assert sorted(by_name) == [each.name for each in answer.topics]
    assert UNKNOWN_TOPIC_OR_PARTITION == by_name[missing].error_code
    assert INVALID_TOPIC == by_name["not/legal"].error_code
    found = by_name[topic]
    assert (0, await kafka.topic_id(topic), False) == (
        found.error_code,
        found.topic_id,
        found.is_internal,
    )
    assert [(0, 0, node), (0, 1, node)] == [
        (each.error_code, each.partition_index, each.leader_id) for each in found.partitions
    ]
    for each in found.partitions:
        assert [[node], [node], []] == [
            list(each.replica_nodes),
            list(each.isr_nodes),
            list(each.offline_replicas),
        ]


@case("DescribeTopicPartitions")
async def case_describe_topic_partitions_pages(kafka: Bench) -> None:
    """A page ends at its limit and names where the next one begins."""
    first, second = await kafka.topic("a", partitions=3), await kafka.topic("b")
    pages: list[list[tuple[str, int]]] = []
    cursor = None
    while True:
        answer = await describe(kafka, first, second, limit=2, cursor=cursor)
        pages.append([(t.name, p.partition_index) for t in answer.topics for p in t.partitions])
        if answer.next_cursor is None:
            break
        cursor = DescribeTopicPartitionsRequest.Cursor(
            topic_name=answer.next_cursor.topic_name,
            partition_index=answer.next_cursor.partition_index,
        )
    assert [[(first, 0), (first, 1)], [(first, 2), (second, 0)]] == pages


@case("ElectLeaders")
async def case_elections_not_needed(kafka: Bench) -> None:
    """A partition that its preferred replica leads needs no election, at any version."""
    topic = await kafka.topic()
    for version in await kafka.versions(ElectLeadersRequest):
        result = await elect_leaders(kafka.wire, topic, version=version)
        assert ELECTION_NOT_NEEDED == result.error_code
    unknown = await elect_leaders(kafka.wire, topic, partition=7)
    assert UNKNOWN_TOPIC_OR_PARTITION == unknown.error_code
    everything = await kafka.wire.ask(
        ElectLeadersRequest(election_type=0, topic_partitions=None, timeout_ms=30_000), 1
    )
    assert [] == [r for t in everything.replica_election_results for r in t.partition_result]


@case("AlterPartitionReassignments", "ListPartitionReassignments")
async def case_reassignments(kafka: Bench) -> None:
    """Reassigning to where a partition is does nothing; other nodes and cancelling are refused."""
    topic, node = await kafka.topic(), await own_id(kafka)
    for version in await kafka.versions(AlterPartitionReassignmentsRequest):
        assert 0 == (await reassign(kafka.wire, topic, [node], version=version)).error_code
    for replicas, expected in (
        ([node + 90], INVALID_REPLICA_ASSIGNMENT),
        ([], INVALID_REPLICA_ASSIGNMENT),
        (None, NO_REASSIGNMENT_IN_PROGRESS),
    ):
        assert expected == (await reassign(kafka.wire, topic, replicas)).error_code
    unknown = await reassign(kafka.wire, kafka.name("nowhere"), [node])
    assert UNKNOWN_TOPIC_OR_PARTITION == unknown.error_code
    request = ListPartitionReassignmentsRequest(timeout_ms=30_000, topics=None)
    answer = await kafka.wire.ask(request, 0)
    assert (0, []) == (answer.error_code, list(answer.topics))
