"""The request kinds this broker speaks: one line for each, in the order of their API keys.

A kind's module, named as the kind is, has `REQUEST` (kafka-python's generated class) and
`handle(cluster, request, context)`, which returns a response, a future or coroutine of one, or None
for no answer. `encode(response, version)`, if there is one, makes an answer's body, in pieces, in
the place of the generated class.

Modules are imported when a kind is first asked for: kafka-python makes its classes from schemas
then, and all of them together take longer than all else that a broker does at its start.
"""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any

Handler = Callable[..., Any]
Versions = tuple[int, int]
"""Lowest and highest."""

API_VERSIONS, SASL_AUTHENTICATE = 18, 36


@dataclass(frozen=True)
class Kind:
    """One request kind: its name as in Kafka (`Fetch`), the versions spoken, its classes.

    `advertised` is what ApiVersions says where that is not what is spoken, `handler` what answers
    in the place of the kind's module.
    """

    name: str
    api_key: int
    versions: Versions
    advertised: Versions = (-1, -1)
    handler: Handler | None = None

    def __post_init__(self) -> None:
        if self.advertised == (-1, -1):
            object.__setattr__(self, "advertised", self.versions)

    @cached_property
    def request(self) -> Any:
        """The class of the requests."""
        return self._module.REQUEST

    @cached_property
    def response(self) -> Any:
        """The class of the answers, which kafka-python generates next to that of the requests."""
        return getattr(sys.modules[self.request.__module__], f"{self.name}Response")

    @cached_property
    def handle(self) -> Handler:
        """What answers, called with cluster, request and context."""
        handle: Handler = self.handler or self._module.handle
        return handle

    @cached_property
    def encode(self) -> Callable[[Any, int], Sequence[bytes]]:
        """What makes the pieces of an answer's body, called with the answer and its version."""
        encode: Callable[[Any, int], Sequence[bytes]] = getattr(self._module, "encode", _generated)
        return encode

    def handled_by(self, handler: Handler) -> "Kind":
        """The same kind, answered by something else."""
        return replace(self, handler=handler)

    def load(self) -> None:
        """Import what it needs, so that its first request does not have to wait for it."""
        _ = self._module

    @property
    def _module(self) -> ModuleType:
        module = re.sub("(?<!^)(?=[A-Z])", "_", self.name).lower()
        return import_module(f"station_sim.kafka.requests.{module}")


def _generated(response: Any, version: int) -> Sequence[bytes]:
    return (response.encode(version=version),)


_ALL = (
    Kind("Produce", 0, (3, 13), advertised=(0, 13)),
    Kind("Fetch", 1, (4, 18)),
    Kind("ListOffsets", 2, (1, 10)),
    Kind("Metadata", 3, (0, 13)),
    Kind("OffsetCommit", 8, (2, 9)),
    Kind("OffsetFetch", 9, (1, 9)),
    Kind("FindCoordinator", 10, (0, 6)),
    Kind("JoinGroup", 11, (0, 9)),
    Kind("Heartbeat", 12, (0, 4)),
    Kind("LeaveGroup", 13, (0, 5)),
    Kind("SyncGroup", 14, (0, 5)),
    Kind("DescribeGroups", 15, (0, 6)),
    Kind("ListGroups", 16, (0, 5)),
    Kind("SaslHandshake", 17, (0, 1)),
    Kind("ApiVersions", API_VERSIONS, (0, 4)),
    Kind("CreateTopics", 19, (2, 7)),
    Kind("DeleteTopics", 20, (1, 6)),
    Kind("DeleteRecords", 21, (0, 2)),
    Kind("InitProducerId", 22, (0, 5)),
    Kind("OffsetForLeaderEpoch", 23, (2, 4)),
    Kind("AddPartitionsToTxn", 24, (0, 5)),
    Kind("AddOffsetsToTxn", 25, (0, 4)),
    Kind("EndTxn", 26, (0, 5)),
    Kind("TxnOffsetCommit", 28, (0, 5)),
    Kind("DescribeConfigs", 32, (1, 4)),
    Kind("AlterConfigs", 33, (0, 2)),
    Kind("DescribeLogDirs", 35, (1, 4)),
    Kind("SaslAuthenticate", SASL_AUTHENTICATE, (0, 2)),
    Kind("CreatePartitions", 37, (0, 3)),
    Kind("DeleteGroups", 42, (0, 2)),
    Kind("ElectLeaders", 43, (0, 2)),
    Kind("IncrementalAlterConfigs", 44, (0, 1)),
    Kind("AlterPartitionReassignments", 45, (0, 1)),
    Kind("ListPartitionReassignments", 46, (0, 0)),
    Kind("OffsetDelete", 47, (0, 0)),
    Kind("DescribeCluster", 60, (0, 2)),
    Kind("DescribeProducers", 61, (0, 0)),
    Kind("DescribeTransactions", 65, (0, 0)),
    Kind("ListTransactions", 66, (0, 2)),
    Kind("ListConfigResources", 74, (0, 1)),
    Kind("DescribeTopicPartitions", 75, (0, 0)),
)

KINDS: dict[int, Kind] = {kind.api_key: kind for kind in _ALL}
"""All kinds by API key."""

KINDS_BY_NAME: dict[str, Kind] = {kind.name: kind for kind in _ALL}
