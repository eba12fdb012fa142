"""The asynchronous Kafka clients on their own: retries, records, and what they warn of."""

import asyncio
import json
from typing import Any

import pytest

from data_analysis import (
    AsyncKafkaConsumerClient,
    AsyncKafkaProducerClient,
    ConfigurationError,
    KafkaConnectionError,
)
from tests.core.world import CALENDAR, DATA, World, in_world


def _config(world: World, **more: Any) -> dict[str, Any]:
    return {
        "bootstrap_servers": [world.broker.bootstrap],
        "group_id": "clients",
        "auto_offset_reset": "earliest",
        **more,
    }


def test_what_is_sent_is_got() -> None:
    async def story(world: World) -> None:
        producer = AsyncKafkaProducerClient(_config(world))
        consumer = AsyncKafkaConsumerClient([DATA], _config(world))
        await producer.start()
        await producer.send(DATA, {"stationId": "场站", "totalPower": 1.5})
        await producer.stop()
        await consumer.start()
        record = await consumer.getone()
        await consumer.stop()
        assert {"stationId": "场站", "totalPower": 1.5} == json.loads(record.value)
        assert "场站".encode() in record.value, "as it is, without escapes"

    in_world(story)


@pytest.mark.parametrize("kind", ["consumer", "producer"])
def test_connecting_is_tried_as_often_and_as_far_apart_as_asked(kind: str) -> None:
    async def story(world: World) -> None:
        await world.broker.stop()
        client = _client(world, kind, max_retries=3, retry_interval=7)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(KafkaConnectionError, match=f"connecting a {kind} to kafka:9092"):
            await client.start()
        assert 14 <= loop.time() - began < 20
        assert not client.alive
        await client.stop()
        patient = _client(world, kind)
        starting = asyncio.create_task(patient.start())
        await asyncio.sleep(12)
        await world.broker.start()
        await starting
        assert patient.alive
        await patient.stop()

    in_world(story)


def test_a_topic_that_is_not_there_is_named() -> None:
    async def story(world: World) -> None:
        consumer = AsyncKafkaConsumerClient([DATA, "NOT-THERE"], _config(world), max_retries=1)
        with pytest.raises(KafkaConnectionError, match="failed: it has no topic NOT-THERE, or"):
            await consumer.start()
        assert not consumer.alive

    in_world(story, {"auto.create.topics.enable": "false"})


@pytest.mark.parametrize("multi", [False, True])
def test_what_was_handed_out_can_be_committed(*, multi: bool) -> None:
    async def story(world: World) -> None:
        config = _config(world, multi_consumer_mode=multi)
        group = f"clients-{DATA}" if multi else "clients"
        await world.send("A", 1.0, 2.0, 3.0)
        await world.send_raw(CALENDAR, b"{}")
        consumer = AsyncKafkaConsumerClient([DATA, CALENDAR], config)
        await consumer.start()
        got = [await consumer.getone() for _ in range(2)]
        await asyncio.sleep(10)
        await consumer.commit()
        of_data = sum(record.topic == DATA for record in got)
        assert of_data == (await world.broker.committed(group))[(DATA, 0)].offset
        await consumer.commit({(DATA, 0): 2})
        assert 2 == (await world.broker.committed(group))[(DATA, 0)].offset
        await consumer.commit({(DATA, 0): (3, "note")})
        assert "note" == (await world.broker.committed(group))[(DATA, 0)].metadata
        await consumer.stop()
        with pytest.raises(KafkaConnectionError, match="committing failed"):
            await consumer.commit({(DATA, 0): 3})

    in_world(story)


def test_a_poll_brings_no_more_than_the_configuration_says() -> None:
    async def story(world: World) -> None:
        await world.send("A", *range(7))
        consumer = AsyncKafkaConsumerClient([DATA], _config(world, max_poll_records=3))
        await consumer.start()
        assert [3, 3, 1] == [sum(map(len, (await consumer.getmany()).values())) for _ in range(3)]
        await consumer.stop()

    in_world(story)


def _client(world: World, kind: str, **options: Any) -> Any:
    if kind == "consumer":
        return AsyncKafkaConsumerClient([DATA], _config(world), **options)
    return AsyncKafkaProducerClient(_config(world), **options)


@pytest.mark.parametrize("kind", ["consumer", "producer"])
def test_retries_that_make_no_sense_are_refused(kind: str) -> None:
    async def story(world: World) -> None:
        with pytest.raises(ConfigurationError, match="max_retries must be an integer >= 1, got 0"):
            _client(world, kind, max_retries=0)
        with pytest.raises(ConfigurationError, match="retry_interval must be a number >= 0"):
            _client(world, kind, retry_interval=-1)

    in_world(story)


def test_keys_without_effect_are_named_in_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        odd = _config(world, odd=1, consumer={"strange": 2}, producer={"weird": "secret-value"})
        AsyncKafkaConsumerClient([DATA], odd)
        assert ["Kafka settings without effect: odd, consumer.strange, producer.weird"] == (
            caplog.messages
        )
        caplog.clear()
        service = world.service(kafka={"odd": 1, "producer": {"weird": "secret-value"}})
        await service.start(world.callback)
        await service.stop()
        warnings = [line for line in caplog.messages if "without effect" in line]
        assert ["Kafka settings without effect: odd, producer.weird"] == warnings

    in_world(story)
    assert "secret-value" not in caplog.text


def test_enable_auto_commit_never_lets_the_client_commit(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World, *, auto: bool) -> None:
        gate = asyncio.Event()

        async def hangs(station_id: str, given: dict[str, Any]) -> None:
            await gate.wait()

        service = world.service(kafka={"enable_auto_commit": auto}, upload_results=False)
        await world.send("A", 1.0)
        await service.start(hangs)
        await asyncio.sleep(60)
        assert 0 == await world.committed()
        gate.set()
        await asyncio.sleep(10)
        assert 1 == await world.committed()
        await service.stop()

    with caplog.at_level("INFO", "data_analysis"):
        in_world(lambda world: story(world, auto=False))
        assert [] == [line for line in caplog.messages if line.startswith("enable_auto_commit")]
        in_world(lambda world: story(world, auto=True))
        assert 1 == len([line for line in caplog.messages if line.startswith("enable_auto_commit")])
    done = [each for each in caplog.records if each.getMessage() == "成功提交 1 个分区 offset"]
    assert {"INFO"} == {each.levelname for each in done}
