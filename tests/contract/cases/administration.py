"""Looking at groups, settings and the cluster, and removing groups."""

from typing import Any

from kafka.protocol.admin import (
    DeleteGroupsRequest,
    DescribeClusterRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
)

from tests.contract.bench import Bench
from tests.contract.cases.group_protocol import find_coordinator, member, two_members
from tests.contract.member import commit, committed
from tests.contract.registry import case
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
NON_EMPTY_GROUP = 68
GROUP_ID_NOT_FOUND = 69
SINCE_MISSING_IS_ERROR = 6
SINCE_STATES = 4
TOPIC = 2
FROM_TOPIC = 1
FROM_DEFAULTS = 5


async def describe(kafka: Bench, group: str, version: int = 5) -> Any:
    """The description of one group."""
    request = DescribeGroupsRequest(groups=[group], include_authorized_operations=False)
    return (await kafka.wire.ask(request, version)).groups[0]


async def in_state(kafka: Bench, group: str, state: str) -> Any:
    """Wait until a group is shown in a state; what is shown follows what is done a moment later."""
    shown: list[Any] = []

    async def arrived() -> bool:
        shown[:] = [await describe(kafka, group)]
        return bool(shown[0].group_state == state)

    await eventually(arrived, what=lambda: f"state {state}, but {shown}")
    return shown[0]


async def listed(kafka: Bench, version: int, **filters: list[str]) -> dict[str, Any]:
    """The listed groups by name."""
    wanted = {"states_filter": [], "types_filter": [], **filters}
    answer = await kafka.wire.ask(ListGroupsRequest(**wanted), version)
    assert answer.error_code == 0
    return {found.group_id: found for found in answer.groups}


async def delete_group(kafka: Bench, group: str, version: int = 1) -> int:
    """Delete one group; returns its error code."""
    answer = await kafka.wire.ask(DeleteGroupsRequest(groups_names=[group]), version)
    code: int = answer.results[0].error_code
    return code


@case("DescribeGroups")
async def case_describe_groups_every_version(kafka: Bench) -> None:
    """DescribeGroups answers at every version it advertises; a missing group is `Dead`, in newer
    ones error 69.
    """
    alone = await member(kafka, kafka.name("g"))
    await alone.enter()
    await in_state(kafka, alone.group, "Stable")
    for version in await kafka.versions(DescribeGroupsRequest):
        found = await describe(kafka, alone.group, version)
        assert (found.error_code, found.group_state, found.protocol_type) == (
            0,
            "Stable",
            "consumer",
        )
        missing = await describe(kafka, kafka.name("nobody"), version)
        expected = GROUP_ID_NOT_FOUND if version >= SINCE_MISSING_IS_ERROR else 0
        assert (missing.error_code, missing.group_state) == (expected, "Dead")


@case("DescribeGroups")
async def case_describe_members(kafka: Bench) -> None:
    """A stable group shows its protocol and each member's client, metadata and assignment."""
    leader, follower = await two_members(kafka)
    found = await in_state(kafka, leader.group, "Stable")
    assert found.protocol_data == "range"
    shown = {one.member_id: one for one in found.members}
    assert set(shown) == {leader.member_id, follower.member_id}
    assert {one.client_id for one in found.members} == {"contract"}
    assert shown[leader.member_id].member_assignment == b"one"
    assert shown[follower.member_id].member_assignment == b"two"
    assert shown[follower.member_id].member_metadata == follower.protocols["range"]


@case("DescribeGroups", "LeaveGroup")
async def case_group_states(kafka: Bench) -> None:
    """A group is completing a rebalance after a join, stable after the sync, empty when all have
    left.
    """
    alone = await member(kafka, kafka.name("g"))
    await alone.join()
    await in_state(kafka, alone.group, "CompletingRebalance")
    await alone.sync({alone.member_id: b"all"})
    await in_state(kafka, alone.group, "Stable")
    await alone.leave()
    assert (await in_state(kafka, alone.group, "Empty")).members == []


