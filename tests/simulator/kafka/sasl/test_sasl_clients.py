"""kafka-python and confluent-kafka are let in by every mechanism, and told when they are not."""

import asyncio
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from station_sim.brokers import Broker, make_broker

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
WITHIN_S = 30


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    opened = make_broker("embedded", users={"alice": "alice-secret"})
    with asyncio.Runner() as runner:
        runner.run(opened.start())
        yield opened
        runner.run(opened.close())


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_kafka_python_is_let_in(broker: Broker, mechanism: str) -> None:
    options = {"bootstrap_servers": broker.bootstrap, **broker.client_options(mechanism)}
    topic = f"kafka-python-{mechanism}"
    producer = KafkaProducer(**options)
    producer.send(topic, b"v").get(timeout=WITHIN_S)
    producer.close()
    consumer = KafkaConsumer(topic, auto_offset_reset="earliest", **options)
    try:
        assert b"v" == next(consumer).value
    finally:
        consumer.close()


def test_kafka_python_is_told(broker: Broker) -> None:
    options = {**broker.client_options(), "sasl_plain_password": "wrong"}
    with pytest.raises(KafkaError):
        KafkaProducer(bootstrap_servers=broker.bootstrap, **options)


def confluent_options(broker: Broker, mechanism: str, password: str) -> dict[str, str]:
    return {
        "bootstrap.servers": broker.bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism,
        "sasl.username": "alice",
        "sasl.password": password,
    }


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_confluent_kafka_is_let_in(broker: Broker, mechanism: str) -> None:
    options = confluent_options(broker, mechanism, "alice-secret")
    topic = f"confluent-{mechanism}"
    producer = Producer(options)
    producer.produce(topic, b"v")
    assert 0 == producer.flush(WITHIN_S)
    consumer = Consumer({**options, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    try:
        found = consumer.poll(WITHIN_S)
        assert found is not None
        assert found.error() is None
        assert b"v" == found.value()
    finally:
        consumer.close()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_confluent_kafka_is_told(broker: Broker, mechanism: str) -> None:
    errors: list[str] = []
    options = {
        **confluent_options(broker, mechanism, "wrong"),
        "error_cb": lambda error: errors.append(error.name()),
        "log_level": 0,
    }
    admin = AdminClient(options)
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=2)
    admin.poll(0)
    assert "_AUTHENTICATION" in errors
