"""Steps that make, change, delete and show topics and their settings."""

from dataclasses import dataclass
from typing import Any

from kafka.protocol.admin import (
    AlterConfigsRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
)
from kafka.protocol.metadata import MetadataRequest

from tests.contract.configuring import TOPIC, incremental_request
from tests.contract.machine.memory import NOBODY, Memory
from tests.contract.machine.steps.step import Step

BY_ID_SINCE_DELETE = 6
ID_SINCE_METADATA, BY_ID_SINCE_METADATA = 10, 12
CAN_FORBID_SINCE_METADATA = 4

CHANGED = (
    "max.message.bytes",
    "cleanup.policy",
    "message.timestamp.type",
    "message.timestamp.before.max.ms",
    "min.insync.replicas",
)
"""Settings that programs change, beside wrong ones."""


@dataclass(frozen=True)
class CreateTopic(Step):
    """Make a topic, or only check whether it could be made."""

    kind = "CreateTopics"
    changes_metadata = True
    topic: int
    partitions: int = 1
    replication: int = 1
    config: tuple[tuple[str, str], ...] = ()
    only_check: bool = False
    name: str | None = None

    def request(self, memory: Memory) -> Any:
        creatable = CreateTopicsRequest.CreatableTopic
        wanted = creatable(
            name=memory.topic(self.topic) if self.name is None else self.name,
            num_partitions=self.partitions,
            replication_factor=self.replication,
            assignments=[],
            configs=[creatable.CreatableTopicConfig(name=n, value=v) for n, v in self.config],
        )
        return CreateTopicsRequest(
            topics=[wanted], timeout_ms=30_000, validate_only=self.only_check
        )

    def learn(self, memory: Memory, answer: Any) -> None:
        memory.call(answer.topics[0].topic_id, f"id of t{self.topic}")


@dataclass(frozen=True)
class DeleteTopic(Step):
    """Delete a topic, by id where that can be said."""

    kind = "DeleteTopics"
    changes_metadata = True
    topic: int
    by_id: bool = False

    def request(self, memory: Memory) -> Any:
        topic_id = memory.topic_ids.get(self.topic, NOBODY)
        by_id = self.by_id and topic_id != NOBODY and self.version >= BY_ID_SINCE_DELETE
        state = DeleteTopicsRequest.DeleteTopicState(
            name=None if by_id else memory.topic(self.topic),
            topic_id=topic_id if by_id else NOBODY,
        )
        return DeleteTopicsRequest(
            topics=[state], topic_names=[memory.topic(self.topic)], timeout_ms=30_000
        )


@dataclass(frozen=True)
class CreatePartitions(Step):
    """Let a topic have more partitions."""

    kind = "CreatePartitions"
    changes_metadata = True
    topic: int
    count: int
    only_check: bool = False

    def request(self, memory: Memory) -> Any:
        wanted = CreatePartitionsRequest.CreatePartitionsTopic(
            name=memory.topic(self.topic), count=self.count, assignments=None
        )
        return CreatePartitionsRequest(
            topics=[wanted], timeout_ms=30_000, validate_only=self.only_check
        )


@dataclass(frozen=True)
class ShowTopics(Step):
    """Ask for the metadata of topics, by id where that can be said."""

    kind = "Metadata"
    topics: tuple[int, ...]
    by_id: bool = False

    @property
    def makes_topics(self) -> bool:
        """Whether those that are missing are made; older versions cannot ask for less."""
        return self.version < CAN_FORBID_SINCE_METADATA

    def request(self, memory: Memory) -> Any:
        return MetadataRequest(
            topics=[self._wanted(memory, topic) for topic in self.topics],
            allow_auto_topic_creation=False,
        )

    def _wanted(self, memory: Memory, topic: int) -> Any:
        topic_id = memory.topic_ids.get(topic, NOBODY)
        if self.by_id and topic_id != NOBODY and self.version >= BY_ID_SINCE_METADATA:
            return MetadataRequest.MetadataRequestTopic(name=None, topic_id=topic_id)
        return MetadataRequest.MetadataRequestTopic(name=memory.topic(topic), topic_id=NOBODY)

    def learn(self, memory: Memory, answer: Any) -> None:
        for found in answer.topics:
            for topic in self.topics:
                is_told = self.version >= ID_SINCE_METADATA and found.error_code == 0
                if is_told and found.name == memory.topic(topic):
                    memory.call(found.topic_id, f"id of t{topic}")
                    memory.topic_ids[topic] = found.topic_id


@dataclass(frozen=True)
class ShowSettings(Step):
    """Describe settings of a topic."""

    kind = "DescribeConfigs"
    topic: int
    settings: tuple[str, ...] = CHANGED
    synonyms: bool = False

    def request(self, memory: Memory) -> Any:
        resource = DescribeConfigsRequest.DescribeConfigsResource(
            resource_type=TOPIC,
            resource_name=memory.topic(self.topic),
            configuration_keys=list(self.settings),
        )
        return DescribeConfigsRequest(
            resources=[resource], include_synonyms=self.synonyms, include_documentation=False
        )


@dataclass(frozen=True)
class ChangeSetting(Step):
    """Set, delete, append to or subtract from a setting of a topic."""

    kind = "IncrementalAlterConfigs"
    changes_metadata = True
    topic: int
    setting: str
    operation: int
    value: str | None
    only_check: bool = False

    def request(self, memory: Memory) -> Any:
        change = (self.setting, self.operation, self.value)
        where = (TOPIC, memory.topic(self.topic), [change])
        return incremental_request(where, only_check=self.only_check)


@dataclass(frozen=True)
class ReplaceSettings(Step):
    """Say all settings of a topic anew."""

    kind = "AlterConfigs"
    changes_metadata = True
    topic: int
    config: tuple[tuple[str, str], ...]
    only_check: bool = False

    def request(self, memory: Memory) -> Any:
        resource = AlterConfigsRequest.AlterConfigsResource
        wanted = resource(
            resource_type=TOPIC,
            resource_name=memory.topic(self.topic),
            configs=[resource.AlterableConfig(name=n, value=v) for n, v in self.config],
        )
        return AlterConfigsRequest(resources=[wanted], validate_only=self.only_check)
