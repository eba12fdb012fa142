"""Clients that say who they are."""

import pytest

from tests.contract.bench import Bench
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Refused
from tests.contract.registry import client_case

KINDS = ("SaslAuthenticate", "SaslHandshake")


async def let_in(kafka: Bench, client: Client, mechanism: str) -> None:
    """Producer, consumer, group and admin client work after a login."""
    login = kafka.broker.client_options(mechanism)
    topic, group = kafka.name("t"), kafka.name("g")
    producer = await client.producer(login=login)
    await producer.send(topic, b"v")
    consumer = await client.consumer(topic, group=group, login=login)
    assert [b"v"] == [record.value for record in await read(consumer, 1)]
    assert topic in await (await client.admin(**login)).topics()


@client_case(*KINDS)
async def case_client_logs_in_by_plain(kafka: Bench, client: Client) -> None:
    """A client is let in by PLAIN."""
    await let_in(kafka, client, "PLAIN")


@client_case(*KINDS)
async def case_client_logs_in_by_scram_256(kafka: Bench, client: Client) -> None:
    """A client is let in by SCRAM-SHA-256."""
    await let_in(kafka, client, "SCRAM-SHA-256")


@client_case(*KINDS)
async def case_client_logs_in_by_scram_512(kafka: Bench, client: Client) -> None:
    """A client is let in by SCRAM-SHA-512."""
    await let_in(kafka, client, "SCRAM-SHA-512")


@client_case(
    *KINDS,
    without={
        "kafka-python": "tries again until its time is up",
        "confluent-kafka": "tries again until its time is up",
    },
)
async def case_client_with_a_wrong_password(kafka: Bench, client: Client) -> None:
    """A client with a wrong password is not let in."""
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        login = {**kafka.broker.client_options(mechanism), "sasl_plain_password": "wrong"}
        with pytest.raises(Refused):
            await (await client.producer(login=login)).send(kafka.name("t"), b"v")
