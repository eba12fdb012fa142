"""Ways to break the simulated broker: a handler that alters what it is asked or what it answers.

What each breakage must make fail is judged in `test_broken_doubles.py`.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

Handler = Callable[[Any, Any, Any], Any]
Breaking = Callable[[Handler], Handler]
Change = Callable[[Any], object]


@dataclass(frozen=True)
class Breakage:
    """One way in which a broker gets one request kind wrong."""

    kind: str
    says: str
    breaking: Breaking


def asking(change: Change) -> Breaking:
    """Alter the request before it is handled."""

    def breaking(handle: Handler) -> Handler:
        def broken(broker: Any, request: Any, context: Any) -> Any:
            if request is not None:
                change(request)
            return handle(broker, request, context)

        return broken

    return breaking


def answering(change: Change) -> Breaking:
    """Alter the response after it was made."""

    def changed(response: Any) -> Any:
        if response is not None:
            change(response)
        return response

    async def later(answer: Awaitable[Any]) -> Any:
        return changed(await answer)

    def breaking(handle: Handler) -> Handler:
        def broken(broker: Any, request: Any, context: Any) -> Any:
            answer = handle(broker, request, context)
            return later(answer) if inspect.isawaitable(answer) else changed(answer)

        return broken

    return breaking


def twice(handle: Handler) -> Handler:
    """Handle every request twice."""

    def broken(broker: Any, request: Any, context: Any) -> Any:
        handle(broker, request, context)
        return handle(broker, request, context)

    return broken


def fields(**values: object) -> Change:
    """Set fields of the message."""

    def change(message: Any) -> None:
        for name, value in values.items():
            setattr(message, name, value)

    return change


def each(path: str, **values: object) -> Change:
    """Set fields of every element found along a path such as `topics.partitions`."""

    def change(message: Any) -> None:
        found = [message]
        for name in path.split("."):
            found = [element for owner in found for element in getattr(owner, name) or ()]
        for element in found:
            fields(**values)(element)

    return change


def without_last(path: str) -> Change:
    """Drop the last element of the list at the end of a path."""
    *owners, name = path.split(".")

    def change(message: Any) -> None:
        found = [message]
        for owner in owners:
            found = [element for holder in found for element in getattr(holder, owner) or ()]
        for holder in found:
            setattr(holder, name, list(getattr(holder, name) or ())[:-1])

    return change


def no_error_35(handle: Handler) -> Handler:
    """Answer an ApiVersions request that is too new as if nothing were wrong."""

    def broken(broker: Any, request: Any, context: Any) -> Any:
        response = handle(broker, request, context)
        response.error_code = 0
        return response

    return broken


PARTITIONS = "topics.partitions"
PRODUCED = "responses.partition_responses"
FETCHED = "responses.partitions"
STATES = "transaction_states"
ADDED = "results_by_topic_v3_and_below.results_by_partition"
ALTERED = "resources.configs"
KEPT = "results.topics.partitions"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage("ApiVersions", "accepts any version", no_error_35),
    Breakage("ApiVersions", "advertises too little", answering(each("api_keys", max_version=0))),
    Breakage("Metadata", "loses a partition", answering(without_last(PARTITIONS))),
    Breakage("Metadata", "makes topics unasked", asking(fields(allow_auto_topic_creation=True))),
    Breakage("Metadata", "names another port", answering(each("brokers", port=1))),
    Breakage("Produce", "writes twice", twice),
    Breakage("Produce", "hides refusals", answering(each(PRODUCED, error_code=0))),
    Breakage("Produce", "tells offset 0", answering(each(PRODUCED, base_offset=0))),
    Breakage("Fetch", "does not wait", asking(fields(max_wait_ms=0))),
    Breakage("Fetch", "sleeps through data", asking(fields(min_bytes=1 << 30))),
    Breakage("Fetch", "waits for one byte only", asking(fields(min_bytes=1))),
    Breakage("Fetch", "knows no limits", asking(each(PARTITIONS, partition_max_bytes=1 << 30))),
    Breakage("Fetch", "hides errors", answering(each(FETCHED, error_code=0))),
    Breakage("Fetch", "has no watermark", answering(each(FETCHED, high_watermark=-1))),
    Breakage("ListOffsets", "knows the end only", asking(each(PARTITIONS, timestamp=-1))),
    Breakage("ListOffsets", "hides errors", answering(each(PARTITIONS, error_code=0))),
    Breakage("OffsetForLeaderEpoch", "hides errors", answering(each(PARTITIONS, error_code=0))),
    Breakage("OffsetForLeaderEpoch", "knows no end", answering(each(PARTITIONS, end_offset=-1))),
    Breakage("FindCoordinator", "accepts any kind", asking(fields(key_type=0))),
    Breakage("FindCoordinator", "loses a key", answering(without_last("coordinators"))),
    Breakage("JoinGroup", "tells followers of no one, nor leaders", answering(fields(members=[]))),
    Breakage("JoinGroup", "stays at generation 1", answering(fields(generation_id=1))),
    Breakage("JoinGroup", "takes any session", asking(fields(session_timeout_ms=10_000))),
    Breakage("SyncGroup", "gives nothing", answering(fields(assignment=b""))),
    Breakage("SyncGroup", "hides errors", answering(fields(error_code=0))),
    Breakage("Heartbeat", "never tells", answering(fields(error_code=0))),
    Breakage("LeaveGroup", "lets nobody go", asking(fields(member_id="", members=[]))),
    Breakage("LeaveGroup", "hides errors", answering(fields(error_code=0))),
    Breakage("OffsetCommit", "is one ahead", asking(each(PARTITIONS, committed_offset=99))),
    Breakage("OffsetCommit", "fences nobody", answering(each(PARTITIONS, error_code=0))),
    Breakage("OffsetCommit", "drops metadata", asking(each(PARTITIONS, committed_metadata=""))),
    Breakage("OffsetFetch", "finds nothing", answering(each(PARTITIONS, committed_offset=-1))),
    Breakage("OffsetFetch", "finds 0 for none", asking(fields(group_id="someone-else"))),
    Breakage("CreateTopics", "makes one partition", asking(each("topics", num_partitions=1))),
    Breakage("CreateTopics", "forgets settings", asking(each("topics", configs=[]))),
    Breakage("CreateTopics", "makes what is only tried", asking(fields(validate_only=False))),
    Breakage("DeleteTopics", "keeps them", asking(fields(topic_names=[], topics=[]))),
    Breakage("DeleteTopics", "hides errors", answering(each("responses", error_code=0))),
    Breakage("DeleteRecords", "cuts nothing", asking(each(PARTITIONS, offset=0))),
    Breakage("DeleteRecords", "hides errors", answering(each(PARTITIONS, error_code=0))),
    Breakage("InitProducerId", "gives one id to all", answering(fields(producer_id=7))),
    Breakage("InitProducerId", "fences nobody", answering(fields(producer_epoch=0))),
    Breakage("InitProducerId", "takes all for new", asking(fields(producer_id=-1))),
    Breakage("AddPartitionsToTxn", "adds nothing", asking(fields(v3_and_below_topics=[]))),
    Breakage("AddPartitionsToTxn", "hides errors", answering(each(ADDED, partition_error_code=0))),
    Breakage("AddOffsetsToTxn", "adds another group", asking(fields(group_id="someone-else"))),
    Breakage("AddOffsetsToTxn", "hides errors", answering(fields(error_code=0))),
    Breakage("TxnOffsetCommit", "is one ahead", asking(each(PARTITIONS, committed_offset=99))),
    Breakage("TxnOffsetCommit", "fences nobody", answering(each(PARTITIONS, error_code=0))),
    Breakage("EndTxn", "commits what is aborted", asking(fields(committed=True))),
    Breakage("EndTxn", "aborts what is committed", asking(fields(committed=False))),
    Breakage("EndTxn", "hides errors", answering(fields(error_code=0))),
    Breakage("EndTxn", "raises no epoch", answering(fields(producer_epoch=0))),
    Breakage("DescribeTransactions", "loses one", answering(without_last(STATES))),
    Breakage(
        "DescribeTransactions", "says Empty", answering(each(STATES, transaction_state="Empty"))
    ),
    Breakage("ListTransactions", "ignores states", asking(fields(state_filters=[]))),
    Breakage("ListTransactions", "ignores producers", asking(fields(producer_id_filters=[]))),
    Breakage("DescribeProducers", "hides errors", answering(each(PARTITIONS, error_code=0))),
    Breakage(
        "DescribeProducers", "loses one", answering(without_last(f"{PARTITIONS}.active_producers"))
    ),
    Breakage("ApiVersions", "has no features", answering(fields(finalized_features=[]))),
    Breakage("Fetch", "shows open transactions", asking(fields(isolation_level=0))),
    Breakage("Fetch", "names no aborted", answering(each(FETCHED, aborted_transactions=[]))),
    Breakage("ListOffsets", "shows open transactions", asking(fields(isolation_level=0))),
    Breakage("OffsetFetch", "takes all for stable", asking(fields(require_stable=False))),
    Breakage("DescribeGroups", "calls all stable", answering(each("groups", group_state="Stable"))),
    Breakage("DescribeGroups", "loses a member", answering(without_last("groups.members"))),
    Breakage("ListGroups", "ignores states", asking(fields(states_filter=[]))),
    Breakage("DeleteGroups", "hides errors", answering(each("results", error_code=0))),
    Breakage("DescribeConfigs", "shows all", asking(each("resources", configuration_keys=None))),
    Breakage("DescribeConfigs", "hides errors", answering(each("results", error_code=0))),
    Breakage("SaslHandshake", "offers nothing", answering(fields(mechanisms=[]))),
    Breakage("SaslHandshake", "hides refusals", answering(fields(error_code=0))),
    Breakage("SaslAuthenticate", "hides refusals", answering(fields(error_code=0))),
    Breakage("SaslAuthenticate", "gives no token", answering(fields(auth_bytes=b""))),
    Breakage("DescribeConfigs", "keeps synonyms", asking(fields(include_synonyms=False))),
    Breakage("AlterConfigs", "only checks", asking(fields(validate_only=True))),
    Breakage("AlterConfigs", "hides errors", answering(each("responses", error_code=0))),
    Breakage("IncrementalAlterConfigs", "never checks", asking(fields(validate_only=False))),
    Breakage("IncrementalAlterConfigs", "deletes nothing", asking(without_last(ALTERED))),
    Breakage("IncrementalAlterConfigs", "sets lists", asking(each(ALTERED, config_operation=0))),
    Breakage("ListConfigResources", "ignores kinds", asking(fields(resource_types=[]))),
    Breakage("DescribeLogDirs", "loses a partition", answering(without_last(KEPT))),
    Breakage("OffsetDelete", "deletes nothing", asking(fields(topics=[]))),
    Breakage("OffsetDelete", "hides errors", answering(each(PARTITIONS, error_code=0))),
    Breakage("DescribeCluster", "names another port", answering(each("brokers", port=1))),
    Breakage("CreatePartitions", "hides errors", answering(each("results", error_code=0))),
    Breakage("CreatePartitions", "only checks", asking(fields(validate_only=True))),
    Breakage(
        "ElectLeaders",
        "hides errors",
        answering(each("replica_election_results.partition_result", error_code=0)),
    ),
    Breakage(
        "AlterPartitionReassignments",
        "hides errors",
        answering(each("responses.partitions", error_code=0)),
    ),
    Breakage("ListPartitionReassignments", "does not know", answering(fields(error_code=-1))),
    Breakage(
        "DescribeTopicPartitions", "loses a partition", answering(without_last("topics.partitions"))
    ),
    Breakage("DescribeTopicPartitions", "shows one page", answering(fields(next_cursor=None))),
)
