"""Where requests name topics and partitions, and where their responses put error codes.

One table for all request kinds. From it follow which partitions a request is about, and its
refusal: a response that answers everything, or only some partitions, with an error code. What a
request does is in its own module.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.topic_ids import ids_by_name

TopicPartition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """Field names of a kind whose request and response both list topics and their partitions.

    `index` is None where the request lists bare partition numbers.
    """

    topics: str
    name: str
    partitions: str
    index: str | None
    answers: str
    answer_partitions: str
    answer_index: str
    failed: tuple[tuple[str, int], ...] = ()
    answer_error: str = "error_code"

    def partition_index(self, partition: Any) -> int:
        """The number of a partition as the request lists it."""
        return int(partition if self.index is None else getattr(partition, self.index))


SHAPES: dict[str, Shape] = {
    "Produce": Shape(
        "topic_data",
        "name",
        "partition_data",
        "index",
        "responses",
        "partition_responses",
        "index",
        (("base_offset", -1), ("log_append_time_ms", -1), ("log_start_offset", -1)),
    ),
    "Fetch": Shape(
        "topics",
        "topic",
        "partitions",
        "partition",
        "responses",
        "partitions",
        "partition_index",
        (("high_watermark", -1), ("last_stable_offset", -1), ("log_start_offset", -1)),
    ),
    "ListOffsets": Shape(
        "topics",
        "name",
        "partitions",
        "partition_index",
        "topics",
        "partitions",
        "partition_index",
        (("timestamp", -1), ("offset", -1)),
    ),
    "OffsetForLeaderEpoch": Shape(
        "topics",
        "topic",
        "partitions",
        "partition",
        "topics",
        "partitions",
        "partition",
        (("leader_epoch", -1), ("end_offset", -1)),
    ),
    "DeleteRecords": Shape(
        "topics",
        "name",
        "partitions",
        "partition_index",
        "topics",
        "partitions",
        "partition_index",
        (("low_watermark", -1),),
    ),
    "OffsetCommit": Shape(
        "topics",
        "name",
        "partitions",
        "partition_index",
        "topics",
        "partitions",
        "partition_index",
    ),
    "TxnOffsetCommit": Shape(
        "topics",
        "name",
        "partitions",
        "partition_index",
        "topics",
        "partitions",
        "partition_index",
    ),
    "OffsetDelete": Shape(
        "topics",
        "name",
        "partitions",
        "partition_index",
        "topics",
        "partitions",
        "partition_index",
    ),
    "DescribeProducers": Shape(
        "topics",
        "name",
        "partition_indexes",
        None,
        "topics",
        "partitions",
        "partition_index",
    ),
    "AddPartitionsToTxn": Shape(
        "v3_and_below_topics",
        "name",
        "partitions",
        None,
        "results_by_topic_v3_and_below",
        "results_by_partition",
        "partition_index",
        answer_error="partition_error_code",
    ),
}


def partitions_of(kind: str, request: Any) -> list[TopicPartition]:
    """The (topic, partition) pairs a request is about; empty for kinds that are about none."""
    shape = SHAPES.get(kind)
    if shape is None:
        return _partitions_with_offsets(request) if kind == "OffsetFetch" else []
    found = []
    for topic in getattr(request, shape.topics):
        name = getattr(topic, shape.name)
        for partition in getattr(topic, shape.partitions):
            found.append((name, shape.partition_index(partition)))
    return found


def names_partitions(kind: str) -> bool:
    """Whether requests of a kind name partitions."""
    return kind in SHAPES or kind == "OffsetFetch"


def topics_of(kind: str, request: Any) -> list[str]:
    """The topics a request names, for kinds that name topics without partitions too."""
    if kind in SHAPES:
        return [
            getattr(topic, SHAPES[kind].name) for topic in getattr(request, SHAPES[kind].topics)
        ]
    return _TOPICS[kind](request) if kind in _TOPICS else []


def names_topics(kind: str) -> bool:
    """Whether requests of a kind name topics."""
    return kind in SHAPES or kind in _TOPICS


def _named(request: Any) -> list[str]:
    """Topics by id alone are not named."""
    return [topic.name for topic in request.topics or () if topic.name is not None]


def _deleted(request: Any) -> list[str]:
    return [*(request.topic_names or ()), *_named(request)]


def _topics_with_offsets(request: Any) -> list[Any]:
    topics = list(request.topics or ())
    for group in request.groups or ():
        topics.extend(group.topics or ())
    return topics


def _partitions_with_offsets(request: Any) -> list[TopicPartition]:
    return [
        (topic.name, index)
        for topic in _topics_with_offsets(request)
        for index in topic.partition_indexes
    ]


_TOPICS: dict[str, Callable[[Any], list[str]]] = {
    "CreateTopics": _named,
    "CreatePartitions": _named,
    "DeleteTopics": _deleted,
    "DescribeTopicPartitions": _named,
    "Metadata": _named,
    "OffsetFetch": lambda request: [topic.name for topic in _topics_with_offsets(request)],
}


def take_out(kind: str, request: Any, wanted: Callable[[str, int], bool]) -> dict[str, list[int]]:
    """Remove the wanted partitions from a request and return them by topic."""
    shape = SHAPES[kind]
    taken: dict[str, list[int]] = {}
    kept_topics = []
    for topic in getattr(request, shape.topics):
        name = getattr(topic, shape.name)
        kept = []
        for partition in getattr(topic, shape.partitions):
            index = shape.partition_index(partition)
            if wanted(name, index):
                taken.setdefault(name, []).append(index)
            else:
                kept.append(partition)
        if kept:
            setattr(topic, shape.partitions, kept)
            kept_topics.append(topic)
    setattr(request, shape.topics, kept_topics)
    return taken


def add_refused(
    kind: str,
    response: Any,
    refused: dict[str, list[int]],
    code: ErrorCode,
    topic_ids: Mapping[str, UUID],
) -> None:
    """Put error answers for `refused` partitions into a response.

    `topic_ids` are the ids of topics that were asked for by id.
    """
    shape = SHAPES[kind]
    answers = list(getattr(response, shape.answers))
    topic_class = _element_class(type(response), shape.answers)
    partition_class = _element_class(topic_class, shape.answer_partitions)
    for name, indexes in refused.items():
        failed = [
            partition_class(
                **{shape.answer_index: index, shape.answer_error: int(code)}, **dict(shape.failed)
            )
            for index in indexes
        ]
        known = next((t for t in answers if getattr(t, shape.name) == name), None)
        if known is None:
            known = topic_class(**{shape.name: name, shape.answer_partitions: []})
            if name in topic_ids:
                known.topic_id = topic_ids[name]
            answers.append(known)
        setattr(known, shape.answer_partitions, [*getattr(known, shape.answer_partitions), *failed])
    setattr(response, shape.answers, answers)


def refuse(kind: str, request: Any, response_class: Any, code: ErrorCode) -> Any:
    """A response that answers the whole request with an error code."""
    if kind in _REFUSALS:
        return _REFUSALS[kind](request, response_class, int(code))
    if kind in SHAPES:
        return _refuse_partitions(kind, request, response_class, code)
    return response_class(error_code=int(code))


def _refuse_partitions(kind: str, request: Any, response_class: Any, code: ErrorCode) -> Any:
    response = response_class()
    refused: dict[str, list[int]] = {}
    for name, index in partitions_of(kind, request):
        refused.setdefault(name, []).append(index)
    add_refused(kind, response, refused, code, ids_by_name(kind, request))
    return response


def _element_class(container: Any, field: str) -> Any:
    return getattr(container, container.fields[field].type_str)


def _refuse_topics(request: Any, response_class: Any, code: int) -> Any:
    answers = "responses" if "responses" in response_class.fields else "topics"
    topic_class = _element_class(response_class, answers)
    kind = response_class.name.removesuffix("Response")
    topics = [topic_class(name=name, error_code=code) for name in topics_of(kind, request)]
    return response_class(**{answers: topics})


def _refuse_configs(request: Any, response_class: Any, code: int) -> Any:
    result_class = _element_class(response_class, "results")
    return response_class(
        results=[
            result_class(
                error_code=code,
                error_message=None,
                resource_type=resource.resource_type,
                resource_name=resource.resource_name,
                configs=[],
            )
            for resource in request.resources
        ]
    )


def _refuse_changes(request: Any, response_class: Any, code: int) -> Any:
    result_class = _element_class(response_class, "responses")
    return response_class(
        responses=[
            result_class(
                error_code=code,
                error_message=None,
                resource_type=resource.resource_type,
                resource_name=resource.resource_name,
            )
            for resource in request.resources
        ]
    )


def _refuse_coordinator(request: Any, response_class: Any, code: int) -> Any:
    if not request.coordinator_keys:
        return response_class(error_code=code, node_id=-1, host="", port=-1)
    coordinator_class = _element_class(response_class, "coordinators")
    return response_class(
        coordinators=[
            coordinator_class(key=key, node_id=-1, host="", port=-1, error_code=code)
            for key in request.coordinator_keys
        ]
    )


def _refuse_offsets(request: Any, response_class: Any, code: int) -> Any:
    if not request.groups:
        return response_class(
            error_code=code,
            topics=[_refuse_topic_offsets(t, response_class, code) for t in request.topics or []],
        )
    group_class = _element_class(response_class, "groups")
    return response_class(
        groups=[
            group_class(group_id=group.group_id, topics=[], error_code=code)
            for group in request.groups
        ]
    )


def _refuse_topic_offsets(topic: Any, response_class: Any, code: int) -> Any:
    topic_class = _element_class(response_class, "topics")
    partition_class = _element_class(topic_class, "partitions")
    return topic_class(
        name=topic.name,
        partitions=[
            partition_class(
                partition_index=index, committed_offset=-1, metadata="", error_code=code
            )
            for index in topic.partition_indexes
        ],
    )


def _refuse_described_groups(request: Any, response_class: Any, code: int) -> Any:
    group_class = _element_class(response_class, "groups")
    return response_class(
        groups=[group_class(group_id=name, error_code=code) for name in request.groups]
    )


def _refuse_deleted_groups(request: Any, response_class: Any, code: int) -> Any:
    result_class = _element_class(response_class, "results")
    return response_class(
        results=[result_class(group_id=name, error_code=code) for name in request.groups_names]
    )


def _refuse_added_partitions(request: Any, response_class: Any, code: int) -> Any:
    if request.transactions:
        return response_class(error_code=code)
    return _refuse_partitions("AddPartitionsToTxn", request, response_class, ErrorCode(code))


def _refuse_increases(request: Any, response_class: Any, code: int) -> Any:
    result_class = _element_class(response_class, "results")
    return response_class(
        results=[result_class(name=topic.name, error_code=code) for topic in request.topics]
    )


def _refuse_elections(request: Any, response_class: Any, code: int) -> Any:
    topic_class = _element_class(response_class, "replica_election_results")
    partition_class = _element_class(topic_class, "partition_result")
    return response_class(
        error_code=code,
        replica_election_results=[
            topic_class(
                topic=topic.topic,
                partition_result=[
                    partition_class(partition_id=index, error_code=code)
                    for index in topic.partitions
                ],
            )
            for topic in request.topic_partitions or []
        ],
    )


def _refuse_log_dirs(request: Any, response_class: Any, code: int) -> Any:
    """Versions before 3 have no error code but that of a directory."""
    result_class = _element_class(response_class, "results")
    refused = result_class(error_code=code, log_dir="", topics=[])
    return response_class(error_code=code, results=[refused])


def _refuse_described_transactions(request: Any, response_class: Any, code: int) -> Any:
    state_class = _element_class(response_class, "transaction_states")
    return response_class(
        transaction_states=[
            state_class(transactional_id=transactional_id, error_code=code)
            for transactional_id in request.transactional_ids
        ]
    )


_REFUSALS: dict[str, Callable[[Any, Any, int], Any]] = {
    "AddPartitionsToTxn": _refuse_added_partitions,
    "Metadata": _refuse_topics,
    "CreateTopics": _refuse_topics,
    "CreatePartitions": _refuse_increases,
    "DescribeTopicPartitions": _refuse_topics,
    "ElectLeaders": _refuse_elections,
    "DeleteTopics": _refuse_topics,
    "DescribeConfigs": _refuse_configs,
    "AlterConfigs": _refuse_changes,
    "IncrementalAlterConfigs": _refuse_changes,
    "FindCoordinator": _refuse_coordinator,
    "OffsetFetch": _refuse_offsets,
    "DescribeGroups": _refuse_described_groups,
    "DeleteGroups": _refuse_deleted_groups,
    "DescribeLogDirs": _refuse_log_dirs,
    "DescribeTransactions": _refuse_described_transactions,
}
