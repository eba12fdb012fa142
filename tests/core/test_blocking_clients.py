"""The blocking Kafka clients: connecting, polls, values, and their errors as ours."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer

from data_analysis import (
    ConfigurationError,
    KafkaConnectionError,
    KafkaConsumerClient,
    KafkaProducerClient,
)
from data_analysis.kafka.blocking_options import (
    blocking_consumer_options,
    blocking_producer_options,
)
from data_analysis.kafka.options import read_kafka_options
from station_sim.blocking import run_virtual_blocking
from station_sim.brokers import Broker, TopicSpec, open_broker
from station_sim.clock import run_virtual

TOPIC = "READINGS"
FLAT = {"bootstrap_servers": "kafka:9092", "group_id": "clients", "auto_offset_reset": "earliest"}
NESTED = {
    "consumer": {
        "bootstrap_servers": ["kafka:9092"],
        "group_id": "clients",
        "auto_offset_reset": "earliest",
        "max_poll_records": 500,
        "session_timeout_ms": 30000,
    },
    "producer": {
        "bootstrap_servers": ["kafka:9092"],
        "acks": "all",
        "retries": 3,
        "max_in_flight_requests_per_connection": 5,
        "compression_type": "gzip",
    },
}


def _with_broker(
    story: Callable[[Broker], Any], properties: Mapping[str, str] | None = None
) -> Any:
    async def world() -> Any:
        async with open_broker("virtual", server_properties=properties or {}) as broker:
            await broker.make_topics(TopicSpec(TOPIC, config={"retention.ms": "-1"}))
            return await asyncio.to_thread(story, broker)

    return run_virtual(world, seed=1)


def _make_both(config: dict[str, Any]) -> None:
    KafkaConsumerClient([TOPIC], config, connect=False)
    KafkaProducerClient(config, connect=False)


def _read(consumer: KafkaConsumerClient, count: int) -> list[Any]:
    found: list[Any] = []
    deadline = time.monotonic() + 60
    while len(found) < count and time.monotonic() < deadline:
        for tp, messages in consumer.poll().items():
            assert (TOPIC, 0) == tp
            found.extend(messages)
    return found


@pytest.mark.parametrize("config", [FLAT, NESTED], ids=["flat", "nested"])
def test_what_one_sends_the_other_polls(config: dict[str, Any]) -> None:
    def story(broker: Broker) -> None:
        producer = KafkaProducerClient(config)
        for number in range(3):
            producer.send(TOPIC, {"number": number, "name": "站"})
        producer.close()
        consumer = KafkaConsumerClient([TOPIC], config)
        messages = _read(consumer, 3)
        consumer.close()
        consumer.close()
        assert [0, 1, 2] == [json.loads(message.value)["number"] for message in messages]
        assert [0, 1, 2] == [message.offset for message in messages]

    _with_broker(story)


def test_short_polls_get_an_assignment_too() -> None:
    def story(broker: Broker) -> None:
        producer = KafkaProducerClient(FLAT)
        producer.send(TOPIC, {"number": 1})
        producer.close()
        consumer = KafkaConsumerClient([TOPIC], FLAT)
        began = time.monotonic()
        while not consumer.poll(timeout_ms=10):
            assert 20 > time.monotonic() - began
        consumer.close()

    _with_broker(story)


def test_connecting_is_tried_as_often_as_asked_and_fails_as_ours() -> None:
    def story() -> float:
        with pytest.raises(
            KafkaConnectionError, match="connecting a consumer to kafka:9092"
        ) as met:
            KafkaConsumerClient([TOPIC], FLAT, max_retries=3, retry_interval=7)
        assert met.value.__cause__ is not None
        with pytest.raises(KafkaConnectionError, match="connecting a producer to kafka:9092"):
            KafkaProducerClient(FLAT, max_retries=1)
        return time.monotonic()

    assert 3 * 10 + 2 * 7 + 10 == pytest.approx(run_virtual_blocking(story), abs=1)


def test_a_broker_that_comes_late_is_found() -> None:
    async def world() -> None:
        connecting = asyncio.create_task(asyncio.to_thread(KafkaConsumerClient, [TOPIC], FLAT))
        await asyncio.sleep(12)
        async with open_broker("virtual") as broker:
            await broker.make_topics(TopicSpec(TOPIC))
            consumer = await connecting
            await asyncio.to_thread(consumer.close)

    run_virtual(world)


def test_a_topic_that_is_not_there_is_named() -> None:
    def story(broker: Broker) -> None:
        with pytest.raises(KafkaConnectionError, match="failed: it has no topic NOT-THERE, or"):
            KafkaConsumerClient([TOPIC, "NOT-THERE"], FLAT, max_retries=1)

    _with_broker(story, {"auto.create.topics.enable": "false"})


def test_a_topic_that_the_broker_makes_when_asked_is_waited_for() -> None:
    def story(broker: Broker) -> None:
        consumer = KafkaConsumerClient([TOPIC, "MADE"], FLAT, max_retries=1)
        consumer.close()

    _with_broker(story)


def test_commits_and_look_ups() -> None:
    def story(broker: Broker) -> None:
        producer = KafkaProducerClient(FLAT)
        before_ms = int(time.time() * 1000)
        time.sleep(1)
        for number in range(3):
            producer.send(TOPIC, number)
        producer.close()
        client = KafkaConsumerClient([TOPIC], FLAT)
        messages = _read(client, 3)
        (consumer,) = client.members
        tp = (TOPIC, 0)
        assert consumer.committed(tp) is None
        consumer.commit({tp: (2, "v1 note")})
        assert (2, "v1 note") == consumer.committed(tp)
        assert (0, 3) == consumer.log_range(tp)
        assert (0, messages[0].timestamp) == consumer.first_since(tp, before_ms)
        assert consumer.first_since(tp, messages[2].timestamp + 1) is None
        consumer.pause([tp])
        consumer.seek(tp, 1)
        assert {} == client.poll()
        consumer.resume([tp])
        assert [1, 2] == [message.offset for message in _read(client, 2)]
        client.close()

    _with_broker(story)


def test_what_was_handed_out_can_be_committed() -> None:
    def story(broker: Broker) -> None:
        producer = KafkaProducerClient(FLAT)
        for number in range(3):
            producer.send(TOPIC, number)
        producer.close()
        client = KafkaConsumerClient([TOPIC], {**FLAT, "max_poll_records": 2})
        count = len(_read(client, 1))
        client.commit()
        (consumer,) = client.members
        assert (count, "") == consumer.committed((TOPIC, 0))
        client.commit({(TOPIC, 0): 1})
        assert (1, "") == consumer.committed((TOPIC, 0))
        client.close()
        with pytest.raises(KafkaConnectionError, match="committing failed"):
            client.commit({(TOPIC, 0): 3})

    _with_broker(story)


def test_a_value_that_kafka_does_not_take_is_our_error() -> None:
    def story(broker: Broker) -> None:
        producer = KafkaProducerClient(FLAT, max_retries=2, retry_interval=1)
        with pytest.raises(KafkaConnectionError, match=f"sending to {TOPIC} failed"):
            producer.send(TOPIC, "x" * 2_000_000)
        producer.close()

    _with_broker(story)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"group_id": None}, "group_id is missing"),
        ({"bootstrap_servers": 7}, "bootstrap_servers must be a list"),
        ({"acks": "some"}, "acks must be"),
        ({"retries": "many"}, "retries must be an integer"),
        ({"producer": {"max_in_flight_requests_per_connection": 0}}, "must be an integer >= 1"),
    ],
)
def test_a_bad_setting_is_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        _make_both({**FLAT, **change})


def test_only_the_settings_that_kafka_python_has_reach_it() -> None:
    wide = {
        **FLAT,
        "rebalance_timeout_ms": 60_000,
        "request_timeout_ms": 600_000,
        "linger_ms": 7,
        "buffer_memory": 1 << 20,
        "max_in_flight_requests_per_connection": 12,
        "retries": 0,
    }
    options = read_kafka_options(wide)
    read = blocking_consumer_options(options)
    sent = blocking_producer_options(options, wide)
    assert set(read) <= set(KafkaConsumer.DEFAULT_CONFIG)
    assert set(sent) <= set(KafkaProducer.DEFAULT_CONFIG)
    assert 600_001 == read["connections_max_idle_ms"]
    assert (5, 1) == (sent["max_in_flight_requests_per_connection"], sent["retries"])