@case("ListGroups")
async def case_list_groups_every_version(kafka: Bench) -> None:
    """ListGroups names every group at every version it advertises, by state in newer ones."""
    alone = await member(kafka, kafka.name("g"))
    await alone.enter()
    await in_state(kafka, alone.group, "Stable")
    for version in await kafka.versions(ListGroupsRequest):
        assert (await listed(kafka, version))[alone.group].protocol_type == "consumer"
        if version >= SINCE_STATES:
            stable = await listed(kafka, version, states_filter=["Stable"])
            assert stable[alone.group].group_state == "Stable"
            assert alone.group not in await listed(kafka, version, states_filter=["Empty"])


@case("DeleteGroups")
async def case_delete_groups_every_version(kafka: Bench) -> None:
    """DeleteGroups answers at every version it advertises; a group that is not there is error
    69.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    await find_coordinator(kafka, group)
    for version in await kafka.versions(DeleteGroupsRequest):
        assert await commit(kafka.wire, group, topic, 3) == 0
        assert await delete_group(kafka, group, version) == 0
        assert await delete_group(kafka, group, version) == GROUP_ID_NOT_FOUND


@case("DeleteGroups", "OffsetFetch")
async def case_deleted_group_forgets(kafka: Bench) -> None:
    """A group with members is not deleted, error 68; one that is deleted has no offsets any
    more.
    """
    topic = await kafka.topic()
    alone = await member(kafka, kafka.name("g"))
    await alone.enter()
    assert await alone.commit(topic, 4) == 0
    assert await delete_group(kafka, alone.group) == NON_EMPTY_GROUP
    await alone.leave()
    assert (await committed(kafka.wire, alone.group, topic))[0] == 4
    assert await delete_group(kafka, alone.group) == 0
    assert (await committed(kafka.wire, alone.group, topic))[0] == -1


@case("DescribeConfigs", "CreateTopics")
async def case_settings_of_a_topic(kafka: Bench) -> None:
    """A topic's settings are those it was made with, then defaults, at every version; only the
    wanted are shown.
    """
    topic = await kafka.topic(config={"max.message.bytes": "1234"})
    wanted = ["max.message.bytes", "cleanup.policy"]
    resource = DescribeConfigsRequest.DescribeConfigsResource(
        resource_type=TOPIC, resource_name=topic, configuration_keys=wanted
    )
    for version in await kafka.versions(DescribeConfigsRequest):
        request = DescribeConfigsRequest(
            resources=[resource], include_synonyms=False, include_documentation=False
        )
        (found,) = (await kafka.wire.ask(request, version)).results
        assert (found.error_code, found.resource_name) == (0, topic)
        shown = {each.name: (each.value, each.config_source) for each in found.configs}
        assert shown == {
            "max.message.bytes": ("1234", FROM_TOPIC),
            "cleanup.policy": ("delete", FROM_DEFAULTS),
        }


@case("DescribeConfigs")
async def case_settings_of_an_unknown_topic(kafka: Bench) -> None:
    """The settings of a topic that is not there are error 3."""
    resource = DescribeConfigsRequest.DescribeConfigsResource(
        resource_type=TOPIC, resource_name=kafka.name("nowhere"), configuration_keys=None
    )
    request = DescribeConfigsRequest(resources=[resource], include_synonyms=False)
    (found,) = (await kafka.wire.ask(request, 1)).results
    assert (found.error_code, found.configs) == (UNKNOWN_TOPIC_OR_PARTITION, [])


@case("DescribeCluster")
async def case_cluster_every_version(kafka: Bench) -> None:
    """DescribeCluster names the broker at the address that clients were given, at every version."""
    for version in await kafka.versions(DescribeClusterRequest):
        request = DescribeClusterRequest(
            include_cluster_authorized_operations=False, endpoint_type=1
        )
        answer = await kafka.wire.ask(request, version)
        assert answer.error_code == 0
        assert answer.cluster_id
        (broker,) = answer.brokers
        assert f"{broker.host}:{broker.port}" == kafka.bootstrap
        assert broker.broker_id == answer.controller_id
