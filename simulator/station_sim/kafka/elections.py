"""Who leads what: the decisions of the controller of a cluster in KRaft mode.

A node that is gone is believed in for `broker.session.timeout.ms`; then it is fenced: it leads
nothing, is in sync with nothing and is named to nobody. What it led goes to the next replica in
sync, or has no leader. A node that comes back is in sync at once where there is a leader, since
replication takes no time; where there is none it may lead only by an unclean election, which loses
nothing here.
The controllers themselves are not modelled: they always have a quorum.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from station_sim.errors import LabError
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.replicas import NO_LEADER, Leadership, Replicas

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster
    from station_sim.kafka.node import Node


class Elections:
    """The controller's decisions for one cluster.

    `metadata_delay_s` is how long nodes go on naming an old leader; the new one knows at once.
    `was_closed` tells that the cluster was down since its partitions had their leaders.
    """

    def __init__(self, cluster: "Cluster") -> None:
        self.metadata_delay_s = 0.0
        self._cluster = cluster
        self._fenced: set[int] = set()
        self._sessions: dict[int, asyncio.TimerHandle] = {}
        self._balance: asyncio.TimerHandle | None = None
        self.was_closed = False

    def is_active(self, node_id: int) -> bool:
        """Whether the controller believes that a node lives."""
        return node_id not in self._fenced

    def open(self) -> None:
        """Go on when the whole cluster starts: every node is there.

        After a stop every partition has lost its leader and found one, which are two epochs.
        """
        if self.was_closed:
            for log in self._cluster.topics.logs():
                log.new_leader_epoch(advance=2)
            self.was_closed = False
        for node_id in sorted(self._fenced):
            self.register(self._cluster.nodes[node_id], restarted=True)

    def close(self) -> None:
        """Decide nothing while the whole cluster is down."""
        self.was_closed = True
        for session in self._sessions.values():
            session.cancel()
        self._sessions.clear()
        if self._balance is not None:
            self._balance.cancel()
            self._balance = None

    # nodes come and go

    def lost(self, node: "Node") -> None:
        """A node is silent: fence it when its session is over."""
        for replicas in self._cluster.coordinators.groups:
            if replicas.leader_id == node.node_id:
                self._cluster.groups.resign(self._groups_of(replicas))
        timeout_s = self._cluster.settings.broker_session_timeout_ms / 1000
        self._end_session(node.node_id)
        loop = asyncio.get_running_loop()
        self._sessions[node.node_id] = loop.call_later(timeout_s, self.fence, node.node_id)

    def fence(self, node_id: int) -> None:
        """Count on a node no more: its leaders go to others, and it is in sync with nothing."""
        self._end_session(node_id)
        self._fenced.add(node_id)
        self._decide_anew(lambda replicas, each: each in replicas.in_sync_ids and each != node_id)

    def register(self, node: "Node", *, restarted: bool) -> None:
        """A node is there again. One that restarted within its session loses its leaders first, for
        it is another incarnation.
        """
        node_id = node.node_id
        self._end_session(node_id)
        if restarted and self.is_active(node_id):
            self.fence(node_id)
        self._fenced.discard(node_id)
        self._decide_anew(lambda replicas, each: each in replicas.in_sync_ids)
        self._catch_up()
        for replicas in self._cluster.coordinators.groups:
            if replicas.leader_id == node_id:
                self._cluster.groups.take_over(self._groups_of(replicas))
        self._plan_balance()

    def _end_session(self, node_id: int) -> None:
        session = self._sessions.pop(node_id, None)
        if session is not None:
            session.cancel()

    def _decide_anew(self, is_in_sync: Callable[[Replicas, int], bool]) -> None:
        for replicas, log in self._everything():
            replicas.keep_in_sync(partial(is_in_sync, replicas))
            self._elect(replicas, log)

    def _catch_up(self) -> None:
        """Be in sync wherever there is a leader to catch up with, which takes no time."""
        for replicas, _ in self._everything():
            if replicas.leader_id != NO_LEADER:
                replicas.keep_in_sync(partial(self._may_be_in_sync, replicas.in_sync_ids))

    def _may_be_in_sync(self, known_ids: Sequence[int], node_id: int) -> bool:
        return node_id in known_ids or self.is_active(node_id)

    def _everything(self) -> Iterator[tuple[Replicas, PartitionLog | None]]:
        for log in self._cluster.topics.logs():
            yield log.replicas, log
        for replicas in self._cluster.coordinators:
            yield replicas, None

    # leaders

    def move(
        self,
        replicas: Replicas,
        node_id: int,
        *,
        log: PartitionLog | None = None,
        metadata_delay_s: float | None = None,
    ) -> None:
        """Let a node that is in sync lead, and be the preferred leader from now on.

        Raises `LabError` if it cannot.
        """
        if node_id not in replicas.in_sync_ids or not self.is_active(node_id):
            able = ", ".join(map(str, replicas.in_sync_ids))
            raise LabError(f"node {node_id} cannot lead this partition; in sync are: {able}")
        others = [each for each in replicas.node_ids if each != node_id]
        replicas.assign([node_id, *others], lambda each: each in replicas.in_sync_ids)
        self._elect(replicas, log, prefer=node_id, metadata_delay_s=metadata_delay_s)
        if log is not None:
            log.keep_state()

    def reassign(self, log: PartitionLog, node_ids: Sequence[int]) -> None:
        """Keep a partition on other nodes: a new replica has everything at once."""
        log.replicas.assign(node_ids, self.is_active)
        self._elect(log.replicas, log)
        log.keep_state()

    def elect_preferred(self, log: PartitionLog) -> bool:
        """Let the preferred replica lead; False if it cannot."""
        preferred_id = log.replicas.preferred_id
        self._elect(log.replicas, log, prefer=preferred_id)
        return log.replicas.leader_id == preferred_id

    def elect_unclean(self, log: PartitionLog) -> bool:
        """Let any replica that lives lead a partition without a leader; False if none can."""
        self._elect(log.replicas, log, unclean=True)
        self._catch_up()
        return log.replicas.leader_id != NO_LEADER

    def _elect(
        self,
        replicas: Replicas,
        log: PartitionLog | None,
        *,
        prefer: int | None = None,
        unclean: bool = False,
        metadata_delay_s: float | None = None,
    ) -> None:
        epoch = 0 if log is None else log.leader_epoch
        old = Leadership(replicas.leader_id, epoch, replicas.in_sync_ids)
        changed = replicas.elect(self.is_active, prefer=prefer)
        if replicas.leader_id == NO_LEADER and log is not None:
            may_be_unclean = unclean or log.config.unclean_elections
            changed = (may_be_unclean and replicas.elect_unclean(self.is_active)) or changed
        if not changed:
            return
        delay_s = self.metadata_delay_s if metadata_delay_s is None else metadata_delay_s
        for node in self._cluster.nodes.values():
            if delay_s > 0 and node.node_id != replicas.leader_id:
                node.view.keep(replicas, old, delay_s=delay_s)
        if log is not None:
            log.new_leader_epoch()
            self._cluster.wake([log])
            return
        groups = self._groups_of(replicas)
        self._cluster.groups.resign(groups)
        if replicas.leader_id != NO_LEADER:
            self._cluster.groups.take_over(groups)

    def _groups_of(self, replicas: Replicas) -> list[str]:
        coordinators = self._cluster.coordinators
        ids = self._cluster.groups.ids()
        return [group_id for group_id in ids if coordinators.of_group(group_id) is replicas]

    # balance

    def _plan_balance(self) -> None:
        settings = self._cluster.settings
        if not settings.auto_leader_rebalance_enable or self._balance is not None:
            return
        if any(replicas.leader_id != replicas.preferred_id for replicas, _ in self._everything()):
            interval_s = settings.leader_imbalance_check_interval_seconds
            self._balance = asyncio.get_running_loop().call_later(interval_s, self._balance_leaders)

    def _balance_leaders(self) -> None:
        self._balance = None
        for replicas, log in self._everything():
            self._elect(replicas, log, prefer=replicas.preferred_id)
