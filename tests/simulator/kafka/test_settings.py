"""Broker settings under Kafka's names."""

import pytest

from station_sim.errors import LabError
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
        ("no.such.key", "1", "num.partitions"),
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
