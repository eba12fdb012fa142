"""Kafka's console tools do their work at `station-lab broker`."""

from collections.abc import Iterator

import pytest

from tests.clients.command import BrokerCommand, broker_command
from tests.clients.console_tools import (
    CONSUMER,
    GROUPS,
    OFFSETS,
    PRODUCER,
    TOPICS,
    run_tool,
)
from tests.kafka_at_hand import require_kafka

pytestmark = pytest.mark.kafka

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


@pytest.fixture(scope="module")
def broker() -> Iterator[BrokerCommand]:
    require_kafka("jvm")
    with broker_command() as running:
        yield running


def cells(lines: list[str], name: str) -> list[list[str]]:
    """The rows of a printed table that begin with `name`."""
    return sorted(line.split() for line in lines if line.split()[0] == name)


def test_topics(broker: BrokerCommand) -> None:
    at = broker.bootstrap
    made = run_tool(TOPICS, at, "--create", "--topic", "made", "--partitions", "2")
    assert ["Created topic made."] == made
    described = run_tool(TOPICS, at, "--describe", "--topic", "made")
    assert "PartitionCount: 2" in described[0]
    assert 2 == sum("Leader: 0" in line for line in described[1:])
    assert "made" in run_tool(TOPICS, at, "--list")
    run_tool(TOPICS, at, "--delete", "--topic", "made")
    assert "made" not in run_tool(TOPICS, at, "--list")


def test_records_and_groups(broker: BrokerCommand) -> None:
    at = broker.bootstrap
    for codec in CODECS:
        run_tool(PRODUCER, at, "--topic", "T", "--compression-codec", codec, given=f"{codec}\n")
    count = str(len(CODECS))
    read = ("--topic", "T", "--group", "g", "--from-beginning", "--max-messages", count)
    assert list(CODECS) == run_tool(CONSUMER, at, *read)
    assert ["T:0:5"] == run_tool(OFFSETS, at, "--topic", "T")
    assert "g" in run_tool(GROUPS, at, "--list")
    described = run_tool(GROUPS, at, "--describe", "--group", "g")
    assert [["g", "T", "0", "5", "5", "0", "-", "-", "-"]] == cells(described, "g")

    broker.restart()
    run_tool(PRODUCER, at, "--topic", "T", given="later\n")
    assert ["later"] == run_tool(
        CONSUMER, at, "--topic", "T", "--group", "g", "--max-messages", "1"
    )

    chosen = ("--group", "g", "--topic", "T")
    reset = run_tool(GROUPS, at, "--reset-offsets", "--to-offset", "2", "--execute", *chosen)
    assert [["g", "T", "0", "2"]] == cells(reset, "g")
    run_tool(GROUPS, at, "--delete", "--group", "g")
    assert "g" not in run_tool(GROUPS, at, "--list")
