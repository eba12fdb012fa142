"""A bare member of a consumer group: each step of the group protocol by hand, on a connection of
its own.

It judges nothing and retries nothing, but for asking again with the member id that the coordinator
gave it.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from kafka.protocol.consumer import (
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
    SyncGroupRequest,
)

from tests.contract.connection import Connection

MEMBER_ID_REQUIRED = 79
JOIN_VERSION = 5


def subscription(user_data: bytes = b"", topics: Sequence[str] = ()) -> bytes:
    """The metadata of a member of type `consumer`: version 0, its topics, and the user data."""
    names = b"".join(struct.pack(">h", len(name)) + name.encode() for name in topics)
    return (
        struct.pack(">hi", 0, len(topics)) + names + struct.pack(">i", len(user_data)) + user_data
    )


class Member:
    """Joins, syncs, beats and leaves when told to."""

    def __init__(
        self,
        wire: Connection,
        group: str,
        *,
        session_timeout_ms: int = 30_000,
        rebalance_timeout_ms: int = 30_000,
        protocols: Mapping[str, bytes] | None = None,
        protocol_type: str = "consumer",
        instance_id: str | None = None,
    ) -> None:
        self.wire = wire
        self.group = group
        self.session_timeout_ms = session_timeout_ms
        self.rebalance_timeout_ms = rebalance_timeout_ms
        self.protocols = dict(protocols or {"range": subscription()})
        self.protocol_type = protocol_type
        self.instance_id = instance_id
        self.member_id = ""
        self.generation = -1
        self.is_leader = False

    async def join(self, *, version: int = JOIN_VERSION) -> Any:
        """Join, by way of the member id where one is asked for; keeps id, generation and
        leadership.
        """
        answer = await self.join_once(version=version)
        if answer.error_code == MEMBER_ID_REQUIRED:
            self.member_id = answer.member_id
            answer = await self.join_once(version=version)
        if answer.error_code == 0:
            self.member_id = answer.member_id
            self.generation = answer.generation_id
            self.is_leader = answer.leader == answer.member_id
        return answer

    async def join_once(self, *, version: int = JOIN_VERSION) -> Any:
        """Send one JoinGroup with the member id as known, and return its answer."""
        protocols = [
            JoinGroupRequest.JoinGroupRequestProtocol(name=name, metadata=metadata)
            for name, metadata in self.protocols.items()
        ]
        request = JoinGroupRequest(
            group_id=self.group,
            session_timeout_ms=self.session_timeout_ms,
            rebalance_timeout_ms=self.rebalance_timeout_ms,
            member_id=self.member_id,
            group_instance_id=self.instance_id,
            protocol_type=self.protocol_type,
            protocols=protocols,
        )
        return await self.wire.ask(request, version)

    async def sync(
        self, assignments: Mapping[str, bytes] | None = None, *, version: int = 3
    ) -> Any:
        """Sync; a leader gives `{member id: assignment}`."""
        given = [
            SyncGroupRequest.SyncGroupRequestAssignment(member_id=member_id, assignment=assignment)
            for member_id, assignment in (assignments or {}).items()
        ]
        request = SyncGroupRequest(
            group_id=self.group,
            generation_id=self.generation,
            member_id=self.member_id,
            group_instance_id=self.instance_id,
            protocol_type=self.protocol_type,
            protocol_name=next(iter(self.protocols)),
            assignments=given,
        )
        return await self.wire.ask(request, version)

    async def enter(self) -> None:
        """Join and sync as the only member: the group is stable afterwards."""
        joined = await self.join()
        assert joined.error_code == 0
        synced = await self.sync({self.member_id: b"all"})
        assert synced.error_code == 0

    async def heartbeat(self, *, generation: int | None = None, version: int = 1) -> int:
        """Beat once; returns the error code."""
        request = HeartbeatRequest(
            group_id=self.group,
            generation_id=self.generation if generation is None else generation,
            member_id=self.member_id,
            group_instance_id=self.instance_id,
        )
        code: int = (await self.wire.ask(request, version)).error_code
        return code

    async def leave(self, *, version: int = 1) -> Any:
        """Leave the group; returns the answer."""
        leaving = LeaveGroupRequest.MemberIdentity(
            member_id=self.member_id, group_instance_id=self.instance_id
        )
        request = LeaveGroupRequest(
            group_id=self.group, member_id=self.member_id, members=[leaving]
        )
        return await self.wire.ask(request, version)

    async def commit(
        self, topic: str, offset: int, *, partition: int = 0, metadata: str = "", version: int = 3
    ) -> int:
        """Commit one offset as this member; returns the partition's error code."""
        return await commit(
            self.wire,
            self.group,
            topic,
            offset,
            partition=partition,
            metadata=metadata,
            generation=self.generation,
            member_id=self.member_id,
            instance_id=self.instance_id,
            version=version,
        )


async def commit(
    wire: Connection,
    group: str,
    topic: str,
    offset: int,
    *,
    partition: int = 0,
    metadata: str | None = "",
    generation: int = -1,
    member_id: str = "",
    instance_id: str | None = None,
    version: int = 3,
) -> int:
    """Commit one offset, by default as nobody's member; returns the partition's error code."""
    part = OffsetCommitRequest.OffsetCommitRequestTopic.OffsetCommitRequestPartition(
        partition_index=partition,
        committed_offset=offset,
        committed_leader_epoch=-1,
        committed_metadata=metadata,
    )
    wanted = OffsetCommitRequest.OffsetCommitRequestTopic(name=topic, partitions=[part])
    request = OffsetCommitRequest(
        group_id=group,
        generation_id_or_member_epoch=generation,
        member_id=member_id,
        group_instance_id=instance_id,
        retention_time_ms=-1,
        topics=[wanted],
    )
    answer = await wire.ask(request, version)
    code: int = answer.topics[0].partitions[0].error_code
    return code


async def committed(
    wire: Connection,
    group: str,
    topic: str,
    *,
    partition: int = 0,
    stable: bool = False,
    version: int = 3,
) -> tuple[int, str | None, int]:
    """Look a committed offset up (`stable`: version 7 and later); returns offset (-1: none),
    metadata and error code.
    """
    wanted = OffsetFetchRequest.OffsetFetchRequestTopic(name=topic, partition_indexes=[partition])
    several = OffsetFetchRequest.OffsetFetchRequestGroup
    in_group = several(
        group_id=group,
        member_id=None,
        member_epoch=-1,
        topics=[several.OffsetFetchRequestTopics(name=topic, partition_indexes=[partition])],
    )
    request = OffsetFetchRequest(
        group_id=group, topics=[wanted], groups=[in_group], require_stable=stable
    )
    answer = await wire.ask(request, version)
    topics = answer.topics if version < 8 else answer.groups[0].topics
    part = topics[0].partitions[0]
    return part.committed_offset, part.metadata, part.error_code
