"""What clients make of connections that were closed because nothing was said on them."""

import asyncio

from tests.contract.bench import Bench
from tests.contract.cases.idle_connections import MAX_IDLE_S
from tests.contract.clients.client import Client
from tests.contract.registry import client_case


@client_case("Produce")
async def case_client_comes_back_after_idling(kafka: Bench, client: Client) -> None:
    """A producer whose connections were closed while it had nothing to send sends on."""
    topic = await kafka.topic()
    producer = await client.producer()
    first = await producer.send(topic, b"before")
    await asyncio.sleep(1.5 * MAX_IDLE_S)
    second = await producer.send(topic, b"after")
    assert (0, 1) == (first.offset, second.offset)
