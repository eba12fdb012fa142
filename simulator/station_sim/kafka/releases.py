"""Which request kinds and versions each release of Apache Kafka offered, and how to look like one.

The facts are those of Kafka's protocol definitions at each release, as far as this broker may speak
the kinds; up to 3.2 those of brokers with ZooKeeper, from 3.3 on of KRaft. What the simulated
broker speaks of a kind is in its module in `requests/`; it never offers more than that. Only kinds
and versions differ: rules and texts stay those of 4.1.
"""

from collections.abc import Mapping
from dataclasses import replace

from station_sim.errors import LabError
from station_sim.kafka.requests.registry import KINDS, Kind

HIGHEST: Mapping[str, Mapping[str, int]] = {
    "0.11": {
        "Produce": 3,
        "Fetch": 5,
        "ListOffsets": 2,
        "Metadata": 4,
        "OffsetCommit": 3,
        "OffsetFetch": 3,
        "FindCoordinator": 1,
        "JoinGroup": 2,
        "Heartbeat": 1,
        "LeaveGroup": 1,
        "SyncGroup": 1,
        "DescribeGroups": 1,
        "ListGroups": 1,
        "SaslHandshake": 0,
        "ApiVersions": 1,
        "CreateTopics": 2,
        "DeleteTopics": 1,
        "DeleteRecords": 0,
        "InitProducerId": 0,
        "OffsetForLeaderEpoch": 0,
        "AddPartitionsToTxn": 0,
        "AddOffsetsToTxn": 0,
        "EndTxn": 0,
        "TxnOffsetCommit": 0,
        "DescribeConfigs": 0,
        "AlterConfigs": 0,
    },
    "1.0": {
        "DescribeLogDirs": 0,
        "Produce": 5,
        "Fetch": 6,
        "Metadata": 5,
        "SaslHandshake": 1,
        "SaslAuthenticate": 0,
        "CreatePartitions": 0,
    },
    "1.1": {"Fetch": 7, "DescribeConfigs": 1, "DeleteGroups": 0},
    "2.0": {
        "DescribeLogDirs": 1,
        "Produce": 6,
        "Fetch": 8,
        "ListOffsets": 3,
        "Metadata": 6,
        "OffsetCommit": 4,
        "OffsetFetch": 4,
        "FindCoordinator": 2,
        "JoinGroup": 3,
        "Heartbeat": 2,
        "LeaveGroup": 2,
        "SyncGroup": 2,
        "DescribeGroups": 2,
        "ListGroups": 2,
        "ApiVersions": 2,
        "CreateTopics": 3,
        "DeleteTopics": 2,
        "DeleteRecords": 1,
        "InitProducerId": 1,
        "OffsetForLeaderEpoch": 1,
        "AddPartitionsToTxn": 1,
        "AddOffsetsToTxn": 1,
        "EndTxn": 1,
        "TxnOffsetCommit": 1,
        "DescribeConfigs": 2,
        "AlterConfigs": 1,
        "CreatePartitions": 1,
        "DeleteGroups": 1,
    },
    "2.1": {
        "Produce": 7,
        "Fetch": 10,
        "ListOffsets": 4,
        "Metadata": 7,
        "OffsetCommit": 6,
        "OffsetFetch": 5,
        "DeleteTopics": 3,
        "OffsetForLeaderEpoch": 2,
        "TxnOffsetCommit": 2,
    },
    "2.2": {"ListOffsets": 5, "JoinGroup": 4, "SaslAuthenticate": 1, "ElectLeaders": 0},
    "2.3": {
        "Fetch": 11,
        "Metadata": 8,
        "OffsetCommit": 7,
        "JoinGroup": 5,
        "Heartbeat": 3,
        "SyncGroup": 3,
        "DescribeGroups": 3,
        "OffsetForLeaderEpoch": 3,
        "IncrementalAlterConfigs": 0,
    },
    "2.4": {
        "Produce": 8,
        "Metadata": 9,
        "OffsetCommit": 8,
        "OffsetFetch": 6,
        "FindCoordinator": 3,
        "JoinGroup": 6,
        "Heartbeat": 4,
        "LeaveGroup": 4,
        "SyncGroup": 4,
        "DescribeGroups": 5,
        "ListGroups": 3,
        "ApiVersions": 3,
        "CreateTopics": 5,
        "DeleteTopics": 4,
        "InitProducerId": 2,
        "DeleteGroups": 2,
        "ElectLeaders": 2,
        "IncrementalAlterConfigs": 1,
        "AlterPartitionReassignments": 0,
        "ListPartitionReassignments": 0,
        "OffsetDelete": 0,
    },
    "2.5": {
        "OffsetFetch": 7,
        "JoinGroup": 7,
        "SyncGroup": 5,
        "InitProducerId": 3,
        "TxnOffsetCommit": 3,
        "SaslAuthenticate": 2,
        "CreatePartitions": 2,
    },
    "2.6": {"DescribeLogDirs": 2, "ListGroups": 4, "DeleteRecords": 2, "DescribeConfigs": 3},
    "2.7": {
        "Fetch": 12,
        "CreateTopics": 6,
        "DeleteTopics": 5,
        "InitProducerId": 4,
        "AddPartitionsToTxn": 2,
        "AddOffsetsToTxn": 2,
        "EndTxn": 2,
        "CreatePartitions": 3,
        "DescribeUserScramCredentials": 0,
        "AlterUserScramCredentials": 0,
    },
    "2.8": {
        "Produce": 9,
        "ListOffsets": 6,
        "Metadata": 11,
        "CreateTopics": 7,
        "DeleteTopics": 6,
        "OffsetForLeaderEpoch": 4,
        "AddPartitionsToTxn": 3,
        "AddOffsetsToTxn": 3,
        "EndTxn": 3,
        "DescribeConfigs": 4,
        "AlterConfigs": 2,
        "DescribeCluster": 0,
        "DescribeProducers": 0,
    },
    "3.0": {
        "ListOffsets": 7,
        "OffsetFetch": 8,
        "FindCoordinator": 4,
        "DescribeTransactions": 0,
        "ListTransactions": 0,
    },
    "3.1": {"Fetch": 13, "Metadata": 12},
    "3.2": {"DescribeLogDirs": 3, "JoinGroup": 9, "LeaveGroup": 5},
    "3.3": {"DescribeLogDirs": 4},
    "3.4": {},
    "3.5": {"Fetch": 15, "ListOffsets": 8},
    "3.6": {"AddPartitionsToTxn": 4},
    "3.7": {
        "ListConfigResources": 0,
        "Produce": 10,
        "Fetch": 16,
        "OffsetCommit": 9,
        "OffsetFetch": 9,
        "DescribeCluster": 1,
        "ConsumerGroupHeartbeat": 0,
    },
    "3.8": {
        "Produce": 11,
        "FindCoordinator": 5,
        "ListGroups": 5,
        "InitProducerId": 5,
        "AddPartitionsToTxn": 5,
        "AddOffsetsToTxn": 4,
        "EndTxn": 4,
        "TxnOffsetCommit": 4,
        "ListTransactions": 1,
        "ConsumerGroupDescribe": 0,
        "DescribeTopicPartitions": 0,
    },
    "3.9": {"Fetch": 17, "ListOffsets": 9, "FindCoordinator": 6, "ApiVersions": 4},
    "4.0": {
        "Produce": 12,
        "ListOffsets": 10,
        "Metadata": 13,
        "DescribeGroups": 6,
        "EndTxn": 5,
        "TxnOffsetCommit": 5,
        "DescribeCluster": 2,
        "ConsumerGroupHeartbeat": 1,
        "ConsumerGroupDescribe": 1,
    },
    "4.1": {
        "ListConfigResources": 1,
        "Produce": 13,
        "Fetch": 18,
        "AlterPartitionReassignments": 1,
        "ListTransactions": 2,
    },
}
"""The highest version of each kind that came with a release; what is not named stayed as it was."""

