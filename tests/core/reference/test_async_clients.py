"""What the reference says of the asynchronous Kafka clients, in virtual time."""

import asyncio
import json
import logging
from typing import Any

import pytest

from data_analysis import (
    AsyncKafkaConsumerClient,
    AsyncKafkaProducerClient,
    KafkaConnectionError,
)
from data_analysis.kafka.options import read_kafka_options
from tests.core.reference.statements import states
from tests.core.world import DATA, World, in_world

CHAPTER = "Kafka 客户端类（异步）"


def flat(world: World, **more: Any) -> dict[str, Any]:
    return {
        "bootstrap_servers": [world.broker.bootstrap],
        "group_id": "clients",
        "auto_offset_reset": "earliest",
        **more,
    }


@states(
    "AsyncKafkaConsumerClient：`await start()`、`await getone() -> Message`、`await stop()`",
    "kafka.async_consumers.AsyncKafkaConsumerClient",
)
def test_the_consumer_starts_gets_messages_and_stops() -> None:
    async def story(world: World) -> None:
        await world.send("A", 1.0, 2.0)
        consumer = AsyncKafkaConsumerClient([DATA], flat(world))
        assert None is await consumer.start()
        messages = [await consumer.getone() for _ in range(2)]
        assert [(DATA, 0, 0), (DATA, 0, 1)] == [
            (each.topic, each.partition, each.offset) for each in messages
        ]
        assert [1.0, 2.0] == [json.loads(each.value)["totalPower"] for each in messages]
        assert None is await consumer.stop()
        with pytest.raises(KafkaConnectionError):
            await consumer.getone()

    in_world(story)


@states(
    "AsyncKafkaProducerClient：`await send(topic: str, value: dict) -> None`（send_and_wait）",
    "kafka.async_producer.AsyncKafkaProducerClient.send",
)
def test_a_value_is_in_the_log_when_send_returns() -> None:
    async def story(world: World) -> None:
        producer = AsyncKafkaProducerClient(flat(world))
        await producer.start()
        assert None is await producer.send(DATA, {"stationId": "A"})
        assert {0: (0, 1)} == await world.broker.log_ranges(DATA)
        await producer.stop()
        with pytest.raises(KafkaConnectionError):
            await producer.send(DATA, {"stationId": "A"})

    in_world(story)


@states(
    "对连接与发送/消费做了重试与序列化处理",
    "kafka.async_producer.AsyncKafkaProducerClient",
    "kafka.async_consumer.AsyncGroupMember.start",
)
def test_connecting_is_tried_again_and_values_become_json() -> None:
    async def story(world: World) -> None:
        await world.broker.stop()
        producer = AsyncKafkaProducerClient(flat(world))
        consumer = AsyncKafkaConsumerClient([DATA], flat(world))
        starting = asyncio.gather(producer.start(), consumer.start())
        await asyncio.sleep(12)
        await world.broker.start()
        await starting
        await producer.send(DATA, {"name": "场站", "power": 1.5})
        assert {"name": "场站", "power": 1.5} == json.loads((await consumer.getone()).value)
        await producer.stop()
        await consumer.stop()

    in_world(story)


@states(
    "当前实现期望顶层存在 `bootstrap_servers`（扁平格式）；如使用嵌套格式，也请在外层同时提供",
    "kafka.options.read_kafka_options",
)
def test_servers_may_stand_on_top_inside_or_both() -> None:
    top = {"bootstrap_servers": ["kafka:9092"]}
    group = {"group_id": "g"}
    for config in (
        {**top, **group},
        {**top, "consumer": group, "producer": {}},
        {"consumer": {**top, **group}, "producer": top},
        {**top, "consumer": {**top, **group}, "producer": top},
    ):
        options = read_kafka_options(config)
        assert ["kafka:9092"] == options.consumer["bootstrap_servers"]
        assert ["kafka:9092"] == options.producer["bootstrap_servers"]


SECURITY = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "SCRAM-SHA-256",
    "sasl_plain_username": "station",
    "sasl_plain_password": "secret",
}


@states(
    "异步（aiokafka）消费者/生产者：security_protocol, sasl_mechanism, sasl_plain_username, "
    "sasl_plain_password",
    "kafka.options.SECURITY_KEYS",
)
def test_security_settings_reach_both_clients() -> None:
    options = read_kafka_options({"bootstrap_servers": ["kafka:9092"], **SECURITY})
    for arguments in (options.consumer, options.producer, options.admin):
        assert SECURITY == {key: arguments[key] for key in SECURITY}


CONSUMER = [
    ("session_timeout_ms", 45000),
    ("request_timeout_ms", 50000),
    ("heartbeat_interval_ms", 2000),
    ("max_poll_interval_ms", 600000),
]


@states(
    "消费者白名单：session_timeout_ms, request_timeout_ms, heartbeat_interval_ms, "
    "max_poll_interval_ms",
    "kafka.options.CONSUMER_KEYS",
)
def test_the_consumer_s_numbers_reach_the_client() -> None:
    options = read_kafka_options({"bootstrap_servers": ["kafka:9092"], **dict(CONSUMER)})
    assert dict(CONSUMER) == {key: options.consumer[key] for key, _ in CONSUMER}
    assert () == options.unknown


@states(
    "支持的参数透传（白名单）",
    "kafka.options.warn_of_unknown",
)
def test_whatever_is_on_no_list_is_named_in_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    listed = {
        "acks": "all",
        "retries": 3,
        "compression_type": "gzip",
        "linger_ms": 1,
        "batch_size": 1000,
        "max_in_flight_requests_per_connection": 5,
        "buffer_memory": 33554432,
        "enable_auto_commit": False,
        "max_poll_records": 10,
        "group_id": "g",
        "auto_offset_reset": "latest",
        **dict(CONSUMER),
    }
    config = {"bootstrap_servers": ["kafka:9092"], **listed, "unheard_of": 1}
    with caplog.at_level(logging.WARNING, "data_analysis"):
        AsyncKafkaConsumerClient([DATA], config)
    assert ["Kafka settings without effect: unheard_of"] == caplog.messages
