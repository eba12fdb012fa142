"""Records to a broker: all of them arrive, keyed and stamped; what it would not keep is refused."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from tests.simulator.outputs.test_files import TOPICS, told

from station_sim.brokers import Broker, TopicSpec, open_broker
from station_sim.errors import LabError
from station_sim.outputs.kafka import KafkaOutput
from station_sim.outputs.sending import Sent, send_to_kafka
from station_sim.outputs.telling_progress import tell_end
from station_sim.streams.record import Record

Landed = list[tuple[str, bytes | None, int, bytes]]


@asynccontextmanager
async def embedded() -> AsyncIterator[Broker]:
    async with open_broker("embedded") as broker:
        yield broker


async def landed(broker: Broker, topics: tuple[str, ...]) -> Landed:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in await broker.log_ranges(topic)
        ]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        wanted = sum((await consumer.end_offsets(places)).values())
        found: Landed = []
        while len(found) < wanted:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [(each.topic, each.key, each.timestamp, each.value) for each in records]
        return found
    finally:
        await consumer.stop()


def silently(sent: Sent) -> None:
    """Nobody watches."""


def test_what_is_sent_lands_keyed_and_stamped() -> None:
    async def story() -> None:
        async with embedded() as broker:
            async with KafkaOutput(broker.bootstrap, TOPICS) as output:
                sent = await send_to_kafka(told(), output, None, silently)
            records = [
                (each.topic, each.key and each.key.encode(), each.timestamp_ms, each.value)
                for each in told()
            ]
            assert Counter(records) == Counter(await landed(broker, TOPICS))
            assert len(records) == output.sent == sent.count
            assert not sent.failed
            assert not sent.refused

    asyncio.run(story())


def test_records_over_the_size_limit_are_refused_with_the_numbers() -> None:
    async def story() -> None:
        async with embedded() as broker:
            small = TopicSpec("T", config={"max.message.bytes": "2000"})
            await broker.make_topics(small)
            records = [
                Record(0, 0, "T", "a", b"1" * size, 1_772_294_400_000, ("a",))
                for size in (100, 3000, 3000)
            ]
            async with KafkaOutput(broker.bootstrap, ("T",), use_existing_topics=True) as output:
                assert 2000 == output.record_bytes_max
                old = await send_to_kafka(records, output, None, silently)
            assert 1 == output.sent
            assert {
                "T: a record of 3000 bytes does not fit into max.message.bytes 2000": 2
            } == old.refused

    asyncio.run(story())


def test_records_that_a_foreign_topic_would_throw_away_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def story() -> None:
        async with embedded() as broker:
            await broker.make_topics(TopicSpec("T", config={"retention.ms": "3600000"}))
            record = Record(0, 0, "T", "a", b"1", 1_000_000, ("a",))
            async with KafkaOutput(broker.bootstrap, ("T",), use_existing_topics=True) as output:
                sent = await send_to_kafka([record], output, None, silently)
            (reason,) = sent.refused
            assert reason.startswith("T: older than its retention.ms or timestamp limit (1")
            assert 0 == output.sent
            tell_end(sent, "there")
            assert "sent 0 of 1 records, 0.0 MB, to there" in capsys.readouterr().err

    asyncio.run(story())


def test_topics_that_are_there_need_the_user_s_word() -> None:
    async def story() -> None:
        async with embedded() as broker:
            await broker.make_topics(TopicSpec("T"))
            with pytest.raises(LabError, match="has T already; allow their use with --use-exist"):
                async with KafkaOutput(broker.bootstrap, ("T",)):
                    raise AssertionError("must not open")

    asyncio.run(story())


def test_a_broker_elsewhere_needs_the_user_s_word() -> None:
    async def story() -> None:
        with pytest.raises(LabError, match="is not on this machine; allow it with --allow-remote"):
            async with KafkaOutput("192.0.2.1:9092", ("T",)):
                raise AssertionError("must not open")

    asyncio.run(story())
