"""Nodes from outside: looked at, stopped and started, paused and resumed, slow and not."""

from station_sim.errors import LabError
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.control.errors import UnknownThingError
from station_sim.kafka.control.state import Plain, node_state
from station_sim.kafka.node import Node


class NodeControl:
    """The nodes of one cluster; each verb returns the node as it is then."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def all(self) -> list[Plain]:
        """All nodes, by id."""
        return [node_state(node) for node in self._cluster.nodes.values()]

    def get(self, node_id: int) -> Plain:
        """One node; raises `UnknownThingError`."""
        return node_state(self._find(node_id))

    async def stop(self, node_id: int) -> Plain:
        """End a node at once, as one that was killed; harmless if it does not run."""
        await self._find(node_id).stop()
        return self.get(node_id)

    async def shut_down(self, node_id: int) -> Plain:
        """End a node in order: others lead in its place before it goes."""
        await self._find(node_id).shut_down()
        return self.get(node_id)

    async def start(self, node_id: int) -> Plain:
        """Let a stopped node come back at its address; harmless if it runs."""
        node = self._find(node_id)
        if not node.is_running:
            await node.start()
        return self.get(node_id)

    def pause(self, node_id: int) -> Plain:
        """Let a node answer nothing any more; raises `LabError` if it does not run."""
        node = self._find(node_id)
        if not node.is_running:
            raise LabError(f"node {node_id} does not run: start it before you pause it")
        node.pause()
        return self.get(node_id)

    def resume(self, node_id: int) -> Plain:
        """Let a paused node go on with everything that came meanwhile."""
        self._find(node_id).resume()
        return self.get(node_id)

    def slow(self, node_id: int, *, delay_s: float) -> Plain:
        """Let a node begin to handle each request so much later, until told otherwise; 0 ends it.

        Raises: ValueError for a delay that makes no sense.
        """
        if not 0 <= delay_s < float("inf"):
            raise ValueError(f"delay_s={delay_s} must be >= 0 s; pause the node for ever")
        self._find(node_id).delay_s = delay_s
        return self.get(node_id)

    def _find(self, node_id: int) -> Node:
        node = self._cluster.nodes.get(node_id)
        if node is None:
            there = ", ".join(map(str, self._cluster.nodes))
            raise UnknownThingError(f"no node {node_id}; there are: {there}")
        return node
