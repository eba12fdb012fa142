"""A cluster's state as plain values that JSON can say: topics, groups, nodes, connections, ...

Only looking lives here; what can be done is in `control.py`. Offsets are numbers of records, sizes
bytes, times epoch ms of the broker's clock unless a name says otherwise.
"""

from collections.abc import Iterable
from struct import Struct
from struct import error as struct_error
from typing import Any

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.fault_actions import Action
from station_sim.kafka.faults import Fault
from station_sim.kafka.group import Group
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.members import Member
from station_sim.kafka.node import Node
from station_sim.kafka.request_log import LoggedRequest
from station_sim.kafka.topics import Topic
from station_sim.kafka.transaction import Transaction

Plain = dict[str, Any]

_HEAD = Struct(">hi")
_LENGTH = Struct(">h")
_COUNT = Struct(">i")


def cluster_state(cluster: Cluster) -> Plain:
    """The cluster as a whole, in figures."""
    return {
        "cluster_id": cluster.cluster_id,
        "bootstrap": cluster.bootstrap,
        "running": cluster.is_running,
        "controller": cluster.controller.node_id,
        "now_ms": cluster.now_ms(),
        "nodes": [node.node_id for node in cluster.nodes.values()],
        "topics": len(cluster.topics),
        "groups": sum(1 for _ in cluster.groups),
        "connections": sum(len(node.connections) for node in cluster.nodes.values()),
        "faults": len(cluster.faults),
        "requests": dict(sorted(cluster.requests.counts.items())),
        "records_written": cluster.tally.records,
    }


def node_state(node: Node) -> Plain:
    """One node: its address and how it fares."""
    return {
        "node_id": node.node_id,
        "address": node.bootstrap,
        "running": node.is_running,
        "active": node.cluster.elections.is_active(node.node_id),
        "paused": node.is_paused,
        "delay_s": node.delay_s,
        "connections": len(node.connections),
    }


def connections(cluster: Cluster) -> list[Plain]:
    """Every open connection, node by node, oldest first."""
    return [
        {
            "node_id": node.node_id,
            "client_host": connection.client_host,
            "client_port": connection.client_port,
            "client_id": connection.client_id,
        }
        for node in cluster.nodes.values()
        for connection in node.connections
    ]


def topic_state(topic: Topic) -> Plain:
    """A topic with its partitions; `config` is what was said for it, not the defaults."""
    return {
        "name": topic.name,
        "topic_id": str(topic.topic_id),
        "config": dict(topic.config.overrides),
        "partitions": [_partition(log) for log in topic.partitions],
    }


def _partition(log: PartitionLog) -> Plain:
    return {
        "partition": log.partition,
        "leader": log.replicas.leader_id,
        "leader_epoch": log.leader_epoch,
        "replicas": list(log.replicas.node_ids),
        "in_sync": list(log.replicas.in_sync_ids),
        "start_offset": log.log_start_offset,
        "end_offset": log.end_offset,
        "last_stable_offset": log.last_stable_offset,
        "size_bytes": log.size_bytes,
    }


def group_state(cluster: Cluster, group: Group) -> Plain:
    """A group: its state, its members with what they were assigned, its offsets with their lag."""
    return {
        "group": group.group_id,
        "state": group.state.value,
        "generation": group.generation_id,
        "protocol": group.protocol_name,
        "coordinator": cluster.coordinators.of_group(group.group_id).leader_id,
        "members": [_member(group, member) for member in group.members],
        "offsets": _offsets(cluster, group.group_id),
    }


def _member(group: Group, member: Member) -> Plain:
    return {
        "member_id": member.member_id,
        "instance_id": member.instance_id,
        "client_id": member.join.client_id,
        "client_host": member.join.client_host,
        "assigned": _assigned(member.assignment) if group.is_of_consumers else None,
    }