LOWEST: Mapping[str, Mapping[str, int]] = {
    "4.0": {
        "Fetch": 4,
        "ListOffsets": 1,
        "OffsetCommit": 2,
        "OffsetFetch": 1,
        "JoinGroup": 2,
        "CreateTopics": 2,
        "DeleteTopics": 1,
        "OffsetForLeaderEpoch": 2,
        "DescribeConfigs": 1,
    },
    "4.1": {"JoinGroup": 0},
}
"""The lowest version of each kind where it changed; before, all began at 0."""


def offered_by(release: str) -> dict[str, tuple[int, int]]:
    """`{kind: (lowest, highest version)}` of a release such as `"2.8"`.

    Raises `LabError` for a release that is not known.
    """
    if release not in HIGHEST:
        raise LabError(f"unknown Kafka release {release}; known are: {', '.join(HIGHEST)}")
    offered: dict[str, tuple[int, int]] = {}
    for each, highest in HIGHEST.items():
        for kind, version in highest.items():
            offered[kind] = (offered.get(kind, (0, 0))[0], version)
        for kind, version in LOWEST.get(each, {}).items():
            offered[kind] = (version, offered[kind][1])
        if each == release:
            break
    return offered


def kinds_of(release: str) -> dict[int, Kind]:
    """The kinds that a broker of a release and this one have in common, in their common versions.

    Raises `LabError` for a release that is not known.
    """
    offered = offered_by(release)
    return {
        api_key: _clamped(kind, *offered[kind.name])
        for api_key, kind in KINDS.items()
        if kind.name in offered and kind.versions[0] <= offered[kind.name][1]
    }


def _clamped(kind: Kind, low: int, high: int) -> Kind:
    return replace(
        kind,
        versions=(max(low, kind.versions[0]), min(high, kind.versions[1])),
        advertised=(max(low, kind.advertised[0]), min(high, kind.advertised[1])),
    )
