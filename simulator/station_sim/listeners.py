"""Who listens on the virtual network, as asyncio shows it: a `Server` with its addresses.

Who may connect, and how, is the network's.
"""

import asyncio
import contextvars
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Listening(Protocol):
    """What a server needs of its network."""

    loop: asyncio.AbstractEventLoop

    def stop_listening(self, server: "Server") -> None:
        """Accept nothing for it any more."""


@dataclass(frozen=True)
class Address:
    """A virtual socket as `server.sockets` shows it: knows its own name only."""

    host: str
    port: int

    def getsockname(self) -> tuple[str, int]:
        """(host, port)"""
        return (self.host, self.port)


class Server(asyncio.AbstractServer):
    """A listener; closing it leaves accepted connections open, as asyncio's servers do."""

    def __init__(self, network: Listening, factory: Callable[[], Any], address: Address) -> None:
        self._network = network
        self._context = contextvars.copy_context()
        self._serving = True
        self.factory = factory
        self.sockets = (Address(address.host, address.port),)

    @property
    def context(self) -> contextvars.Context:
        """A fresh copy of the context in which the host began to listen."""
        return self._context.copy()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The virtual loop."""
        return self._network.loop

    def close(self) -> None:
        """Stop listening; a second close is harmless."""
        if self._serving:
            self._serving = False
            self._network.stop_listening(self)

    def is_serving(self) -> bool:
        """True until closed."""
        return self._serving

    async def start_serving(self) -> None:
        """It serves from the start."""

    async def serve_forever(self) -> None:
        """Wait until cancelled, then close."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.close()

    async def wait_closed(self) -> None:
        """Nothing is left to wait for once closed."""
