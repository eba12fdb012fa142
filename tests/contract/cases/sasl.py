"""SASL: who may connect, and what is said to those who may not. Every case's broker has users."""

import base64
import hashlib
import hmac
import struct
from typing import Any

from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslHandshakeRequest

from tests.contract.bench import Bench
from tests.contract.connection import Connection
from tests.contract.registry import case

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
NONE, UNSUPPORTED_MECHANISM, ILLEGAL_STATE, FAILED = 0, 33, 34, 58


async def shake_hands(wire: Connection, mechanism: str, *, version: int = 1) -> Any:
    return await wire.ask(SaslHandshakeRequest(mechanism=mechanism), version)


async def send_token(wire: Connection, token: bytes, *, version: int = 2) -> Any:
    return await wire.ask(SaslAuthenticateRequest(auth_bytes=token), version)


def plain_token(name: str, password: str, *, acting_for: str = "") -> bytes:
    return "\0".join((acting_for, name, password)).encode()


def user_of(kafka: Bench) -> tuple[str, str]:
    return next(iter(kafka.broker.users.items()))


def scram_proof(mechanism: str, password: str, bare: str, server_first: str) -> tuple[str, str]:
    """The client's final message, and the server's signature that has to follow."""
    name = HASHES[mechanism]
    fields = dict(part.split("=", 1) for part in server_first.split(","))
    salt = base64.b64decode(fields["s"])
    salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, int(fields["i"]))
    client_key = hmac.digest(salted, b"Client Key", name)
    unproved = f"c=biws,r={fields['r']}"
    signed = f"{bare},{server_first},{unproved}".encode()
    signature = hmac.digest(hashlib.new(name, client_key).digest(), signed, name)
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    verifier = hmac.digest(hmac.digest(salted, b"Server Key", name), signed, name)
    final = f"{unproved},p={base64.b64encode(proof).decode()}"
    return final, f"v={base64.b64encode(verifier).decode()}"


async def authenticate_by_scram(wire: Connection, mechanism: str, name: str, password: str) -> Any:
    """The final answer, after the server has proved that it knows the password too."""
    bare = f"n={name},r=fyko+d2lbbFgONRv9qkxdawL"
    first = await send_token(wire, f"n,,{bare}".encode())
    if first.error_code:
        return first
    server_first = bytes(first.auth_bytes).decode()
    final, verifier = scram_proof(mechanism, password, bare, server_first)
    answer = await send_token(wire, final.encode())
    if not answer.error_code:
        assert verifier == bytes(answer.auth_bytes).decode()
    return answer


async def is_let_in(wire: Connection) -> bool:
    answer = await wire.ask(MetadataRequest(topics=[], allow_auto_topic_creation=False), 5)
    return bool(answer.brokers)


@case("SaslHandshake")
async def case_handshake_names_the_mechanisms(kafka: Bench) -> None:
    """A handshake is answered with every mechanism there is."""
    for version in await kafka.versions(SaslHandshakeRequest):
        wire = await kafka.connect()
        answer = await shake_hands(wire, "PLAIN", version=version)
        assert NONE == answer.error_code
        assert set(MECHANISMS) == set(answer.mechanisms)


@case("SaslHandshake")
async def case_unknown_mechanism_is_refused(kafka: Bench) -> None:
    """An unknown mechanism is refused with error 33 and the list of those there are; then the
    connection is closed.
    """
    wire = await kafka.connect()
    answer = await shake_hands(wire, "GSSAPI")
    assert UNSUPPORTED_MECHANISM == answer.error_code
    assert set(MECHANISMS) == set(answer.mechanisms)
    assert await wire.hung_up()


@case("SaslAuthenticate", "SaslHandshake")
async def case_plain_lets_in(kafka: Bench) -> None:
    """With PLAIN, the right name and password let in, in every version; the session has no end."""
    name, password = user_of(kafka)
    for version in await kafka.versions(SaslAuthenticateRequest):
        wire = await kafka.connect()
        await shake_hands(wire, "PLAIN")
        answer = await send_token(wire, plain_token(name, password), version=version)
        assert NONE == answer.error_code
        assert "" == answer.error_message
        assert b"" == bytes(answer.auth_bytes)
        assert version == 0 or 0 == answer.session_lifetime_ms
        assert await is_let_in(wire)


