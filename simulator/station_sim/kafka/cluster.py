"""The simulated Kafka cluster: the state that its nodes share, and its life from start to stop.

What listens is a node (`node.py`). Requests are in `requests/`, logs in `logs.py`, groups in
`groups.py`, transactions in `transactions.py`. There is one node: controller, leader of everything,
coordinator of all groups.
"""

import base64
import random
import time
from collections.abc import Mapping
from typing import Any, Protocol

from station_sim.kafka.batches import Batch
from station_sim.kafka.faults import Faults
from station_sim.kafka.groups import Groups
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.node import Node
from station_sim.kafka.request_log import RequestLog
from station_sim.kafka.retention import RetentionTimer
from station_sim.kafka.sasl.users import Users
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.tally import Tally
from station_sim.kafka.topics import Topics
from station_sim.kafka.transaction_participants import TransactionParticipants
from station_sim.kafka.transactions import Transactions


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


class Cluster:
    """A cluster whose node is at `host`:`port` (0: a free port), known as `advertised_host`.

    With `users`, passwords by name, only they may do anything. Its state outlives `stop`: a
    cluster started again listens at the same address and has its logs, groups and offsets.
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
        users: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings or BrokerSettings()
        self.rng = rng
        self.cluster_id = base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("=")
        self.topics = Topics(self.settings, rng)
        self.producers = ProducerIds()
        self.faults = Faults()
        self.requests = RequestLog()
        self.tally = Tally()
        self.observers: list[Observer] = []
        self.groups = Groups(
            self.settings,
            now_ms=self.now_ms,
            rng=random.Random(rng.getrandbits(64)),
            observers=self.observers,
        )
        self.users = Users(users or {}, random.Random(rng.getrandbits(64)) if users else rng)
        self.transactions = Transactions(
            self.settings,
            now_ms=self.now_ms,
            producer_ids=self.producers,
            participants=TransactionParticipants(self),
        )
        node = Node(self, node_id, host=host, port=port, advertised_host=advertised_host)
        self.nodes = {node_id: node}
        self.retention = RetentionTimer(self)

    @property
    def controller(self) -> Node:
        """The node that administers the cluster."""
        return next(iter(self.nodes.values()))

    @property
    def bootstrap(self) -> str:
        """Where clients find it: all nodes, separated by commas."""
        return ",".join(node.bootstrap for node in self.nodes.values())

    @property
    def is_running(self) -> bool:
        """Whether any node listens."""
        return any(node.is_running for node in self.nodes.values())

    def now_ms(self) -> int:
        """The cluster's clock: epoch ms."""
        return int(time.time() * 1000)

    async def start(self) -> None:
        """Let all nodes listen; raises `LabError` if an address cannot be had."""
        for node in self.nodes.values():
            await node.start()
        self.retention.start()
        self.groups.open()
        self.transactions.open()

    async def stop(self) -> None:
        """Close everything at once, as if killed; a second stop is harmless."""
        if not self.is_running:
            return
        self.retention.stop()
        self.groups.close()
        self.transactions.close()
        for node in self.nodes.values():
            await node.stop()

    def create_topic(self, name: str, **options: Any) -> None:
        """Make a topic, see `Topics.create`."""
        self.topics.create(name, **options)

    def appended(self, log: PartitionLog, batch: Batch) -> None:
        """A batch was written: tell retention and observers; `wake` is for those who wait."""
        self.retention.watch(log)
        self.tally.records += batch.count
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
