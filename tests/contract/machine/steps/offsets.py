"""Steps that commit offsets, ask for them and delete them."""

from dataclasses import dataclass
from typing import Any

from kafka.protocol.consumer import (
    OffsetCommitRequest,
    OffsetDeleteRequest,
    OffsetFetchRequest,
)

from tests.contract.machine.memory import Memory
from tests.contract.machine.steps.groups import instance_id
from tests.contract.machine.steps.step import Step

SINCE_INSTANCES = 7


@dataclass(frozen=True)
class Commit(Step):
    """Commit an offset, as nobody or as a member whose generation may be wrong by a bit."""

    kind = "OffsetCommit"
    writes_behind_its_answer = True
    group: int
    topic: int
    offset: int
    partition: int = 0
    metadata: str | None = ""
    member: int | None = None
    generation_shift: int = 0

    def request(self, memory: Memory) -> Any:
        known = None if self.member is None else memory.member(self.group, self.member)
        topic_class = OffsetCommitRequest.OffsetCommitRequestTopic
        part = topic_class.OffsetCommitRequestPartition(
            partition_index=self.partition,
            committed_offset=self.offset,
            committed_leader_epoch=-1,
            committed_metadata=self.metadata,
        )
        instance = None if self.member is None else instance_id(self.member)
        return OffsetCommitRequest(
            group_id=memory.group(self.group),
            generation_id_or_member_epoch=(
                -1 if known is None else known.generation + self.generation_shift
            ),
            member_id="" if known is None else known.member_id,
            group_instance_id=instance if self.version >= SINCE_INSTANCES else None,
            retention_time_ms=-1,
            topics=[topic_class(name=memory.topic(self.topic), partitions=[part])],
        )


@dataclass(frozen=True)
class ShowCommitted(Step):
    """Ask for committed offsets: of partitions, or of all."""

    kind = "OffsetFetch"
    group: int
    partitions: tuple[tuple[int, int], ...] | None = None
    stable: bool = False

    def request(self, memory: Memory) -> Any:
        several = OffsetFetchRequest.OffsetFetchRequestGroup
        group = memory.group(self.group)
        wanted = self._wanted(memory, OffsetFetchRequest.OffsetFetchRequestTopic)
        if self.version < 2 and wanted is None:
            wanted = []
        return OffsetFetchRequest(
            group_id=group,
            topics=wanted,
            groups=[
                several(
                    group_id=group,
                    member_id=None,
                    member_epoch=-1,
                    topics=self._wanted(memory, several.OffsetFetchRequestTopics),
                )
            ],
            require_stable=self.stable,
        )

    def _wanted(self, memory: Memory, topic_class: Any) -> list[Any] | None:
        if self.partitions is None:
            return None
        return [
            topic_class(
                name=memory.topic(topic),
                partition_indexes=sorted(
                    {part for where, part in self.partitions if where == topic}
                ),
            )
            for topic in sorted({topic for topic, _ in self.partitions})
        ]


@dataclass(frozen=True)
class ForgetOffset(Step):
    """Delete a committed offset."""

    kind = "OffsetDelete"
    group: int
    topic: int
    partition: int = 0

    def request(self, memory: Memory) -> Any:
        topic_class = OffsetDeleteRequest.OffsetDeleteRequestTopic
        part = topic_class.OffsetDeleteRequestPartition(partition_index=self.partition)
        return OffsetDeleteRequest(
            group_id=memory.group(self.group),
            topics=[topic_class(name=memory.topic(self.topic), partitions=[part])],
        )
