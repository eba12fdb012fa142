"""One node of the simulated cluster: its id, its address, its listener and its connections.

It listens through the running loop, so that it serves loopback TCP in real time and the in-memory
network in virtual time with the same code. What it serves is the state of the cluster
(`cluster.py`), which all nodes share. A node can be down, paused or slow while the others go on;
what becomes of what it led is decided in `elections.py`.
"""

import asyncio
import errno
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from station_sim.errors import LabError
from station_sim.kafka.connection import Connection
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.leader_epochs import NO_EPOCH
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.metadata_view import MetadataView

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
        entering: Callable[[str], AbstractContextManager[None]],
        advertised_host: str | None = None,
    ) -> None:
        self.cluster = cluster
        self.node_id = node_id
        self.host = host
        self.port = port
        self.advertised_host = advertised_host or host
        self.connections: dict[Connection, None] = {}
        self.view = MetadataView()
        self.delay_s = 0.0
        self.is_paused = False
        self._entering = entering
        self._server: asyncio.Server | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        host = self.advertised_host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    # life among the others

    async def start(self) -> None:
        """Come back after `stop`; raises `LabError` if the address cannot be had."""
        await self.open()
        self.cluster.elections.register(self, restarted=True)

    async def stop(self) -> None:
        """End at once, as a node that was killed; a second stop is harmless.

        The others take its place when `broker.session.timeout.ms` is over.
        """
        if self.is_running:
            await self.close()
            self.cluster.elections.lost(self)

    async def shut_down(self) -> None:
        """End in order: the others take its place before it goes. Harmless if it does not run."""
        if self.is_running:
            self.cluster.elections.fence(self.node_id)
            await self.close()

    def pause(self) -> None:
        """Answer nothing any more, on old connections and on new ones, as a process under SIGSTOP.

        The others take its place when `broker.session.timeout.ms` is over. A second is harmless.
        """
        if self.is_running and not self.is_paused:
            self.is_paused = True
            self.cluster.elections.lost(self)

    def resume(self) -> None:
        """Go on after `pause`, with everything that came meanwhile; harmless if not paused."""
        if not self.is_paused:
            return
        self.is_paused = False
        self.cluster.elections.register(self, restarted=False)
        for connection in list(self.connections):
            connection.resume()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Be paused for as long as the block runs."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    @contextmanager
    def slow(self, delay_s: float) -> Iterator[None]:
        """Begin to handle each request so much later, for as long as the block runs."""
        if delay_s <= 0:
            raise LabError(f"delay_s={delay_s} is not allowed; a slow node has more than 0")
        before, self.delay_s = self.delay_s, delay_s
        try:
            yield
        finally:
            self.delay_s = before

    # what it leads

    def check_leads(self, log: PartitionLog, epoch: int = NO_EPOCH) -> None:
        """Raise `RefusalError` unless this node leads a partition in the epoch the client knows.

        NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH.
        """
        code = self.why_not_leader(log, epoch)
        if code:
            raise RefusalError(code)

    def why_not_leader(self, log: PartitionLog, epoch: int = NO_EPOCH) -> ErrorCode:
        """The same as an error code, NONE if it leads."""
        replicas = log.replicas
        if epoch != NO_EPOCH and self.node_id in replicas.node_ids:
            if epoch < log.leader_epoch:
                return ErrorCode.FENCED_LEADER_EPOCH
            if epoch > log.leader_epoch:
                return ErrorCode.UNKNOWN_LEADER_EPOCH
        if replicas.leader_id != self.node_id:
            return ErrorCode.NOT_LEADER_OR_FOLLOWER
        return ErrorCode.NONE

    # its listener

    async def open(self) -> None:
        """Listen; raises `LabError` if the address cannot be had."""
        assert self._server is None, f"node {self.node_id} runs already"
        try:
            with self._entering(self.host):
                server = await self._listen(self.port)
                ports = {each.getsockname()[1] for each in server.sockets}
                if len(ports) > 1:  # a name with several addresses: each took a free port
                    server.close()
                    server = await self._listen(min(ports))
        except OSError as error:
            raise LabError(f"cannot listen at {self.host}:{self.port}: {why_not(error)}") from error
        self._server = server
        if self.port == 0:
            self.port = server.sockets[0].getsockname()[1]

    async def _listen(self, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: Connection(self),
            self.host,
            port,
            ssl=self.cluster.tls,
            backlog=LISTEN_BACKLOG,
        )

    async def close(self) -> None:
        """Close the listener and every connection at once; a second close is harmless."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self.is_paused = False
        self.cluster.faults.forget(self.node_id)
        connections = list(self.connections)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.lost.wait()


def why_not(error: OSError) -> str:
    """Why an address cannot be listened at, and the next move; asyncio wraps the plain reason."""
    if error.errno == errno.EADDRINUSE:
        return "the port is in use; choose another, or 0 for a free one"
    if error.errno == errno.EACCES:
        return "the port is not allowed to this user; choose one above 1023, or 0 for a free one"
    return "this machine has no such address; choose one that it has, such as 127.0.0.1"