@case("SaslAuthenticate")
async def case_plain_says_what_is_wrong(kafka: Bench) -> None:
    """With PLAIN, each failure is error 58 with a text of its own; the connection is closed."""
    name, password = user_of(kafka)
    tokens = {
        plain_token(name, "wrong"): "Authentication failed: Invalid username or password",
        plain_token("nobody", password): "Authentication failed: Invalid username or password",
        plain_token("", password): "Authentication failed: username not specified",
        plain_token(name, ""): "Authentication failed: password not specified",
        plain_token(name, password, acting_for="somebody"): (
            "Authentication failed: Client requested an authorization id that is different from "
            "username"
        ),
        b"no token": "Invalid SASL/PLAIN response: expected 3 tokens, got 1",
        b"\0a\0b\0c": "Invalid SASL/PLAIN response: expected 3 tokens, got 4",
    }
    for token, text in tokens.items():
        wire = await kafka.connect()
        await shake_hands(wire, "PLAIN")
        answer = await send_token(wire, token)
        assert (FAILED, text) == (answer.error_code, answer.error_message)
        assert b"" == bytes(answer.auth_bytes)
        assert await wire.hung_up()


@case("SaslAuthenticate")
async def case_scram_lets_in(kafka: Bench) -> None:
    """With SCRAM, client and broker prove to each other that they know the password."""
    for mechanism in HASHES:
        wire = await kafka.connect()
        await shake_hands(wire, mechanism)
        answer = await authenticate_by_scram(wire, mechanism, *user_of(kafka))
        assert NONE == answer.error_code
        assert await is_let_in(wire)


@case("SaslAuthenticate")
async def case_scram_does_not_say_what_is_wrong(kafka: Bench) -> None:
    """With SCRAM, an unknown user, a wrong password and a broken message get the same text."""
    name, password = user_of(kafka)
    for mechanism in HASHES:
        text = (
            "Authentication failed during authentication due to invalid credentials with SASL "
            f"mechanism {mechanism}"
        )
        for user in ((name, "wrong"), ("nobody", password), ("", password)):
            wire = await kafka.connect()
            await shake_hands(wire, mechanism)
            answer = await authenticate_by_scram(wire, mechanism, *user)
            assert (FAILED, text) == (answer.error_code, answer.error_message)
            assert await wire.hung_up()


@case("SaslAuthenticate")
async def case_scram_for_somebody_else(kafka: Bench) -> None:
    """With SCRAM, too, a client that would act for somebody else is told so."""
    name, _ = user_of(kafka)
    wire = await kafka.connect()
    await shake_hands(wire, "SCRAM-SHA-256")
    answer = await send_token(wire, f"n,a=somebody,n={name},r=abc".encode())
    assert FAILED == answer.error_code
    assert "authorization id" in answer.error_message
    assert await wire.hung_up()


@case("SaslHandshake")
async def case_nothing_before_the_handshake(kafka: Bench) -> None:
    """Before the handshake only ApiVersions is answered, and once; all else hangs up."""
    for request, version in (
        (MetadataRequest(topics=[], allow_auto_topic_creation=False), 5),
        (SaslAuthenticateRequest(auth_bytes=plain_token(*user_of(kafka))), 1),
    ):
        wire = await kafka.connect()
        assert 0 == (await wire.ask(ApiVersionsRequest(), 0)).error_code
        wire.send(request, version)
        assert await wire.hung_up()
    wire = await kafka.connect()
    await wire.ask(ApiVersionsRequest(), 0)
    wire.send(ApiVersionsRequest(), 0)
    assert await wire.hung_up()


@case("SaslHandshake")
async def case_only_tokens_after_the_handshake(kafka: Bench) -> None:
    """After the handshake any other request is answered with error 34 and ends the connection."""
    wire = await kafka.connect()
    await shake_hands(wire, "PLAIN")
    answer = await shake_hands(wire, "PLAIN")
    assert ILLEGAL_STATE == answer.error_code
    assert await wire.hung_up()


@case("SaslAuthenticate", "SaslHandshake")
async def case_authenticated_once(kafka: Bench) -> None:
    """Who is let in and has no session to renew gets error 34 for both, and stays."""
    wire = await kafka.connect()
    await shake_hands(wire, "PLAIN")
    await send_token(wire, plain_token(*user_of(kafka)))
    handshake = await shake_hands(wire, "PLAIN")
    assert (ILLEGAL_STATE, []) == (handshake.error_code, list(handshake.mechanisms))
    answer = await send_token(wire, plain_token(*user_of(kafka)))
    assert ILLEGAL_STATE == answer.error_code
    text = "SaslAuthenticate request received after successful authentication"
    assert text == answer.error_message
    assert await is_let_in(wire)


@case("SaslHandshake")
async def case_raw_tokens(kafka: Bench) -> None:
    """After a handshake of version 0, tokens come and go without any request around them."""
    name, password = user_of(kafka)
    wire = await kafka.connect()
    await shake_hands(wire, "PLAIN", version=0)
    token = plain_token(name, password)
    wire.send_bytes(struct.pack(">i", len(token)) + token)
    assert b"" == await wire.frame()
    assert await is_let_in(wire)
    wire = await kafka.connect()
    await shake_hands(wire, "PLAIN", version=0)
    token = plain_token(name, "wrong")
    wire.send_bytes(struct.pack(">i", len(token)) + token)
    assert await wire.hung_up()
