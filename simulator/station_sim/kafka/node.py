"""One node of the simulated cluster: its id, its address, its listener and its connections.

It listens through the running loop, so that it serves loopback TCP in real time and the in-memory
network in virtual time with the same code. What it serves is the state of the cluster
(`cluster.py`), which all nodes share.
"""

import asyncio
import errno
from typing import TYPE_CHECKING

from station_sim.errors import LabError
from station_sim.kafka.connection import Connection

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

LISTEN_BACKLOG = 1024
"""Connections that may wait to be accepted; load generators open many at once."""


class Node:
    """A node at `host`:`port` (0: a free port) that clients reach as `advertised_host`."""

    def __init__(
        self,
        cluster: "Cluster",
        node_id: int,
        *,
        host: str,
        port: int,
        advertised_host: str | None = None,
    ) -> None:
        self.cluster = cluster
        self.node_id = node_id
        self.host = host
        self.port = port
        self.advertised_host = advertised_host or host
        self.connections: dict[Connection, None] = {}
        self._server: asyncio.Server | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        return f"{self.advertised_host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    async def start(self) -> None:
        """Listen; raises `LabError` if the address cannot be had."""
        assert self._server is None, f"node {self.node_id} runs already"
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: Connection(self), self.host, self.port, backlog=LISTEN_BACKLOG
            )
        except OSError as error:
            raise LabError(
                f"cannot listen at {self.host}:{self.port}: {_why_not(error)}"
            ) from error
        self._server = server
        if self.port == 0:
            self.port = server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything at once, as a node that was killed; a second stop is harmless."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        connections = list(self.connections)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.lost.wait()


def _why_not(error: OSError) -> str:
    """Why an address cannot be listened at, and the next move; asyncio wraps the plain reason."""
    if error.errno == errno.EADDRINUSE:
        return "the port is in use; choose another, or 0 for a free one"
    if error.errno == errno.EACCES:
        return "the port is not allowed to this user; choose one above 1023, or 0 for a free one"
    return "this machine has no such address; choose one that it has, such as 127.0.0.1"
