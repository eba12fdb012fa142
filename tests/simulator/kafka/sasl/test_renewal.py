"""Sessions that end are renewed on the same connection, or the connection is closed (KIP-368)."""

import asyncio
from collections.abc import Awaitable, Callable

from kafka.protocol.metadata import MetadataRequest, MetadataResponse
from kafka.protocol.sasl import (
    SaslAuthenticateRequest,
    SaslAuthenticateResponse,
    SaslHandshakeRequest,
    SaslHandshakeResponse,
)
from tests.simulator.kafka.raw_client import RawClient
from tests.simulator.kafka.virtual_kafka import in_virtual_time

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.settings import BrokerSettings

USERS = {"alice": "a", "bob": "b"}
LIFETIME_MS = 10_000


async def authenticate(
    client: RawClient, token: str = "\0alice\0a", *, mechanism: str = "PLAIN", version: int = 1
) -> SaslAuthenticateResponse:
    handshake = await client.ask(
        SaslHandshakeRequest(mechanism=mechanism), SaslHandshakeResponse, 1
    )
    assert 0 == handshake.error_code
    request = SaslAuthenticateRequest(auth_bytes=token.encode())
    return await client.ask(request, SaslAuthenticateResponse, version)


async def is_served(client: RawClient) -> bool:
    client.send(MetadataRequest(topics=[]), 1)
    try:
        await client.receive(MetadataResponse, 1)
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return True


def with_sessions(story: Callable[[RawClient], Awaitable[None]]) -> None:
    async def main(cluster: Cluster) -> None:
        async with await RawClient.connect(cluster) as client:
            await story(client)

    in_virtual_time(
        main, settings=BrokerSettings(connections_max_reauth_ms=LIFETIME_MS), users=USERS
    )


def test_clients_are_told_how_long_a_session_lasts() -> None:
    async def story(client: RawClient) -> None:
        assert LIFETIME_MS == (await authenticate(client)).session_lifetime_ms

    with_sessions(story)


def test_a_session_that_ended_closes_the_connection() -> None:
    async def story(client: RawClient) -> None:
        await authenticate(client)
        assert await is_served(client)
        await asyncio.sleep(LIFETIME_MS / 1000 + 1)
        assert not await is_served(client)

    with_sessions(story)


def test_a_client_that_knows_of_no_sessions_stays() -> None:
    async def story(client: RawClient) -> None:
        await authenticate(client, version=0)
        await asyncio.sleep(LIFETIME_MS / 1000 + 1)
        assert await is_served(client)

    with_sessions(story)


def test_a_session_is_renewed() -> None:
    async def story(client: RawClient) -> None:
        await authenticate(client)
        for _ in range(3):
            await asyncio.sleep(LIFETIME_MS / 1000 - 1)
            assert 0 == (await authenticate(client)).error_code
            assert await is_served(client)

    with_sessions(story)


def test_a_session_is_renewed_by_its_own_user() -> None:
    async def story(client: RawClient) -> None:
        await authenticate(client)
        answer = await authenticate(client, "\0bob\0b")
        assert 58 == answer.error_code
        expected = "Cannot change principals during re-authentication from User.alice: User.bob"
        assert expected == answer.error_message
        assert await client.is_closed()

    with_sessions(story)


def test_a_session_is_renewed_by_its_own_mechanism() -> None:
    async def story(client: RawClient) -> None:
        await authenticate(client)
        client.send(SaslHandshakeRequest(mechanism="SCRAM-SHA-256"), 1)
        await client.receive(SaslHandshakeResponse, 1)
        client.send(SaslAuthenticateRequest(auth_bytes=b"n,,n=alice,r=abc"), 1)
        assert await client.is_closed()

    with_sessions(story)


def test_a_session_is_not_renewed_twice_in_a_second() -> None:
    async def story(client: RawClient) -> None:
        await authenticate(client)
        await authenticate(client)
        request = SaslHandshakeRequest(mechanism="PLAIN")
        assert 34 == (await client.ask(request, SaslHandshakeResponse, 1)).error_code

    with_sessions(story)
