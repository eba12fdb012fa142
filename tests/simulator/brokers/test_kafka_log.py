"""The line of Kafka's output that says why it ended."""

from pathlib import Path

import pytest

from station_sim.brokers.kafka_log import reason_in, why_it_ended

START = """[main] WARN org.apache.kafka.x.Y - a warning
[main] ERROR kafka.Kafka$ - Exiting Kafka due to fatal exception
org.apache.kafka.common.config.ConfigException: Invalid value none for configuration n: Not a number
\tat org.apache.kafka.common.config.ConfigDef.parseType(ConfigDef.java:715)
"""


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("ConfigException: Invalid value none for configuration n: Not a number", START),
        (
            "BindException: Address already in use",
            START + "Caused by: java.net.BindException: Address already in use\n",
        ),
        ("kafka.Kafka$ - no luck", "[main] ERROR kafka.Kafka$ - no luck\n[main] INFO bye\n"),
        ("Killed", "Killed\n\n"),
        ("it wrote nothing", ""),
    ],
)
def test_reason(expected: str, text: str) -> None:
    assert expected == reason_in(text)


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert "it wrote nothing" == why_it_ended(tmp_path / "kafka.log")
