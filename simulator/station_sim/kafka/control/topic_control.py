"""Topics from outside: looked at, made, deleted, configured, cut, led by another node."""

from collections.abc import Mapping

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.control.errors import UnknownThingError
from station_sim.kafka.control.state import Plain, topic_state
from station_sim.kafka.topics import Topic


class TopicControl:
    """The topics of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def all(self) -> list[Plain]:
        """All topics with their partitions, in alphabetical order."""
        topics = sorted(self._cluster.topics, key=lambda topic: topic.name)
        return [topic_state(topic) for topic in topics]

    def get(self, topic: str) -> Plain:
        """One topic with leaders, offsets and sizes; raises `UnknownThingError`."""
        return topic_state(self._find(topic))

    def make(
        self,
        *,
        name: str,
        partitions: int | None = None,
        config: Mapping[str, str] | None = None,
        replication_factor: int | None = None,
    ) -> Plain:
        """Make a topic; raises `RefusalError` where Kafka would refuse."""
        self._cluster.create_topic(
            name, partitions=partitions, config=config, replication_factor=replication_factor
        )
        return self.get(name)

    def delete(self, topic: str) -> Plain:
        """Delete a topic with its records and all offsets of it; returns what it was."""
        last = self.get(topic)
        deleted = self._cluster.topics.delete(topic)
        self._cluster.groups.forget_topic(topic)
        self._cluster.wake(deleted.partitions)
        return last

    def configure(self, topic: str, *, config: Mapping[str, str | None]) -> Plain:
        """Set the named settings of a topic; null takes one back to the broker's default."""
        texts = {**self._find(topic).config.overrides, **config}
        said = {name: text for name, text in texts.items() if text is not None}
        self._cluster.configure_topic(topic, said)
        return self.get(topic)

    def cut(self, topic: str, partition: int, *, before_offset: int) -> Plain:
        """Delete the records below an offset (-1: all); returns the topic.

        Raises `RefusalError` for an offset that is not within the log.
        """
        log = self._cluster.topics.require(self._find(topic).name, partition)
        log.delete_records(before_offset)
        return self.get(topic)

    def move_leader(
        self, topic: str, partition: int, *, node_id: int, metadata_delay_s: float | None = None
    ) -> Plain:
        """Let another node lead a partition, see `Cluster.move_leader`; returns the topic."""
        self._cluster.move_leader(
            self._find(topic).name, partition, node_id, metadata_delay_s=metadata_delay_s
        )
        return self.get(topic)

    def _find(self, name: str) -> Topic:
        topic = self._cluster.topics.get(name)
        if topic is None:
            there = ", ".join(sorted(each.name for each in self._cluster.topics))
            raise UnknownThingError(f"no topic {name}; there are: {there or 'none'}")
        return topic
