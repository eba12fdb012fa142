"""Broker settings under Kafka's names."""

import logging
from dataclasses import fields

import pytest

from station_sim.errors import LabError
from station_sim.kafka.setting_names import KAFKA_NAMES
from station_sim.kafka.settings import BrokerSettings


def test_dotted_names_set_attributes() -> None:
    settings = BrokerSettings.from_kafka(
        {"num.partitions": "2", "auto.create.topics.enable": "FALSE", "log.retention.ms": "-1"}
    )

    assert settings.num_partitions == 2
    assert settings.auto_create_topics_enable is False
    assert settings.log_retention_ms == -1


def test_what_is_written_is_read_again() -> None:
    settings = BrokerSettings(num_partitions=5, log_message_timestamp_type="LogAppendTime")

    assert BrokerSettings.from_kafka(settings.to_kafka()) == settings


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("no.such.key", "1", "did you mean "),
        ("num.partition", "1", "did you mean num.partitions?"),
        ("num.io.thread", "1", "did you mean num.io.threads?"),
        ("log.retention.hours", "a day", "whole number"),
        ("log.roll.hours", "0", "1 and more"),
        ("num.partitions", "0", "1 to"),
        ("num.partitions", "two", "whole number"),
        ("auto.create.topics.enable", "yes", "true, false"),
        ("log.message.timestamp.type", "Never", "CreateTime, LogAppendTime"),
        ("group.min.session.timeout.ms", "99999999", "group.max.session.timeout.ms"),
    ],
)
def test_a_bad_setting_is_named_with_what_is_allowed(name: str, value: str, said: str) -> None:
    with pytest.raises(LabError) as caught:
        BrokerSettings.from_kafka({name: value})

    assert name in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_obeyed_has_a_name_of_kafka() -> None:
    assert {f.name.replace("_", ".") for f in fields(BrokerSettings)} <= KAFKA_NAMES


def test_what_nobody_obeys_is_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="station_sim.kafka"):
        settings = BrokerSettings.from_kafka(
            {"listeners": "PLAINTEXT://:9092", "num.partitions": "2", "num.io.threads": "8"}
        )
    assert 2 == settings.num_partitions
    assert ["no effect here: listeners, num.io.threads"] == caplog.messages


@pytest.mark.parametrize(
    ("said", "expected_ms"),
    [
        ({"log.retention.hours": "2"}, 7_200_000),
        ({"log.retention.hours": "2", "log.retention.minutes": "3"}, 180_000),
        ({"log.retention.hours": "2", "log.retention.ms": "5"}, 5),
        ({"log.retention.minutes": "-1"}, -1),
        ({}, 604_800_000),
    ],
)
def test_the_finest_unit_counts(said: dict[str, str], expected_ms: int) -> None:
    assert expected_ms == BrokerSettings.from_kafka(said).log_retention_ms


def test_hours_of_rolling_are_kept_in_ms() -> None:
    assert 3_600_000 == BrokerSettings.from_kafka({"log.roll.hours": "1"}).log_roll_ms
