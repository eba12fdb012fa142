"""confluent-kafka: librdkafka in Python."""

from confluent_kafka import Consumer, Producer, TopicPartition

from tests.clients.command import WITHIN_S
from tests.clients.members import Member, PollingMember, Seen


class Confluent:
    """Producer and Consumer of that package."""

    name = "confluent-kafka"

    def why_not(self) -> str | None:
        """It is one of the project's own tools."""
        return None

    def produce(self, bootstrap: str, topic: str, partition: int, value: str, codec: str) -> None:
        """Write one record."""
        producer = Producer({"bootstrap.servers": bootstrap, "compression.type": codec})
        producer.produce(topic, value, partition=partition)
        assert 0 == producer.flush(WITHIN_S)

    def join(self, bootstrap: str, topic: str, group: str) -> Member:
        """A new member, which begins at the earliest record."""
        consumer = _consumer(bootstrap, group)
        consumer.subscribe([topic])

        def poll() -> list[Seen]:
            message = consumer.poll(0.1)
            if message is None or message.error() is not None:
                return []
            at_ms = message.timestamp()[1]
            value = message.value().decode()
            return [Seen(message.partition(), message.offset(), at_ms, value)]

        return PollingMember(poll, consumer.close)

    def offset_at(self, bootstrap: str, topic: str, partition: int, timestamp_ms: int) -> int:
        """The first offset at that time or later."""
        consumer = _consumer(bootstrap, "nobody")
        asked = TopicPartition(topic, partition, timestamp_ms)
        (found,) = consumer.offsets_for_times([asked], timeout=WITHIN_S)
        consumer.close()
        return int(found.offset)


def _consumer(bootstrap: str, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 200,
            "log_level": 0,
        }
    )
