"""What the reference says of the blocking Kafka clients, on virtual threads."""

import json
import time
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from data_analysis import KafkaConnectionError, KafkaConsumerClient, KafkaProducerClient
from data_analysis.kafka.blocking_options import (
    blocking_consumer_options,
    blocking_producer_options,
)
from data_analysis.kafka.options import read_kafka_options
from tests.core.blocking_world import BlockingWorld, in_blocking_world
from tests.core.reference.statements import states
from tests.core.world import DATA

CHAPTER = "Kafka 客户端类（同步）"

SERVERS = {"bootstrap_servers": ["kafka:9092"]}
SASL = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "PLAIN",
    "sasl_plain_username": "station",
    "sasl_plain_password": "secret",
}


def read(consumer: KafkaConsumerClient, count: int) -> list[Any]:
    found: list[Any] = []
    deadline = time.monotonic() + 60
    while len(found) < count:
        assert time.monotonic() < deadline
        for messages in consumer.poll().values():
            found.extend(messages)
    return found


@states(
    "KafkaConsumerClient：`poll(timeout_ms: int = 1000) -> dict`，"
    "返回 {TopicPartition: [Message]}；`close() -> None`",
    "kafka.consumer.KafkaConsumerClient.poll",
)
def test_a_poll_returns_messages_by_partition() -> None:
    def story(world: BlockingWorld) -> None:
        world.send("A", 1.0, 2.0)
        consumer = KafkaConsumerClient([DATA], world.kafka_config())
        polled: dict[Any, list[Any]] = {}
        deadline = time.monotonic() + 60
        while not polled and time.monotonic() < deadline:
            polled = consumer.poll()
        assert [(DATA, 0)] == list(polled)
        powers = [json.loads(each.value)["totalPower"] for each in polled[(DATA, 0)]]
        assert [1.0, 2.0][: len(powers)] == powers
        read(consumer, 2 - len(powers))
        began = time.monotonic()
        assert {} == consumer.poll(timeout_ms=3000)
        assert 3 == pytest.approx(time.monotonic() - began, abs=0.5)
        assert None is consumer.close()

    in_blocking_world(story)


@states(
    "`group_id`/`auto_offset_reset`/`enable_auto_commit` 可从 `config['consumer']` 或顶层读取",
    "kafka.options.read_kafka_options",
)
def test_the_consumer_s_settings_stand_inside_or_on_top() -> None:
    settings = {"group_id": "g", "auto_offset_reset": "earliest", "enable_auto_commit": False}
    for config in ({**SERVERS, **settings}, {**SERVERS, "consumer": settings}):
        options = KafkaConsumerClient([DATA], config, connect=False).options
        assert ("g", "earliest", False) == (
            options.group_id,
            options.auto_offset_reset,
            options.enable_auto_commit,
        )


def connect(world: BlockingWorld, kind: str, tries: int) -> None:
    if kind == "consumer":
        KafkaConsumerClient([DATA], world.kafka_config(), tries, 7)
    else:
        KafkaProducerClient(world.kafka_config(), tries, 7)


@pytest.mark.parametrize("kind", ["consumer", "producer"])
@states(
    "`max_retries`: 连接失败重试次数，默认 5；`retry_interval`: 重试间隔秒数，默认 5；"
    "最终失败抛出异常",
    "kafka.connecting.connected",
)
def test_connecting_is_tried_as_often_and_as_far_apart_as_asked(kind: str) -> None:
    def story(world: BlockingWorld) -> None:
        world.ask(world.broker.stop())
        took: dict[int, float] = {}
        for tries in (1, 3):
            began = time.monotonic()
            with pytest.raises(KafkaConnectionError, match=f"connecting a {kind}"):
                connect(world, kind, tries)
            took[tries] = time.monotonic() - began
        assert 3 * took[1] + 2 * 7 == pytest.approx(took[3], abs=2)

    in_blocking_world(story)


@states(
    "KafkaProducerClient：`send(topic: str, value: dict) -> None`：内部 `flush()`",
    "kafka.producer.KafkaProducerClient.send",
)
def test_a_value_is_in_the_log_when_send_returns() -> None:
    def story(world: BlockingWorld) -> None:
        producer = KafkaProducerClient(world.kafka_config())
        assert None is producer.send(DATA, {"stationId": "场站"})
        assert {0: (0, 1)} == world.ask(world.broker.log_ranges(DATA))
        assert None is producer.close()
        (record,) = world.sent(DATA)
        assert {"stationId": "场站"} == json.loads(record.value)

    in_blocking_world(story)


@states(
    "send：失败自动重试；多次重试仍失败将抛出异常",
    "kafka.producer.KafkaProducerClient.send",
)
def test_a_send_that_fails_is_tried_again_until_it_is_given_up() -> None:
    def story(world: BlockingWorld) -> None:
        tried: list[float] = []
        producer = KafkaProducerClient(world.kafka_config(), max_retries=3, retry_interval=7)
        really_send = producer._client.send

        def fails(*given: Any, times: int, **named: Any) -> Any:
            tried.append(time.monotonic())
            if len(tried) <= times:
                raise KafkaTimeoutError("no room")
            return really_send(*given, **named)

        producer._client.send = partial(fails, times=2)
        producer.send(DATA, {"stationId": "A"})
        assert [7, 7] == [pytest.approx(later - sooner, abs=1) for sooner, later in pairwise(tried)]
        assert {0: (0, 1)} == world.ask(world.broker.log_ranges(DATA))
        tried.clear()
        producer._client.send = partial(fails, times=3)
        with pytest.raises(KafkaConnectionError, match=f"sending to {DATA}"):
            producer.send(DATA, {"stationId": "A"})
        assert 3 == len(tried)
        producer.close()

    in_blocking_world(story)


@states(
    "消费者（同步 kafka-python）白名单",
    "kafka.blocking_options.blocking_consumer_options",
)
def test_the_consumer_s_whitelist_reaches_the_client() -> None:
    given = {
        "session_timeout_ms": 45000,
        "request_timeout_ms": 50000,
        "heartbeat_interval_ms": 2000,
        "max_poll_interval_ms": 600000,
    }
    own = {"group_id": "g", "auto_offset_reset": "earliest", "max_poll_records": 7}
    options = read_kafka_options({**SERVERS, **given, **own, **SASL})
    passed = blocking_consumer_options(options)
    assert {**given, **SASL} == {key: passed[key] for key in (*given, *SASL)}
    assert () == options.unknown
    assert ("g", "earliest", 7) == (
        options.group_id,
        options.auto_offset_reset,
        options.max_poll_records,
    )


@states(
    "生产者（同步 kafka-python）白名单",
    "kafka.blocking_options.blocking_producer_options",
)
def test_the_producer_s_whitelist_reaches_the_client() -> None:
    given = {"acks": "all", "compression_type": "gzip", "linger_ms": 20, "batch_size": 200_000}
    accepted = {
        "retries": 3,
        "max_in_flight_requests_per_connection": 5,
        "buffer_memory": 33_554_432,
    }
    config = {**SERVERS, **given, **accepted, **SASL}
    options = read_kafka_options(config)
    passed = blocking_producer_options(options, config)
    assert (3, 5) == (passed["retries"], passed["max_in_flight_requests_per_connection"])
    assert {**given, **SASL} == {key: passed[key] for key in (*given, *SASL)}
    assert () == options.unknown
