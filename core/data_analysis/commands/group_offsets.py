"""What groups have committed, against where logs begin and end: asked of a broker, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from data_analysis.kafka.errors import mapped


@dataclass(frozen=True, slots=True)
class GroupOffset:
    """A group's place in a partition; `committed` is None where it has none."""

    group: str
    topic: str
    partition: int
    committed: int | None
    start: int
    end: int

    @property
    def lag(self) -> int:
        """Records behind; a place before the log's start counts from the start."""
        return self.end - max(self.start if self.committed is None else self.committed, self.start)

    @property
    def is_lost(self) -> bool:
        """Whether the committed offset is not in the log any more."""
        return self.committed is not None and not self.start <= self.committed <= self.end


async def group_offsets(
    options: Mapping[str, Any], groups: Mapping[str, Sequence[str]]
) -> list[GroupOffset]:
    """Return the places of groups in their topics, sorted; topics that do not exist have none.

    Args:
        options: of aiokafka's clients: `bootstrap_servers` and security.
        groups: topics by group.

    Raises:
        KafkaConnectionError: Kafka cannot be reached, or refuses.
    """
    consumer = AIOKafkaConsumer(**options)
    admin = AIOKafkaAdminClient(**options)
    with mapped(f"asking {', '.join(options['bootstrap_servers'])}"):
        try:
            await consumer.start()
            await admin.start()
            existing = {
                each["topic"]: sorted(part["partition"] for part in each["partitions"])
                for each in await admin.describe_topics()
            }
            found: list[GroupOffset] = []
            for group, topics in groups.items():
                places = [
                    TopicPartition(topic, number)
                    for topic in topics
                    for number in existing.get(topic, ())
                ]
                found += await _of_group(consumer, admin, group, places)
            return sorted(found, key=lambda each: (each.topic, each.partition, each.group))
        finally:
            await admin.close()
            await consumer.stop()


def missing_topics(found: Sequence[GroupOffset], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the topics of these groups that do not exist, sorted."""
    wanted = {topic for topics in groups.values() for topic in topics}
    return sorted(wanted - {each.topic for each in found})


async def _of_group(
    consumer: Any, admin: Any, group: str, places: list[TopicPartition]
) -> list[GroupOffset]:
    if not places:
        return []
    committed = await admin.list_consumer_group_offsets(group, partitions=places)
    starts = await consumer.beginning_offsets(places)
    ends = await consumer.end_offsets(places)
    return [
        GroupOffset(group, tp.topic, tp.partition, _offset(committed.get(tp)), starts[tp], ends[tp])
        for tp in places
    ]


def _offset(committed: Any) -> int | None:
    return None if committed is None or committed.offset < 0 else int(committed.offset)