def _assigned(assignment: bytes) -> list[Plain] | None:
    """What a consumer was assigned, as Kafka's ConsumerProtocolAssignment says; None if it does not
    say it so."""
    try:
        return list(_topics_of(assignment))
    except (struct_error, ValueError):
        return None


def _topics_of(assignment: bytes) -> Iterable[Plain]:
    if not assignment:
        return
    _version, topics = _HEAD.unpack_from(assignment)
    position = _HEAD.size
    for _ in range(topics):
        (length,) = _LENGTH.unpack_from(assignment, position)
        position += _LENGTH.size
        name = assignment[position : position + length].decode()
        position += length
        (count,) = _COUNT.unpack_from(assignment, position)
        position += _COUNT.size
        partitions = Struct(f">{count}i").unpack_from(assignment, position)
        position += _COUNT.size * count
        yield {"topic": name, "partitions": list(partitions)}


def _offsets(cluster: Cluster, group_id: str) -> list[Plain]:
    found = []
    for topic, partition, committed in sorted(
        cluster.groups.offsets(group_id), key=lambda entry: entry[:2]
    ):
        log = cluster.topics.partition(topic, partition)
        found.append(
            {
                "topic": topic,
                "partition": partition,
                "offset": committed.offset,
                "metadata": committed.metadata,
                "committed_at_ms": committed.committed_at_ms,
                "end_offset": None if log is None else log.end_offset,
                "lag": None if log is None else max(0, log.end_offset - committed.offset),
            }
        )
    return found


def transaction_state(cluster: Cluster, transaction: Transaction) -> Plain:
    """A transactional id and its open transaction."""
    transactional_id = transaction.transactional_id
    return {
        "transactional_id": transactional_id,
        "state": transaction.state.value,
        "producer_id": transaction.producer_id,
        "epoch": transaction.epoch,
        "timeout_ms": transaction.timeout_ms,
        "started_at_ms": transaction.started_at_ms if transaction.started_at_ms >= 0 else None,
        "coordinator": cluster.coordinators.of_transaction(transactional_id).leader_id,
        "partitions": [
            {"topic": topic, "partition": partition} for topic, partition in transaction.partitions
        ],
    }


def fault_state(number: int, fault: Fault) -> Plain:
    """A fault: what it takes, what it does, what it has seen."""
    pattern, turns = fault.pattern, fault.turns
    return {
        "id": number,
        "kinds": list(pattern.kinds),
        "topic": pattern.topic,
        "partition": pattern.partition,
        "group": pattern.group,
        "client_id": pattern.client_id,
        "node_id": pattern.node_id,
        "skip": turns.skip,
        "every": turns.every,
        "probability": turns.probability,
        "count": turns.count,
        **_action(fault.action),
        "seen": fault.seen,
        "hits": fault.hits,
        "held": fault.held,
    }


def _action(action: Action) -> Plain:
    return {
        "answer": None if action.answer is None else action.answer.name,
        "delay_s": action.delay_s,
        "throttle_ms": action.throttle_ms,
        "drop": action.drop,
        "hold": action.hold,
    }


def request_state(request: LoggedRequest) -> Plain:
    """A request and what became of it; `*_s` are seconds of the broker's own clock, which in a
    virtual world begins at 0."""
    return {
        "at_ms": request.at_ms,
        "asked_s": request.asked_s,
        "answered_s": request.answered_s,
        "took_s": request.took_s,
        "kind": request.kind,
        "version": request.version,
        "client_id": request.client_id,
        "client_host": request.client_host,
        "node_id": request.node_id,
        "groups": list(request.groups),
        "topics": list(request.topics),
        "partitions": [
            {"topic": topic, "partition": partition} for topic, partition in request.partitions
        ],
        "request_bytes": request.request_bytes,
        "answer_bytes": request.answer_bytes,
        "errors": [error_name(code) for code in request.error_codes],
    }


def error_name(code: int) -> str:
    """Kafka's name of an error code; its number as text where it has none here."""
    try:
        return ErrorCode(code).name
    except ValueError:
        return str(code)
