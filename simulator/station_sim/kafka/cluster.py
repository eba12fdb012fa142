"""The simulated Kafka cluster: the state that its nodes share, and its life from start to stop.

What listens is a node (`node.py`). Requests are in `requests/`, logs in `logs.py`, groups in
`groups.py`, transactions in `transactions.py`. Which node leads and coordinates what is decided in
`elections.py`.
"""

import random
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from station_sim.errors import LabError
from station_sim.kafka.batches import Batch
from station_sim.kafka.cleaner import cleaner_looks
from station_sim.kafka.cluster_identity import identify
from station_sim.kafka.coordinators import Coordinators
from station_sim.kafka.dynamic_settings import DynamicSettings
from station_sim.kafka.elections import Elections
from station_sim.kafka.faults import Faults
from station_sim.kafka.groups import Groups
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.node import Node
from station_sim.kafka.placement import Placement
from station_sim.kafka.producer_ids import ProducerIds
from station_sim.kafka.releases import kinds_of
from station_sim.kafka.request_log import RequestLog
from station_sim.kafka.requests.registry import KINDS
from station_sim.kafka.retention import retention_looks
from station_sim.kafka.sasl.users import Users
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.storage.storage import InMemory, Storage
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


class Cluster:
    """A cluster of one or several nodes that share all state.

    `nodes` is how many, with ids from `node_id` on. `host` is where they listen, one for all or
    one for each; `port` is that of the first, the next ones follow it (0: free ports);
    `advertised_host` is how clients reach them, if not as `host`. `as_version` lets them look like
    an older release of Apache Kafka, as in `"2.8"`. `entering` gives a context in which the node at
    a host listens.

    With `users`, passwords by name, only they may do anything; with `tls` all of its listeners
    speak it, in real time. Its state outlives `stop`: a
    cluster started again listens at the same address and has its logs, groups and offsets. With a
    `storage` on disk they outlive its process: a cluster that is made with it goes on where the one
    before ended, however it ended. Raises `LabError` if that cannot be.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        nodes: int = 1,
        node_id: int = 0,
        host: str | Sequence[str] = "127.0.0.1",
        port: int = 0,
        settings: BrokerSettings | None = None,
        advertised_host: str | None = None,
        users: Mapping[str, str] | None = None,
        as_version: str | None = None,
        storage: Storage | None = None,
        tls: ssl.SSLContext | None = None,
        entering: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        if nodes < 1:
            raise LabError(f"nodes={nodes} is not allowed; a cluster has at least 1")
        node_ids = range(node_id, node_id + nodes)
        storage = storage or InMemory()
        journal = storage.journal
        self.cluster_id = identify(journal, rng, node_ids).cluster_id
        self.dynamic_settings = DynamicSettings(settings or BrokerSettings(), journal)
        self.settings = self.dynamic_settings.settings
        self.rng = rng
        self.elections = Elections(self)
        placement = Placement(node_ids, self.elections.is_active)
        self.topics = Topics(self.settings, rng, placement, storage)
        self.elections.was_closed = len(self.topics) > 0  # found in the storage
        self.coordinators = Coordinators(self.settings, placement, len(node_ids))
        self.producers = ProducerIds(journal)
        self.faults = Faults(rng)
        self.requests = RequestLog()
        self.tally = Tally()
        self.tls = tls
        self.observers: list[Observer] = []
        self.groups = Groups(
            self.settings,
            now_ms=self.now_ms,
            rng=random.Random(rng.getrandbits(64)),
            observers=self.observers,
            journal=journal,
        )
        self.users = Users(users or {}, random.Random(rng.getrandbits(64)) if users else rng)
        self.transactions = Transactions(
            self.settings,
            now_ms=self.now_ms,
            producer_ids=self.producers,
            participants=TransactionParticipants(self),
            journal=journal,
        )
        self.retention = retention_looks(self)
        self.cleaner = cleaner_looks(self)
        hosts = [host] * len(node_ids) if isinstance(host, str) else host
        self.nodes = {
            node_id: Node(
                self,
                node_id,
                host=hosts[number],
                port=port and port + number,
                advertised_host=advertised_host,
                entering=entering,
            )
            for number, node_id in enumerate(node_ids)
        }
        self.kinds = KINDS if as_version is None else kinds_of(as_version)
        if len(self.nodes) > 1:
            self.kinds = {
                api_key: self.coordinators.guard(kind) for api_key, kind in self.kinds.items()
            }
        self._is_open = False

    @property
    def controller(self) -> Node:
        """The node that clients are told to administer the cluster at; every node would do it."""
        nodes = self.nodes.values()
        return next((n for n in nodes if self.elections.is_active(n.node_id)), next(iter(nodes)))

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
            if not node.is_running:
                await node.open()
        self._is_open = True
        self.retention.start()
        self.cleaner.start()
        self.groups.open()
        self.transactions.open()
        self.elections.open()

    async def stop(self) -> None:
        """Close everything at once, as if killed; a second stop is harmless."""
        if not self._is_open:
            return
        self._is_open = False
        self.retention.stop()
        self.cleaner.stop()
        self.groups.close()
        self.transactions.close()
        self.elections.close()
        for node in self.nodes.values():
            await node.close()

    def create_topic(self, name: str, **options: Any) -> None:
        """Make a topic, see `Topics.create`."""
        self.topics.create(name, **options)

    def move_leader(
        self, topic: str, partition: int, node_id: int, *, metadata_delay_s: float | None = None
    ) -> None:
        """Let another replica in sync lead a partition; it is the preferred one from then on.

        The other nodes go on naming the old leader for `metadata_delay_s` (default: that of
        `elections`). Raises `LabError` if that node cannot lead, `RefusalError` if there is no such
        partition.
        """
        log = self.topics.require(topic, partition)
        self.elections.move(log.replicas, node_id, log=log, metadata_delay_s=metadata_delay_s)

    def move_coordinator(
        self, group_id: str, node_id: int, *, metadata_delay_s: float | None = None
    ) -> None:
        """Let another node coordinate a group, and every group of the same partition of
        `__consumer_offsets`. Delay and errors are those of `move_leader`.
        """
        replicas = self.coordinators.of_group(group_id)
        self.elections.move(replicas, node_id, metadata_delay_s=metadata_delay_s)

    def configure_topic(self, name: str, config: Mapping[str, str]) -> None:
        """Put `config` in the place of all that was said for a topic, see `Topics.configure`."""
        for log in self.topics.configure(name, config).partitions:
            self._watch(log)

    def configure_broker(self, node_id: int | None, texts: Mapping[str, str]) -> None:
        """Put `texts` in the place of all that was changed for a node (None: for the cluster).

        Raises `RefusalError`, see `DynamicSettings.check`.
        """
        self.settings = self.dynamic_settings.change(node_id, texts)
        self.topics.use(self.settings)
        for log in self.topics.logs():
            self._watch(log)

    def _watch(self, log: PartitionLog) -> None:
        (self.cleaner if log.config.compacts else self.retention).watch(log)

    def appended(self, log: PartitionLog, batch: Batch) -> None:
        """A batch was written: tell retention and observers; `wake` is for those who wait."""
        self._watch(log)
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
