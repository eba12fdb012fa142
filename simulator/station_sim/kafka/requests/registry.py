"""The request kinds this broker speaks: one line per module.

A module has `VERSIONS` (lowest and highest it speaks), `REQUEST` (kafka-python's generated class)
and `handle(cluster, request, context)`, which returns a response, a future or coroutine of one, or
None for no answer. `ADVERTISED` overrides what ApiVersions says. `encode(response, version)`, if
there is one, makes an answer's body, in pieces, in the place of the generated class.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from station_sim.kafka.requests import (
    add_offsets_to_txn,
    add_partitions_to_txn,
    alter_configs,
    alter_partition_reassignments,
    api_versions,
    create_partitions,
    create_topics,
    delete_groups,
    delete_records,
    delete_topics,
    describe_cluster,
    describe_configs,
    describe_groups,
    describe_log_dirs,
    describe_producers,
    describe_topic_partitions,
    describe_transactions,
    elect_leaders,
    end_txn,
    fetch,
    find_coordinator,
    heartbeat,
    incremental_alter_configs,
    init_producer_id,
    join_group,
    leave_group,
    list_config_resources,
    list_groups,
    list_offsets,
    list_partition_reassignments,
    list_transactions,
    metadata,
    offset_commit,
    offset_delete,
    offset_fetch,
    offset_for_leader_epoch,
    produce,
    sasl_authenticate,
    sasl_handshake,
    sync_group,
    txn_offset_commit,
)

MODULES: tuple[ModuleType, ...] = (
    produce,
    fetch,
    list_offsets,
    offset_for_leader_epoch,
    metadata,
    api_versions,
    create_topics,
    delete_topics,
    delete_records,
    init_producer_id,
    add_partitions_to_txn,
    add_offsets_to_txn,
    end_txn,
    txn_offset_commit,
    describe_producers,
    describe_transactions,
    list_transactions,
    describe_configs,
    alter_configs,
    incremental_alter_configs,
    list_config_resources,
    describe_log_dirs,
    describe_cluster,
    find_coordinator,
    join_group,
    sync_group,
    heartbeat,
    leave_group,
    offset_commit,
    offset_fetch,
    offset_delete,
    describe_groups,
    list_groups,
    delete_groups,
    sasl_handshake,
    sasl_authenticate,
    create_partitions,
    elect_leaders,
    alter_partition_reassignments,
    list_partition_reassignments,
    describe_topic_partitions,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One request kind: its name as in Kafka (`Fetch`), its versions, its classes, its handler."""

    name: str
    api_key: int
    versions: tuple[int, int]
    advertised: tuple[int, int]
    request: Any
    response: Any
    handle: Callable[..., Any]
    encode: Callable[[Any, int], Sequence[bytes]]

    @classmethod
    def of(cls, module: Any) -> "Kind":
        """The kind a module describes."""
        return cls(
            name=module.REQUEST.name.removesuffix("Request"),
            api_key=module.REQUEST.API_KEY,
            versions=module.VERSIONS,
            advertised=getattr(module, "ADVERTISED", module.VERSIONS),
            request=module.REQUEST,
            response=_response_class(module.REQUEST),
            handle=module.handle,
            encode=getattr(module, "encode", _generated),
        )


def _response_class(request: Any) -> Any:
    """The class of the answers, which kafka-python generates next to that of the requests."""
    return getattr(
        sys.modules[request.__module__], f"{request.name.removesuffix('Request')}Response"
    )


def _generated(response: Any, version: int) -> Sequence[bytes]:
    return (response.encode(version=version),)


KINDS: dict[int, Kind] = {
    kind.api_key: kind for kind in sorted(map(Kind.of, MODULES), key=lambda kind: kind.api_key)
}
"""All kinds by API key."""

KINDS_BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS.values()}
