"""The requests of groups in every version they speak, through kafka-python's encoding and back.

Expected answers are those of Apache Kafka 4.1.0, asked the same questions.
"""

import asyncio
import inspect
import random
from typing import Any

import pytest
from kafka.protocol.admin import DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest
from kafka.protocol.consumer import (
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
    SyncGroupRequest,
)
from kafka.protocol.metadata import FindCoordinatorRequest

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.registry import KINDS, KINDS_BY_NAME
from station_sim.kafka.requests.shapes import refuse

GROUP_KINDS = {
    "FindCoordinator": (0, 6),
    "JoinGroup": (0, 9),
    "SyncGroup": (0, 5),
    "Heartbeat": (0, 4),
    "LeaveGroup": (0, 5),
    "OffsetCommit": (2, 9),
    "OffsetFetch": (1, 9),
    "DescribeGroups": (0, 6),
    "ListGroups": (0, 5),
    "DeleteGroups": (0, 2),
}
ROUNDS = range(10)
"""Round n speaks each kind in its version n, or the nearest it has."""


class Peer:
    """A connection that is never closed, of somebody who need not prove anything."""

    authentication = None

    def close(self) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Do nothing."""


class Wire:
    """A broker asked in one round's versions, each question and answer encoded and decoded."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.cluster = Cluster(rng=random.Random(1), node_id=1, port=9092)
        self.cluster.create_topic("t", partitions=2)

    def version(self, name: str) -> int:
        """The version this round speaks of a kind."""
        low, high = GROUP_KINDS[name]
        return min(max(self.number, low), high)

    async def ask(self, request: Any) -> Any:
        """The decoded answer."""
        kind = KINDS[request.API_KEY]
        version = self.version(kind.name)
        decoded = kind.request.decode(request.encode(version=version), version=version)
        context = RequestContext(version, 1, "c", "/127.0.0.1", self.cluster.controller, Peer())
        answer = kind.handle(self.cluster, decoded, context)
        if inspect.isawaitable(answer):
            answer = await answer
        return kind.response.decode(answer.encode(version=version), version=version)


def join(member_id: str = "") -> JoinGroupRequest:
    protocol = JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=b"meta")
    return JoinGroupRequest(
        group_id="g",
        session_timeout_ms=10_000,
        rebalance_timeout_ms=10_000,
        member_id=member_id,
        protocol_type="consumer",
        protocols=[protocol],
    )


def sync(member_id: str) -> SyncGroupRequest:
    assignment = SyncGroupRequest.SyncGroupRequestAssignment(
        member_id=member_id, assignment=b"mine"
    )
    return SyncGroupRequest(
        group_id="g",
        generation_id=1,
        member_id=member_id,
        protocol_type="consumer",
        protocol_name="range",
        assignments=[assignment],
    )


def commit(member_id: str, generation_id: int) -> OffsetCommitRequest:
    topic_class = OffsetCommitRequest.OffsetCommitRequestTopic
    partitions = [
        topic_class.OffsetCommitRequestPartition(
            partition_index=index,
            committed_offset=5,
            committed_leader_epoch=0,
            committed_metadata="note",
        )
        for index in (0, 99)
    ]
    return OffsetCommitRequest(
        group_id="g",
        generation_id_or_member_epoch=generation_id,
        member_id=member_id,
        retention_time_ms=-1,
        topics=[topic_class(name="t", partitions=partitions)],
    )


def fetch_offsets(partitions: list[int] | None) -> OffsetFetchRequest:
    group_class = OffsetFetchRequest.OffsetFetchRequestGroup
    topics = group_topics = None
    if partitions is not None:
        topics = [
            OffsetFetchRequest.OffsetFetchRequestTopic(name="t", partition_indexes=partitions)
        ]
        group_topics = [
            group_class.OffsetFetchRequestTopics(name="t", partition_indexes=partitions)
        ]
    groups = [group_class(group_id="g", topics=group_topics)]
    return OffsetFetchRequest(group_id="g", topics=topics, groups=groups)


def offsets_in(answer: Any, version: int) -> list[tuple[str, int, int, str]]:
    topics = answer.topics if version < 8 else answer.groups[0].topics
    return [
        (topic.name, p.partition_index, p.committed_offset, p.metadata)
        for topic in topics
        for p in topic.partitions
    ]


def leave(member_id: str) -> LeaveGroupRequest:
    members = [LeaveGroupRequest.MemberIdentity(member_id=member_id)]
    return LeaveGroupRequest(group_id="g", member_id=member_id, members=members)


async def become_stable(wire: Wire) -> str:
    """Join and sync as the only member; return its id."""
    answer = await wire.ask(join())
    if wire.version("JoinGroup") >= 4:
        assert answer.error_code == ErrorCode.MEMBER_ID_REQUIRED
        answer = await wire.ask(join(answer.member_id))
    assert (0, 1, "range") == (answer.error_code, answer.generation_id, answer.protocol_name)
    assert [(answer.leader, b"meta")] == [(m.member_id, m.metadata) for m in answer.members]
    synced = await wire.ask(sync(answer.member_id))
    assert (0, b"mine") == (synced.error_code, synced.assignment)
    return str(answer.member_id)


