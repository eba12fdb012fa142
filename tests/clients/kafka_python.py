"""kafka-python: blocking clients in plain Python."""

from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from tests.clients.command import WITHIN_S
from tests.clients.members import Member, PollingMember, Seen


class KafkaPython:
    """KafkaProducer and KafkaConsumer of that package."""

    name = "kafka-python"

    def why_not(self) -> str | None:
        """The project depends on it."""
        return None

    def produce(self, bootstrap: str, topic: str, partition: int, value: str, codec: str) -> None:
        """Write one record."""
        compression = None if codec == "none" else codec
        producer = KafkaProducer(bootstrap_servers=bootstrap, compression_type=compression)
        producer.send(topic, value.encode(), partition=partition).get(timeout=WITHIN_S)
        producer.close()

    def join(self, bootstrap: str, topic: str, group: str) -> Member:
        """A new member, which begins at the earliest record."""
        consumer = KafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            session_timeout_ms=6000,
            heartbeat_interval_ms=200,
        )

        def poll() -> list[Seen]:
            found: dict[Any, list[Any]] = consumer.poll(timeout_ms=100)
            return [
                Seen(record.partition, record.offset, record.timestamp, record.value.decode())
                for records in found.values()
                for record in records
            ]

        return PollingMember(poll, consumer.close)

    def offset_at(self, bootstrap: str, topic: str, partition: int, timestamp_ms: int) -> int:
        """The first offset at that time or later."""
        where = TopicPartition(topic, partition)
        consumer = KafkaConsumer(bootstrap_servers=bootstrap)
        found = consumer.offsets_for_times({where: timestamp_ms})
        consumer.close()
        return int(found[where].offset)
