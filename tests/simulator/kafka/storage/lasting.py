"""A cluster that is made again and again from one folder, and all that can be seen of its state."""

import random
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.simulator.kafka.record_batches import make_batch, patched

from station_sim.kafka.batches import TRANSACTIONAL_BIT, Batch, parse_batch
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.logs import Appended, PartitionLog
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.storage.data_folder import DataFolder


class Lasting:
    """A cluster on a folder; `open` makes it anew from what the one before wrote down."""

    def __init__(self, path: Path, *, settings: BrokerSettings | None = None) -> None:
        self.path = path
        self.settings = settings
        self.folder = DataFolder(path)
        self.cluster = self._made()

    def open(self) -> Cluster:
        """The cluster after a kill: nothing is told to the old one."""
        self.folder.close()
        self.folder = DataFolder(self.path)
        self.cluster = self._made()
        return self.cluster

    def close(self) -> None:
        """Leave the folder to others."""
        self.folder.close()

    def _made(self) -> Cluster:
        return Cluster(rng=random.Random(5), settings=self.settings, storage=self.folder)


def write(
    cluster: Cluster, topic: str, partition: int = 0, *, transactional: bool = False, **batch: Any
) -> Appended:
    """Append a batch as Produce does."""
    data = make_batch(**batch)
    if transactional:
        data = patched(data, ">h", 21, TRANSACTIONAL_BIT)
    made: Batch = parse_batch(data)
    return cluster.topics.require(topic, partition).append(made, cluster.now_ms())


def state_of(cluster: Cluster) -> Mapping[str, Any]:
    """Everything of a cluster that has to outlive it."""
    return {
        "id": cluster.cluster_id,
        "settings": cluster.settings.to_kafka(),
        "changed": (dict(cluster.dynamic_settings.said(None)), dict(_changed(cluster))),
        "topics": {
            topic.name: (topic.topic_id, dict(topic.config.overrides)) for topic in cluster.topics
        },
        "logs": {(log.topic, log.partition): _log_state(log) for log in cluster.topics.logs()},
        "groups": {group.group_id: _group_state(cluster, group) for group in cluster.groups},
        "pending": {
            producer_id: cluster.groups.pending.of_producer(producer_id, lambda _: True)
            for producer_id in range(10)
        },
        "transactions": {each.transactional_id: each for each in cluster.transactions},
    }


def _changed(cluster: Cluster) -> Mapping[str, str]:
    return cluster.dynamic_settings.said(0)


def _log_state(log: PartitionLog) -> Mapping[str, Any]:
    return {
        "range": (log.log_start_offset, log.end_offset, log.last_stable_offset),
        "segments": [(s.base_offset, [b.data for b in s.batches]) for s in log.segments],
        "epochs": log.epochs.starts(),
        "replicas": (log.replicas.node_ids, log.replicas.leader_id),
        "transactions": log.transactions.snapshot(),
        "producers": {
            snapshot.producer_id: {**asdict(snapshot), "seen_at_ms": None}
            for snapshot in log.producers.snapshot()
        },
    }


def _group_state(cluster: Cluster, group: Any) -> Mapping[str, Any]:
    return {
        "state": group.state,
        "generation": (group.generation_id, group.protocol_type, group.protocol_name),
        "leader": group.members.leader_id,
        "members": [(m.member_id, m.join, m.assignment) for m in group.members],
        "offsets": sorted(cluster.groups.offsets(group.group_id), key=lambda each: each[:2]),
    }
