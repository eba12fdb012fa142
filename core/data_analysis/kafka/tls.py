"""Says why a broker cannot be spoken to with TLS; the clients only say that they cannot connect.

A broker is greeted once before a client is made. Certificates that do not fit are no matter of
patience: nothing is tried again for them. Whatever else is wrong is left to the client.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from data_analysis.errors import KafkaConnectionError

GREETING_TIMEOUT_SECONDS = 5.0
REFUSAL_WAIT_SECONDS = 0.1
"""How long a broker has to refuse our certificate by itself."""

_VERSIONS_WANTED = bytes.fromhex("0000000a 0012 0000 00000001 ffff")
"""Which versions do you speak? Only from what is read do we learn that our certificate is refused,
and this is what a broker answers to everybody."""


def check_tls(what: str, arguments: Mapping[str, Any]) -> None:
    """Greet the brokers, one after another, until one answers; without TLS do nothing.

    Args:
        what: what is being done, for the error.
        arguments: of a client: `bootstrap_servers` and, with TLS, `ssl_context`.

    Raises:
        KafkaConnectionError: no broker answers, and certificates are the reason.
    """
    context = arguments.get("ssl_context")
    if context is None:
        return
    refusal: str | None = None
    for server in arguments["bootstrap_servers"]:
        try:
            _greet(server, context)
        except ssl.SSLEOFError:
            continue
        except ssl.SSLError as error:
            refusal = refusal or _reason(server, error)
        except (OSError, ValueError):
            continue
        else:
            return
    if refusal is not None:
        raise KafkaConnectionError(f"{what} failed: {refusal}")


async def check_tls_aside(what: str, arguments: Mapping[str, Any]) -> None:
    """Do what `check_tls` does, in a thread."""
    if arguments.get("ssl_context") is not None:
        await asyncio.to_thread(check_tls, what, arguments)


def _greet(server: str, context: ssl.SSLContext) -> None:
    host, _, port = server.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    with (
        socket.create_connection((host, int(port)), GREETING_TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        # A refusal that meets our question on its way would be lost.
        connection.settimeout(REFUSAL_WAIT_SECONDS)
        with suppress(TimeoutError):
            connection.recv(1)
        connection.settimeout(GREETING_TIMEOUT_SECONDS)
        connection.sendall(_VERSIONS_WANTED)
        connection.recv(1)


def _reason(server: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {server} is not trusted: {error.verify_message};"
            " set ssl_cafile to the certificate of who signed it"
        )
    reason = (error.reason or str(error)).lower().replace("_", " ")
    return f"{server} does not speak TLS with us: {reason}; check ssl_certfile and ssl_keyfile"
