"""Which node coordinates a group or a transactional id, and who else must say that it does not.

As in Apache Kafka a key belongs to one of the partitions of an internal topic, by Java's hash of
its text, and that partition's leader is the coordinator. The partitions have replicas and
leaders here, and no log: what they would keep is in `groups.py` and with the transactions.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from station_sim.kafka.coordinator_partitions import coordinator_partition
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.placement import Placement
from station_sim.kafka.replicas import Replicas
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.requests.registry import Kind
from station_sim.kafka.requests.shapes import refuse
from station_sim.kafka.settings import BrokerSettings

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

Handler = Callable[..., Any]
Key = Callable[[Any], str | None]


def _group_id(request: Any) -> str | None:
    found: str | None = request.group_id
    return found


def _transactional_id(request: Any) -> str | None:
    found: str | None = request.transactional_id
    return found


_OF_ONE_GROUP = (
    "JoinGroup",
    "SyncGroup",
    "Heartbeat",
    "LeaveGroup",
    "OffsetCommit",
    "OffsetDelete",
    "TxnOffsetCommit",
)

GROUP_KEYS: dict[str, Key] = dict.fromkeys(_OF_ONE_GROUP, _group_id)
"""Request kinds that only a group's coordinator answers, and the group in them."""

TRANSACTION_KEYS: dict[str, Key] = {
    "InitProducerId": _transactional_id,
    "AddPartitionsToTxn": lambda request: request.v3_and_below_transactional_id or None,
    "AddOffsetsToTxn": _transactional_id,
    "EndTxn": _transactional_id,
}
"""The same for transactional ids; a producer without one is answered by every node."""

GROUP_LISTS: dict[str, tuple[str, str | None, str]] = {
    "OffsetFetch": ("groups", "group_id", "groups"),
    "DescribeGroups": ("groups", None, "groups"),
    "DeleteGroups": ("groups_names", None, "results"),
}
"""Kinds that ask for many groups, each answered for itself: the list, the id in its elements, and
the list of the answers."""


class Coordinators:
    """The partitions of `__consumer_offsets` and `__transaction_state`, as far as they lead."""

    def __init__(self, settings: BrokerSettings, placement: Placement, node_count: int) -> None:
        self.groups = _partitions(
            placement,
            settings.offsets_topic_num_partitions,
            min(settings.offsets_topic_replication_factor, node_count),
        )
        self.transactions = _partitions(
            placement,
            settings.transaction_state_log_num_partitions,
            min(settings.transaction_state_log_replication_factor, node_count),
        )

    def __iter__(self) -> Iterator[Replicas]:
        yield from self.groups
        yield from self.transactions

    def of_group(self, group_id: str) -> Replicas:
        """The partition that keeps a group; its leader is the group's coordinator."""
        return self.groups[_partition_of(group_id, len(self.groups))]

    def of_transaction(self, transactional_id: str) -> Replicas:
        """The partition that keeps a transactional id."""
        return self.transactions[_partition_of(transactional_id, len(self.transactions))]

    def guard(self, kind: Kind) -> Kind:
        """The same kind, answered by a node that knows what it coordinates and what not."""
        if kind.name == "ListGroups":
            return kind.handled_by(self._listing(kind))
        if kind.name in GROUP_LISTS:
            return kind.handled_by(self._asked_for_many(kind))
        if kind.name in GROUP_KEYS or kind.name in TRANSACTION_KEYS:
            return kind.handled_by(self._asked_for_one(kind))
        return kind

    def _asked_for_one(self, kind: Kind) -> Handler:
        def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
            replicas = self._keeper_of(kind.name, request)
            if replicas is None or replicas.leader_id == context.node.node_id:
                return kind.handle(cluster, request, context)
            return refuse(kind.name, request, kind.response, ErrorCode.NOT_COORDINATOR)

        return handle

    def _keeper_of(self, kind: str, request: Any) -> Replicas | None:
        if kind in GROUP_KEYS:
            return self.of_group(GROUP_KEYS[kind](request) or "")
        transactional_id = TRANSACTION_KEYS[kind](request)
        return self.of_transaction(transactional_id) if transactional_id else None

    def _asked_for_many(self, kind: Kind) -> Handler:
        """Groups that another node coordinates are taken out, and refused in the answer."""
        field, id_field, answers = GROUP_LISTS[kind.name]

        def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
            def is_strange(asked: Any) -> bool:
                group_id = asked if id_field is None else getattr(asked, id_field)
                return self.of_group(group_id).leader_id != context.node.node_id

            listed = getattr(request, field) or []
            if not listed and kind.name == "OffsetFetch" and is_strange(request):
                return refuse(kind.name, request, kind.response, ErrorCode.NOT_COORDINATOR)
            strange = [asked for asked in listed if is_strange(asked)]
            if not strange:
                return kind.handle(cluster, request, context)
            setattr(request, field, strange)
            refused = refuse(kind.name, request, kind.response, ErrorCode.NOT_COORDINATOR)
            setattr(request, field, [asked for asked in listed if asked not in strange])
            answer = kind.handle(cluster, request, context)
            setattr(answer, answers, [*getattr(answer, answers), *getattr(refused, answers)])
            return answer

        return handle

    def _listing(self, kind: Kind) -> Handler:
        def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
            answer = kind.handle(cluster, request, context)
            answer.groups = [
                found
                for found in answer.groups
                if self.of_group(found.group_id).leader_id == context.node.node_id
            ]
            return answer

        return handle


_partition_of = lru_cache(maxsize=10_000)(coordinator_partition)


def _partitions(placement: Placement, count: int, replication_factor: int) -> list[Replicas]:
    return [placement.replicas(nodes) for nodes in placement.place(0, count, replication_factor)]
