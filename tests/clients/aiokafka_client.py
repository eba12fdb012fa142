"""aiokafka, in a loop of its own for each client."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.clients.members import Member, PollingMember, Seen


class Aiokafka:
    """AIOKafkaProducer and AIOKafkaConsumer of that package."""

    name = "aiokafka"

    def why_not(self) -> str | None:
        """The project depends on it."""
        return None

    def produce(self, bootstrap: str, topic: str, partition: int, value: str, codec: str) -> None:
        """Write one record."""

        async def write() -> None:
            compression = None if codec == "none" else codec
            async with AIOKafkaProducer(
                bootstrap_servers=bootstrap, compression_type=compression
            ) as producer:
                await producer.send_and_wait(topic, value.encode(), partition=partition)

        asyncio.run(write())

    def join(self, bootstrap: str, topic: str, group: str) -> Member:
        """A new member, which begins at the earliest record."""
        runner = asyncio.Runner()
        started: list[AIOKafkaConsumer] = []

        async def read() -> list[Seen]:
            if not started:
                consumer = AIOKafkaConsumer(
                    topic,
                    bootstrap_servers=bootstrap,
                    group_id=group,
                    auto_offset_reset="earliest",
                    session_timeout_ms=6000,
                    heartbeat_interval_ms=200,
                )
                await consumer.start()
                started.append(consumer)
            found = await started[0].getmany(timeout_ms=100)
            return [
                Seen(record.partition, record.offset, record.timestamp, record.value.decode())
                for records in found.values()
                for record in records
            ]

        def close() -> None:
            with runner:
                for consumer in started:
                    runner.run(consumer.stop())

        return PollingMember(lambda: runner.run(read()), close)

    def offset_at(self, bootstrap: str, topic: str, partition: int, timestamp_ms: int) -> int:
        """The first offset at that time or later."""
        where = TopicPartition(topic, partition)

        async def look_up() -> int:
            async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
                found = await consumer.offsets_for_times({where: timestamp_ms})
            return int(found[where].offset)

        return asyncio.run(look_up())
