"""Steps of members of groups, and of those who look at groups and delete them."""

from dataclasses import dataclass
from typing import Any

from kafka.protocol.admin import DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest
from kafka.protocol.consumer import (
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    SyncGroupRequest,
)

from tests.contract.machine.memory import Memory
from tests.contract.machine.steps.step import Step
from tests.contract.member import MEMBER_ID_REQUIRED, subscription

STATIC_MEMBERS = (2,)
"""Members that have an instance id."""

SINCE_INSTANCES_JOIN = 5
SINCE_INSTANCES_LEAVE = 3
LONG_MS = 60_000
"""Sessions and rebalances outlive every program."""


def instance_id(member: int) -> str | None:
    """The instance id of a static member."""
    return f"i{member}" if member in STATIC_MEMBERS else None


@dataclass(frozen=True)
class MemberStep(Step):
    """A step of one member of one group."""

    group: int
    member: int


@dataclass(frozen=True)
class Join(MemberStep):
    """Join, with the member id that was given, or with none or a wrong one."""

    kind = "JoinGroup"
    writes_behind_its_answer = True
    protocols: tuple[str, ...] = ("range",)
    protocol_type: str = "consumer"
    topics: tuple[int, ...] = ()
    as_whom: str | None = None
    session_timeout_ms: int = LONG_MS

    @property
    def lane(self) -> str:
        return f"g{self.group} m{self.member}"

    def request(self, memory: Memory) -> Any:
        metadata = subscription(topics=[memory.topic(topic) for topic in self.topics])
        known = memory.member(self.group, self.member)
        known.joins = True
        return JoinGroupRequest(
            group_id=memory.group(self.group),
            session_timeout_ms=self.session_timeout_ms,
            rebalance_timeout_ms=LONG_MS,
            member_id=known.member_id if self.as_whom is None else self.as_whom,
            group_instance_id=(
                instance_id(self.member) if self.version >= SINCE_INSTANCES_JOIN else None
            ),
            protocol_type=self.protocol_type,
            protocols=[
                JoinGroupRequest.JoinGroupRequestProtocol(name=name, metadata=metadata)
                for name in self.protocols
            ],
        )

    def learn(self, memory: Memory, answer: Any) -> None:
        known = memory.member(self.group, self.member)
        known.joins = False
        if answer.error_code in (0, MEMBER_ID_REQUIRED):
            memory.call(answer.member_id, f"member {self.member} of g{self.group}")
            known.member_id = answer.member_id
        if answer.error_code == 0:
            known.generation = answer.generation_id
            known.leads = answer.leader == answer.member_id
            known.others = tuple(found.member_id for found in answer.members)
            known.has_joined = True


@dataclass(frozen=True)
class Sync(MemberStep):
    """Sync; a leader gives every member what it is to have, which is its name."""

    kind = "SyncGroup"
    generation_shift: int = 0
    protocol_type: str | None = "consumer"
    protocol: str | None = "range"

    @property
    def lane(self) -> str:
        return f"g{self.group} m{self.member}"

    def request(self, memory: Memory) -> Any:
        known = memory.member(self.group, self.member)
        return SyncGroupRequest(
            group_id=memory.group(self.group),
            generation_id=known.generation + self.generation_shift,
            member_id=known.member_id,
            group_instance_id=instance_id(self.member),
            protocol_type=self.protocol_type,
            protocol_name=self.protocol,
            assignments=[
                SyncGroupRequest.SyncGroupRequestAssignment(
                    member_id=other, assignment=memory.name_of.get(other, "?").encode()
                )
                for other in (known.others if known.leads else ())
            ],
        )


@dataclass(frozen=True)
class Beat(MemberStep):
    """Send a heartbeat."""

    kind = "Heartbeat"
    generation_shift: int = 0

    def request(self, memory: Memory) -> Any:
        known = memory.member(self.group, self.member)
        return HeartbeatRequest(
            group_id=memory.group(self.group),
            generation_id=known.generation + self.generation_shift,
            member_id=known.member_id,
            group_instance_id=instance_id(self.member),
        )


@dataclass(frozen=True)
class Leave(MemberStep):
    """Leave the group."""

    kind = "LeaveGroup"

    def request(self, memory: Memory) -> Any:
        known = memory.member(self.group, self.member)
        if known.leads and memory.joined(self.group) > 2:
            return None  # which of the others leads next is a matter of hashes in Apache Kafka
        leaving = LeaveGroupRequest.MemberIdentity(
            member_id=known.member_id, group_instance_id=instance_id(self.member)
        )
        return LeaveGroupRequest(
            group_id=memory.group(self.group), member_id=known.member_id, members=[leaving]
        )

    def learn(self, memory: Memory, answer: Any) -> None:
        codes = {answer.error_code, *(found.error_code for found in answer.members or ())}
        if codes == {0}:
            memory.member(self.group, self.member).has_joined = False
            memory.member(self.group, self.member).leads = False


@dataclass(frozen=True)
class ShowGroups(Step):
    """Describe groups."""

    kind = "DescribeGroups"
    groups: tuple[int, ...]

    def request(self, memory: Memory) -> Any:
        return DescribeGroupsRequest(
            groups=[memory.group(group) for group in self.groups],
            include_authorized_operations=False,
        )


@dataclass(frozen=True)
class ListGroups(Step):
    """List groups, by their states where that can be said."""

    kind = "ListGroups"
    states: tuple[str, ...] = ()

    def request(self, memory: Memory) -> Any:
        return ListGroupsRequest(states_filter=list(self.states), types_filter=[])


@dataclass(frozen=True)
class DeleteGroups(Step):
    """Delete groups."""

    kind = "DeleteGroups"
    groups: tuple[int, ...]

    def request(self, memory: Memory) -> Any:
        return DeleteGroupsRequest(groups_names=[memory.group(group) for group in self.groups])
