"""Telling those who asked the wrong node who leads, and where it is (KIP-951).

Produce does so from version 10 on, Fetch from 16 on. Why a node refuses is in `node.py`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.replicas import NO_LEADER

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster


def name_leaders(
    cluster: "Cluster", response: Any, refused: Iterable[tuple[PartitionLog, Any]]
) -> None:
    """Put the leader into the answer for each refused partition, and its address into `response`.

    `refused` is pairs of a log and the answer for it.
    """
    response_class = type(response)
    named = {}
    for log, answer in refused:
        leader_id = log.replicas.leader_id
        answer.current_leader = type(answer).LeaderIdAndEpoch(
            leader_id=leader_id, leader_epoch=log.leader_epoch
        )
        if leader_id != NO_LEADER:
            named[leader_id] = cluster.nodes[leader_id]
    response.node_endpoints = [
        response_class.NodeEndpoint(
            node_id=node.node_id, host=node.advertised_host, port=node.port, rack=None
        )
        for node in named.values()
    ]
