"""Settings of topics through every client: told, changed, refused."""

import pytest

from tests.contract.bench import Bench
from tests.contract.clients.client import Client
from tests.contract.clients.interface import Admin
from tests.contract.clients.terms import Refused
from tests.contract.registry import client_case
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
MESSAGE_TOO_LARGE = 10
INVALID_CONFIG = 40


async def until_told(admin: Admin, topic: str, setting: str, value: str) -> None:
    """Wait until a setting is shown; it is so a moment after a change."""

    async def told() -> bool:
        return (await admin.topic_settings(topic))[setting] == value

    await eventually(told)


@client_case("DescribeConfigs")
async def case_client_asks_for_settings(kafka: Bench, client: Client) -> None:
    """A client is told all settings of a topic: its own, and defaults for the rest."""
    topic = await kafka.topic(config={"max.message.bytes": "1234"})
    told = await (await client.admin()).topic_settings(topic)
    expected = {
        "max.message.bytes": "1234",
        "retention.ms": "-1",
        "cleanup.policy": "delete",
        "message.timestamp.type": "CreateTime",
        "min.insync.replicas": "1",
    }
    assert expected == {name: told[name] for name in expected}


@client_case("CreateTopics", "DescribeConfigs")
async def case_topic_is_made_with_settings(kafka: Bench, client: Client) -> None:
    """Settings that a client makes a topic with are the topic's."""
    topic, admin = kafka.name("t"), await client.admin()
    await admin.create_topic(topic, config={"segment.ms": "7000", "cleanup.policy": "compact"})
    await until_told(admin, topic, "segment.ms", "7000")
    assert "compact" == (await admin.topic_settings(topic))["cleanup.policy"]


@client_case("AlterConfigs", "IncrementalAlterConfigs", "DescribeConfigs")
async def case_client_changes_a_setting(kafka: Bench, client: Client) -> None:
    """A setting that a client changes is the topic's, and changed again."""
    topic, admin = await kafka.topic(), await client.admin()
    for value in ("60000", "70000"):
        await admin.alter_topic(topic, {"retention.ms": value})
        await until_told(admin, topic, "retention.ms", value)


@client_case("AlterConfigs", "IncrementalAlterConfigs", "Produce")
async def case_changed_limit_is_obeyed(kafka: Bench, client: Client) -> None:
    """A producer that is at work meets a limit as soon as it is changed."""
    topic, admin, producer = await kafka.topic(), await client.admin(), await client.producer()
    await producer.send(topic, b"x" * 2_000)
    await admin.alter_topic(topic, {"max.message.bytes": "1000"})
    await until_told(admin, topic, "max.message.bytes", "1000")
    with pytest.raises(Refused) as refused:
        await producer.send(topic, b"x" * 2_000)
    assert MESSAGE_TOO_LARGE == refused.value.code


@client_case("AlterConfigs", "IncrementalAlterConfigs", "DescribeConfigs")
async def case_client_changes_wrongly(kafka: Bench, client: Client) -> None:
    """A bad value is refused with error 40, and the old one stays."""
    topic, admin = await kafka.topic(), await client.admin()
    with pytest.raises(Refused) as refused:
        await admin.alter_topic(topic, {"retention.ms": "soon"})
    assert INVALID_CONFIG == refused.value.code
    assert "-1" == (await admin.topic_settings(topic))["retention.ms"]


@client_case("DescribeConfigs", without={"kafka-python": "shows no settings, and keeps the error"})
async def case_client_asks_for_settings_of_nothing(kafka: Bench, client: Client) -> None:
    """The settings of a topic that is not there are error 3."""
    admin = await client.admin()
    with pytest.raises(Refused) as refused:
        await admin.topic_settings(kafka.name("nowhere"))
    assert UNKNOWN_TOPIC_OR_PARTITION == refused.value.code
