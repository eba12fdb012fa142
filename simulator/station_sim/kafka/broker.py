"""The simulated Kafka broker: its state, and its life from start to stop.

It listens through the running loop, so that it serves loopback TCP in real time and the in-memory
network in virtual time with the same code. Requests are in `requests/`, logs in `logs.py`, groups
in `groups.py`. It is a cluster of one: controller, leader of everything, coordinator of all groups.
"""

import asyncio
import base64
import errno
import random
import time
from typing import Any, Protocol

from station_sim.errors import LabError
from station_sim.kafka.batches import Batch
from station_sim.kafka.connection import Connection
from station_sim.kafka.faults import Faults
from station_sim.kafka.groups import Groups
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.request_log import RequestLog
from station_sim.kafka.retention import RetentionTimer
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.topics import Topics

LISTEN_BACKLOG = 1024
"""Connections that may wait to be accepted; load generators open many at once."""


class Observer(Protocol):
    """Sees effects at the instant they happen; `at` is epoch seconds of the broker's clock."""

    def appended(
        self, topic: str, partition: int, base_offset: int, batch: Batch, at: float
    ) -> None:
        """A batch was written to a log."""

    def committed(
        self, group: str, topic: str, partition: int, offset: int, metadata: str, at: float
    ) -> None:
        """A group's offset was committed."""


class ProducerIds:
    """Hands out producer ids, each once."""

    def __init__(self) -> None:
        self._next = 0

    def take(self) -> int:
        """A fresh producer id."""
        self._next += 1
        return self._next - 1


class Broker:
    """A broker at `host`:`port` (0: a free port) that clients reach as `advertised_host`.

    Its state outlives `stop`: a broker started again listens at the same address and has its logs,
    groups and offsets.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        host: str = "127.0.0.1",
        port: int = 0,
        node_id: int = 0,
        settings: BrokerSettings | None = None,
        advertised_host: str | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.node_id = node_id
        self.advertised_host = advertised_host or host
        self.settings = settings or BrokerSettings()
        self.rng = rng
        self.cluster_id = base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("=")
        self.topics = Topics(self.settings, rng)
        self.producers = ProducerIds()
        self.faults = Faults()
        self.requests = RequestLog()
        self.observers: list[Observer] = []
        self.groups = Groups(
            self.settings,
            now_ms=self.now_ms,
            rng=random.Random(rng.getrandbits(64)),
            observers=self.observers,
        )
        self.connections: dict[Connection, None] = {}
        self.retention = RetentionTimer(self)
        self._server: asyncio.Server | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        return f"{self.advertised_host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    def now_ms(self) -> int:
        """The broker's clock: epoch ms."""
        return int(time.time() * 1000)

    async def start(self) -> None:
        """Listen; raises `LabError` if the address cannot be had."""
        assert self._server is None, "the broker runs already"
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
        self.retention.start()
        self.groups.open()

    async def stop(self) -> None:
        """Close everything at once, as a broker that was killed; a second stop is harmless."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self.retention.stop()
        self.groups.close()
        connections = list(self.connections)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.lost.wait()

    def create_topic(self, name: str, **options: Any) -> None:
        """Make a topic, see `Topics.create`."""
        self.topics.create(name, **options)

    def appended(self, log: PartitionLog, batch: Batch) -> None:
        """A batch was written: tell retention and observers; `wake` is for those who wait."""
        self.retention.watch(log)
        if self.observers:
            at = self.now_ms() / 1000
            for observer in self.observers:
                observer.appended(log.topic, log.partition, batch.base_offset, batch, at)

    def wake(self, logs: list[PartitionLog]) -> None:
        """Let those who wait for these logs look again."""
        for log in logs:
            if log.waiters:
                for waiter in list(log.waiters):
                    waiter.wake()


def _why_not(error: OSError) -> str:
    """Why an address cannot be listened at, and the next move; asyncio wraps the plain reason."""
    if error.errno == errno.EADDRINUSE:
        return "the port is in use; choose another, or 0 for a free one"
    if error.errno == errno.EACCES:
        return "the port is not allowed to this user; choose one above 1023, or 0 for a free one"
    return "this machine has no such address; choose one that it has, such as 127.0.0.1"