def test_the_versions_are_those_of_apache_kafka() -> None:
    assert {name: KINDS_BY_NAME[name].versions for name in GROUP_KINDS} == GROUP_KINDS


@pytest.mark.parametrize("number", ROUNDS)
def test_a_members_life(number: int) -> None:
    async def main() -> None:
        wire = Wire(number)
        member_id = await become_stable(wire)
        beat = HeartbeatRequest(group_id="g", generation_id=1, member_id=member_id)
        assert (await wire.ask(beat)).error_code == 0
        committed = await wire.ask(commit(member_id, 1))
        assert [0, 3] == [p.error_code for p in committed.topics[0].partitions]
        await check_offsets(wire)
        await check_descriptions(wire, member_id)
        left = await wire.ask(leave(member_id))
        codes = [left.error_code, *(m.error_code for m in left.members or ())]
        assert not any(codes)
        deleted = await wire.ask(DeleteGroupsRequest(groups_names=["g", "g", "nope"]))
        assert [("g", 0), ("nope", 69)] == [(r.group_id, r.error_code) for r in deleted.results]

    asyncio.run(main())


async def check_offsets(wire: Wire) -> None:
    version = wire.version("OffsetFetch")
    fetched = await wire.ask(fetch_offsets([0, 1]))
    assert [("t", 0, 5, "note"), ("t", 1, -1, "")] == offsets_in(fetched, version)
    if version >= 2:
        everything = await wire.ask(fetch_offsets(None))
        assert [("t", 0, 5, "note")] == offsets_in(everything, version)


async def check_descriptions(wire: Wire, member_id: str) -> None:
    described = (await wire.ask(DescribeGroupsRequest(groups=["g", "nope"]))).groups
    assert ["Stable", "Dead"] == [group.group_state for group in described]
    missing = ErrorCode.GROUP_ID_NOT_FOUND if wire.version("DescribeGroups") == 6 else 0
    assert [0, missing] == [group.error_code for group in described]
    (member,) = described[0].members
    assert (member_id, "c", "/127.0.0.1", b"meta", b"mine") == (
        member.member_id,
        member.client_id,
        member.client_host,
        member.member_metadata,
        member.member_assignment,
    )
    listed = await wire.ask(ListGroupsRequest(states_filter=["stable"], types_filter=["Classic"]))
    assert [("g", "consumer")] == [(g.group_id, g.protocol_type) for g in listed.groups]


@pytest.mark.parametrize("number", ROUNDS)
def test_strangers_are_refused(number: int) -> None:
    async def main() -> None:
        wire = Wire(number)
        await become_stable(wire)
        stranger = HeartbeatRequest(group_id="g", generation_id=1, member_id="x")
        assert (await wire.ask(stranger)).error_code == ErrorCode.UNKNOWN_MEMBER_ID
        assert (await wire.ask(sync("x"))).error_code == ErrorCode.UNKNOWN_MEMBER_ID
        assert (await wire.ask(join("x"))).error_code == ErrorCode.UNKNOWN_MEMBER_ID
        left = await wire.ask(leave("x"))
        code = left.members[0].error_code if wire.version("LeaveGroup") >= 3 else left.error_code
        assert code == ErrorCode.UNKNOWN_MEMBER_ID
        committed = await wire.ask(commit("", -1))
        codes = [p.error_code for p in committed.topics[0].partitions]
        assert [ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION] == codes

    asyncio.run(main())


@pytest.mark.parametrize("number", range(7))
def test_the_coordinator_is_this_broker(number: int) -> None:
    async def main() -> None:
        wire = Wire(number)
        for key_type in (0, 1, 2):
            request = FindCoordinatorRequest(
                key="g", key_type=key_type if number else 0, coordinator_keys=["g"]
            )
            answer = await wire.ask(request)
            found = answer.coordinators[0] if number >= 4 else answer
            is_share = key_type == 2 and number > 0
            expected = (42, -1, "", -1) if is_share else (0, 1, "127.0.0.1", 9092)
            assert expected == (found.error_code, found.node_id, found.host, found.port)

    asyncio.run(main())


@pytest.mark.parametrize("name", GROUP_KINDS)
def test_a_refusal_can_be_encoded_in_every_version(name: str) -> None:
    questions = {
        "FindCoordinator": FindCoordinatorRequest(key="g", key_type=0, coordinator_keys=["g"]),
        "JoinGroup": join(),
        "SyncGroup": sync("m"),
        "Heartbeat": HeartbeatRequest(group_id="g", generation_id=1, member_id="m"),
        "LeaveGroup": leave("m"),
        "OffsetCommit": commit("m", 1),
        "OffsetFetch": fetch_offsets([0]),
        "DescribeGroups": DescribeGroupsRequest(groups=["g"]),
        "ListGroups": ListGroupsRequest(states_filter=[], types_filter=[]),
        "DeleteGroups": DeleteGroupsRequest(groups_names=["g"]),
    }
    kind = KINDS_BY_NAME[name]
    for version in range(kind.versions[0], kind.versions[1] + 1):
        request = kind.request.decode(questions[name].encode(version=version), version=version)
        response = refuse(name, request, kind.response, ErrorCode.NOT_COORDINATOR)
        assert kind.response.decode(response.encode(version=version), version=version)
