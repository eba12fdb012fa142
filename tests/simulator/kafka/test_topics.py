"""Topics: names, configuration, refusals."""

import random

import pytest

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.topics import Topics


def make_topics(**settings: object) -> Topics:
    return Topics(BrokerSettings(**settings), random.Random(1))  # type: ignore[arg-type]  # any


def test_partitions_default_to_the_brokers_number() -> None:
    assert 4 == len(make_topics(num_partitions=4).create("T").partitions)


def test_ids_come_from_the_seed() -> None:
    assert make_topics().create("T").topic_id == make_topics().create("T").topic_id


def test_configuration_falls_back_to_the_brokers() -> None:
    topics = make_topics(log_retention_ms=7, message_max_bytes=99)

    config = topics.create("T", config={"segment.ms": "1000"}).config

    assert (7, 99, 1000) == (config.retention_ms, config.max_message_bytes, config.segment_ms)
    assert {"segment.ms": "1000"} == config.overrides


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "é", "x" * 250])
def test_illegal_names_are_refused(name: str) -> None:
    with pytest.raises(RefusalError) as caught:
        make_topics().create(name)

    assert ErrorCode.INVALID_TOPIC_EXCEPTION == caught.value.code


def test_dots_and_underscores_collide() -> None:
    topics = make_topics()
    topics.create("a.b")

    with pytest.raises(RefusalError, match=r"Topic 'a_b' collides with existing topic: a\.b"):
        topics.create("a_b")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("foo", "1", "Unknown topic config name: foo"),
        (
            "retention.ms",
            "-5",
            "Invalid value -5 for configuration retention.ms: Value must be at least -1",
        ),
        (
            "retention.ms",
            "x",
            "Invalid value x for configuration retention.ms: Not a number of type LONG",
        ),
        (
            "retention.ms",
            "9" * 20,
            f"Invalid value {'9' * 20} for configuration retention.ms: Not a number of type LONG",
        ),
        (
            "cleanup.policy",
            "nope",
            "Invalid value nope for configuration cleanup.policy: "
            "String must be one of: compact, delete",
        ),
        (
            "preallocate",
            "x",
            "Invalid value x for configuration preallocate: "
            "Expected value to be either true or false",
        ),
        ("retention.ms", None, "Null value not supported for topic configs: retention.ms"),
        (
            "segment.bytes",
            "100",
            "Invalid value 100 for configuration segment.bytes: Value must be at least 1048576",
        ),
        (
            "min.cleanable.dirty.ratio",
            "2",
            "Invalid value 2 for configuration min.cleanable.dirty.ratio: "
            "Value must be no more than 1",
        ),
    ],
)
def test_bad_configuration_is_refused_in_kafkas_words(
    name: str, value: str | None, text: str
) -> None:
    with pytest.raises(RefusalError) as caught:
        make_topics().create("T", config={name: value})

    assert (ErrorCode.INVALID_CONFIG, text) == (caught.value.code, caught.value.message)


def test_a_deleted_topic_is_gone_and_its_name_free() -> None:
    topics = make_topics()
    first = topics.create("T")

    topics.delete("T")

    assert "T" not in topics
    assert first.topic_id != topics.create("T").topic_id
