"""The control of a cluster: what engineers do to it and see of it, from Python as over HTTP.

`Control` joins the controls of faults, topics, groups and nodes with what concerns the cluster as a
whole. Values are plain, as `state.py` says them. Paths and methods of HTTP are in `routes.py`.
"""

import asyncio
from collections.abc import Mapping

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.control.fault_control import FaultControl
from station_sim.kafka.control.group_control import GroupControl
from station_sim.kafka.control.node_control import NodeControl
from station_sim.kafka.control.state import (
    Plain,
    cluster_state,
    connections,
    request_state,
    transaction_state,
)
from station_sim.kafka.control.topic_control import TopicControl
from station_sim.kafka.error_codes import ErrorCode

NEWEST_REQUESTS = 100
"""How many requests are shown unless asked otherwise."""

DOWN_S_MAX = 3600.0
"""The longest a restart may take: it is waited for."""


class Control:
    """The control of one cluster, in the loop that the cluster runs in."""

    def __init__(self, cluster: Cluster) -> None:
        self.faults = FaultControl(cluster)
        self.topics = TopicControl(cluster)
        self.groups = GroupControl(cluster)
        self.nodes = NodeControl(cluster)
        self._cluster = cluster
        said = cluster.dynamic_settings.said
        self._first_settings = {each: dict(said(each)) for each in (*cluster.nodes, None)}
        self._first_leaders = [replicas.preferred_id for replicas in cluster.coordinators]

    # looking

    def cluster(self) -> Plain:
        """The cluster as a whole, in figures."""
        return cluster_state(self._cluster)

    def connections(self) -> list[Plain]:
        """Every open connection."""
        return connections(self._cluster)

    def transactions(self) -> list[Plain]:
        """Every transactional id, in alphabetical order."""
        found = sorted(self._cluster.transactions, key=lambda each: each.transactional_id)
        return [transaction_state(self._cluster, each) for each in found]

    def requests(
        self,
        *,
        kind: str | None = None,
        topic: str | None = None,
        partition: int | None = None,
        group: str | None = None,
        client_id: str | None = None,
        node_id: int | None = None,
        error: str | None = None,
        since_s: float = 0.0,
        newest: int = NEWEST_REQUESTS,
    ) -> list[Plain]:
        """The newest requests that match, oldest first; `client_id` may be a shell pattern.

        `error` is Kafka's name of a code in the answer. Raises: ValueError for what is unknown.
        """
        if newest < 0:
            raise ValueError(f"newest={newest} must be >= 0 requests")
        found = self._cluster.requests.where(
            kind=kind,
            topic=topic,
            partition=partition,
            group=group,
            client=client_id,
            node_id=node_id,
            error=None if error is None else _error_code(error),
            since_s=since_s,
        )
        return [request_state(each) for each in found[max(0, len(found) - newest) :]]

    def forget_requests(self) -> Plain:
        """Forget all requests there were; their counts too."""
        forgotten = len(self._cluster.requests)
        self._cluster.requests.clear()
        return {"forgotten": forgotten}

    # doing

    def settings(self) -> Plain:
        """The broker's settings as they are now, under Kafka's names."""
        return dict(self._cluster.settings.to_kafka())

    def configure(self, *, settings: Mapping[str, str | None], node_id: int | None = None) -> Plain:
        """Set the named settings for the cluster or one node; null takes one back.

        Only what Kafka lets change while it runs. Raises `RefusalError` for anything else.
        """
        if node_id is not None:
            self.nodes.get(node_id)
        texts = {**self._cluster.dynamic_settings.said(node_id), **settings}
        said = {name: text for name, text in texts.items() if text is not None}
        self._cluster.configure_broker(node_id, said)
        return self.settings()

    def drop_connections(
        self, *, client_id: str | None = None, node_id: int | None = None
    ) -> Plain:
        """Reset all connections, or those of a client, or at a node; `dropped` is how many."""
        dropped = 0
        for node in self._cluster.nodes.values():
            for connection in list(node.connections):
                if node_id in (None, node.node_id) and client_id in (None, connection.client_id):
                    connection.abort()
                    dropped += 1
        return {"dropped": dropped}

    async def stop(self) -> Plain:
        """Close all nodes at once, as if killed; logs, groups and offsets stay."""
        await self._cluster.stop()
        return self.cluster()

    async def start(self) -> Plain:
        """Let all nodes listen again at the same addresses; harmless where they do."""
        if self._cluster.is_running:
            for node in self.nodes.all():
                await self.nodes.start(node["node_id"])
        else:
            await self._cluster.stop()  # where every node was stopped, and not the cluster
            await self._cluster.start()
        return self.cluster()

    async def restart(self, *, down_s: float = 0.0) -> Plain:
        """Stop, stay down so long, and start again; returns when clients may connect."""
        if not 0 <= down_s <= DOWN_S_MAX:
            raise ValueError(f"down_s={down_s} must be 0 to {DOWN_S_MAX:g} s; stop it for longer")
        await self._cluster.stop()
        await asyncio.sleep(down_s)
        return await self.start()

    async def wipe(self) -> Plain:
        """Be as new: no topic, group, transaction, fault or connection; all nodes up; settings as
        at the start. Addresses stay; ids of topics and producers are not given again.
        """
        self.faults.clear()
        self.drop_connections()
        await self._heal()
        for topic in self.topics.all():
            self.topics.delete(topic["name"])
        self._cluster.groups.clear()
        self._cluster.transactions.clear()
        for node_id, said in self._first_settings.items():
            self._cluster.configure_broker(node_id, said)
        self._cluster.requests.clear()
        return self.cluster()

    async def _heal(self) -> None:
        await self.start()
        for node in self.nodes.all():
            self.nodes.resume(node["node_id"])
            self.nodes.slow(node["node_id"], delay_s=0.0)
        self._cluster.elections.metadata_delay_s = 0.0
        first = zip(self._cluster.coordinators, self._first_leaders, strict=True)
        for replicas, node_id in first:
            self._cluster.elections.move(replicas, node_id)


def _error_code(name: str) -> int:
    if name.lstrip("-").isdigit():
        return int(name)
    try:
        return ErrorCode[name.upper()]
    except KeyError as error:
        raise ValueError(f"error={name!r} is no error of Kafka that is known here") from error
