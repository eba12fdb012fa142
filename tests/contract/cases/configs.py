"""Settings of topics and of the broker: shown with their sources, changed, refused, obeyed at once.

The settings of the broker are those of all cases: a case that changes one takes it back.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from kafka.protocol.admin import (
    AlterConfigsRequest,
    DescribeLogDirsRequest,
    IncrementalAlterConfigsRequest,
    ListConfigResourcesRequest,
)

from tests.contract.asking import EARLIEST, create_topic, list_offset, produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.configuring import (
    APPEND,
    BROKER,
    DELETE,
    FROM_CLUSTER,
    FROM_DEFAULTS,
    FROM_NODE,
    FROM_TOPIC,
    SET,
    SUBTRACT,
    TOPIC,
    change,
    describe_configs,
    incremental_request,
    node_id,
    replace_all,
    settings_of,
)
from tests.contract.registry import case
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
MESSAGE_TOO_LARGE = 10
INVALID_TOPIC = 17
UNSUPPORTED_VERSION = 35
INVALID_CONFIG = 40
INVALID_REQUEST = 42
SINCE_SOURCES = 5
SINCE_TYPES = 1


def shown(
    kafka: Bench, kind: int, name: str, setting: str, expected: tuple[str | None, int]
) -> Callable[[], Awaitable[bool]]:
    """Whether a setting is shown with a value and its source; it is so a moment after a change."""

    async def look() -> bool:
        return (await settings_of(kafka.wire, kind, name, setting))[setting] == expected

    return look


@case("AlterConfigs", "DescribeConfigs")
async def case_alter_configs_every_version(kafka: Bench) -> None:
    """AlterConfigs says all settings of a topic anew, at every version; the others go back to
    their defaults.
    """
    topic = await kafka.topic(config={"max.message.bytes": "1234"})
    for version in await kafka.versions(AlterConfigsRequest):
        said = ("segment.ms", str(100_000 + version))
        assert await replace_all(kafka.wire, TOPIC, topic, said, version=version) == (0, None)
        await eventually(shown(kafka, TOPIC, topic, said[0], (said[1], FROM_TOPIC)))
        default = ("1048588", FROM_DEFAULTS)
        assert await shown(kafka, TOPIC, topic, "max.message.bytes", default)()


@case("IncrementalAlterConfigs", "DescribeConfigs")
async def case_incremental_changes_every_version(kafka: Bench) -> None:
    """IncrementalAlterConfigs sets and deletes single settings, at every version; the others
    stay.
    """
    topic = await kafka.topic(config={"max.message.bytes": "1234"})
    for version in await kafka.versions(IncrementalAlterConfigsRequest):
        one = ("segment.ms", SET, "7000")
        assert await change(kafka.wire, TOPIC, topic, one, version=version) == (0, None)
        await eventually(shown(kafka, TOPIC, topic, "segment.ms", ("7000", FROM_TOPIC)))
        gone = ("segment.ms", DELETE, None)
        assert await change(kafka.wire, TOPIC, topic, gone, version=version) == (0, None)
        await eventually(shown(kafka, TOPIC, topic, "segment.ms", ("604800000", FROM_DEFAULTS)))
        assert await shown(kafka, TOPIC, topic, "max.message.bytes", ("1234", FROM_TOPIC))()


@case("IncrementalAlterConfigs", "DescribeConfigs")
async def case_lists_gain_and_lose_words(kafka: Bench) -> None:
    """A setting that is a list gains words it has not and loses those it has, from its default
    on.
    """
    topic = await kafka.topic()
    for operation, word, expected in (
        (APPEND, "compact", "delete,compact"),
        (APPEND, "compact", "delete,compact"),
        (SUBTRACT, "delete", "compact"),
        (SUBTRACT, "delete", "compact"),
    ):
        done = await change(kafka.wire, TOPIC, topic, ("cleanup.policy", operation, word))
        assert done == (0, None)
        await eventually(shown(kafka, TOPIC, topic, "cleanup.policy", (expected, FROM_TOPIC)))


@case("IncrementalAlterConfigs")
async def case_incremental_changes_refused(kafka: Bench) -> None:
    """What no topic can be set to is refused with Kafka's text, and nothing of the resource
    changes.
    """
    topic = await kafka.topic()
    harmless = ("max.message.bytes", SET, "99")
    for operation, code, text in (
        (("nope", SET, "1"), INVALID_CONFIG, "Unknown topic config name: nope"),
        (
            ("retention.ms", SET, "x"),
            INVALID_CONFIG,
            "Invalid value x for configuration retention.ms: Not a number of type LONG",
        ),
        (
            ("retention.ms", SET, "-2"),
            INVALID_CONFIG,
            "Invalid value -2 for configuration retention.ms: Value must be at least -1",
        ),
        (
            ("retention.ms", APPEND, "1"),
            INVALID_CONFIG,
            "Can't APPEND to key retention.ms because its type is not LIST.",
        ),
        (
            ("retention.ms", SUBTRACT, "1"),
            INVALID_CONFIG,
            "Can't SUBTRACT to key retention.ms because its type is not LIST.",
        ),
        (
            ("retention.ms", SET, None),
            INVALID_REQUEST,
            "Null value not supported for : retention.ms",
        ),
        (("max.message.bytes", SET, "98"), INVALID_REQUEST, "Error due to duplicate config keys"),
    ):
        assert await change(kafka.wire, TOPIC, topic, harmless, operation) == (code, text)
    assert await change(kafka.wire, TOPIC, topic, ("nope", DELETE, None)) == (0, None)
    default = ("1048588", FROM_DEFAULTS)
    assert await shown(kafka, TOPIC, topic, "max.message.bytes", default)()


@case("AlterConfigs", "IncrementalAlterConfigs")
async def case_settings_of_nothing_cannot_change(kafka: Bench) -> None:
    """A topic that is not there is error 3, a name that cannot be one error 17, an unknown kind of
    resource error 42.
    """
    missing = kafka.name("nowhere")
    for kind, name, code, text in (
        (TOPIC, missing, UNKNOWN_TOPIC_OR_PARTITION, f"The topic '{missing}' does not exist."),
        (TOPIC, "", INVALID_REQUEST, "Default topic resources are not allowed."),
        (
            TOPIC,
            "a b",
            INVALID_TOPIC,
            "Topic name is invalid: 'a b' contains one or more characters other than ASCII "
            "alphanumerics, '.', '_' and '-'",
        ),
        (9, "x", INVALID_REQUEST, "Unknown resource type 9"),
        (BROKER, "x", INVALID_REQUEST, "Node id must be an integer, but it is: x"),
    ):
        said = ("retention.ms", "1000")
        assert await replace_all(kafka.wire, kind, name, said) == (code, text)
        done = await change(kafka.wire, kind, name, ("retention.ms", SET, "1000"))
        assert done == (code, text)


@case("AlterConfigs")
async def case_alter_configs_refused(kafka: Bench) -> None:
    """Said anew, settings are refused as one by one: unknown names, nulls, names that come
    twice.
    """
    topic = await kafka.topic()
    twice = (("retention.ms", "1"), ("retention.ms", "2"))
    for said, code, text in (
        ((("nope", "1"),), INVALID_CONFIG, "Unknown topic config name: nope"),
        ((("retention.ms", None),), INVALID_REQUEST, "Null value not supported for : retention.ms"),
        (twice, INVALID_REQUEST, "Error due to duplicate config keys"),
    ):
        assert await replace_all(kafka.wire, TOPIC, topic, *said) == (code, text)


@case("AlterConfigs", "IncrementalAlterConfigs")
async def case_changes_only_checked(kafka: Bench) -> None:
    """Changes that are only to be checked are refused or not, and change nothing."""
    topic = await kafka.topic()
    good, bad = ("max.message.bytes", SET, "99"), ("max.message.bytes", SET, "x")
    assert await change(kafka.wire, TOPIC, topic, good, only_check=True) == (0, None)
    assert (await change(kafka.wire, TOPIC, topic, bad, only_check=True))[0] == INVALID_CONFIG
    said = ("max.message.bytes", "98")
    assert await replace_all(kafka.wire, TOPIC, topic, said, only_check=True) == (0, None)
    assert await change(kafka.wire, TOPIC, topic, ("segment.ms", SET, "7000")) == (0, None)
    await eventually(shown(kafka, TOPIC, topic, "segment.ms", ("7000", FROM_TOPIC)))
    default = ("1048588", FROM_DEFAULTS)
    assert await shown(kafka, TOPIC, topic, "max.message.bytes", default)()


@case("IncrementalAlterConfigs")
async def case_resource_named_twice(kafka: Bench) -> None:
    """A resource that comes twice is refused both times; another in the request is changed."""
    topic, other = await kafka.topic(), await kafka.topic("other")
    operations = [("segment.ms", SET, "7000")]
    request = incremental_request(
        (TOPIC, topic, operations), (TOPIC, topic, operations), (TOPIC, other, operations)
    )
    answers = (await kafka.wire.ask(request, 1)).responses
    text = "Each resource must appear at most once."
    assert [(each.error_code, each.error_message) for each in answers] == [
        (INVALID_REQUEST, text),
        (INVALID_REQUEST, text),
        (0, None),
    ]
    await eventually(shown(kafka, TOPIC, other, "segment.ms", ("7000", FROM_TOPIC)))


@case("IncrementalAlterConfigs", "Produce")
async def case_size_limit_changes_at_once(kafka: Bench) -> None:
    """A batch that was taken is too large, error 10, once `max.message.bytes` is less."""
    topic = await kafka.topic()
    large = batch(b"x" * 1_000)
    assert (await produce(kafka.wire, topic, large)).error_code == 0
    done = await change(kafka.wire, TOPIC, topic, ("max.message.bytes", SET, "500"))
    assert done == (0, None)

    async def is_refused() -> bool:
        return (await produce(kafka.wire, topic, large)).error_code == MESSAGE_TOO_LARGE

    await eventually(is_refused)
    assert await change(kafka.wire, TOPIC, topic, ("max.message.bytes", DELETE, None)) == (0, None)

    async def is_taken() -> bool:
        return (await produce(kafka.wire, topic, large)).error_code == 0

    await eventually(is_taken)


@case("IncrementalAlterConfigs", "Produce")
async def case_time_stamping_changes_at_once(kafka: Bench) -> None:
    """Records get the broker's time once `message.timestamp.type` says so."""
    topic = await kafka.topic()
    assert (await produce(kafka.wire, topic, batch(b"a"))).log_append_time_ms == -1
    stamping = ("message.timestamp.type", SET, "LogAppendTime")
    assert await change(kafka.wire, TOPIC, topic, stamping) == (0, None)

    async def is_stamped() -> bool:
        return (await produce(kafka.wire, topic, batch(b"b"))).log_append_time_ms > 0

    await eventually(is_stamped)


@case("IncrementalAlterConfigs", "ListOffsets")
async def case_retention_changes_at_once(kafka: Bench) -> None:
    """Records that were to be kept go at the next look once `retention.ms` is short."""
    topic = await kafka.topic()
    for value in (b"a", b"b"):
        assert (await produce(kafka.wire, topic, batch(value))).error_code == 0
    assert await change(kafka.wire, TOPIC, topic, ("retention.ms", SET, "1")) == (0, None)

    async def are_gone() -> bool:
        return (await list_offset(kafka.wire, topic, EARLIEST)).offset == 2

    await eventually(are_gone)


@case("IncrementalAlterConfigs", "DescribeConfigs")
async def case_broker_settings_are_topics_defaults(kafka: Bench) -> None:
    """A setting changed for the cluster, and then for the node, is what topics have that do not
    say; deleted, it is as before.
    """
    topic, node = await kafka.topic(), await node_id(kafka.wire)
    for name, source in (("", FROM_CLUSTER), (node, FROM_NODE)):
        text = str(1_000_000 + source)
        done = await change(kafka.wire, BROKER, name, ("message.max.bytes", SET, text))
        assert done == (0, None)
        await eventually(shown(kafka, TOPIC, topic, "max.message.bytes", (text, source)))
        await eventually(shown(kafka, BROKER, node, "message.max.bytes", (text, source)))
    assert await shown(kafka, BROKER, "", "message.max.bytes", ("1000003", FROM_CLUSTER))()
    for name in (node, ""):
        done = await change(kafka.wire, BROKER, name, ("message.max.bytes", DELETE, None))
        assert done == (0, None)
    await eventually(shown(kafka, TOPIC, topic, "max.message.bytes", ("1048588", FROM_DEFAULTS)))


@case("IncrementalAlterConfigs", "AlterConfigs")
async def case_broker_settings_refused(kafka: Bench) -> None:
    """What is fixed at the broker's start cannot change; of the rest, what Kafka would not take is
    refused, as error 42.
    """
    node = await node_id(kafka.wire)
    for name in (node, ""):
        for operations, code, text in (
            (
                [("num.partitions", SET, "3")],
                INVALID_REQUEST,
                "Cannot update these configs dynamically: Set(num.partitions)",
            ),
            (
                [("num.partitions", SET, "3"), ("offsets.retention.minutes", SET, "4")],
                INVALID_REQUEST,
                "Cannot update these configs dynamically: "
                "Set(num.partitions, offsets.retention.minutes)",
            ),
            (
                [("message.max.bytes", SET, "x")],
                INVALID_REQUEST,
                "Invalid value x for configuration message.max.bytes: Not a number of type INT",
            ),
            (
                [("log.retention.ms", APPEND, "1")],
                INVALID_CONFIG,
                "Config value append is not allowed for config key: log.retention.ms",
            ),
            ([("log.retention.ms", 7, "1")], INVALID_REQUEST, "Unknown operations type 7"),
        ):
            assert await change(kafka.wire, BROKER, name, *operations) == (code, text)
        said = ("num.partitions", "3")
        text = "Cannot update these configs dynamically: Set(num.partitions)"
        assert await replace_all(kafka.wire, BROKER, name, said) == (INVALID_REQUEST, text)
    done = await change(kafka.wire, BROKER, node, ("min.insync.replicas", SET, "2"))
    text = "Broker-level min.insync.replicas cannot be altered while ELR is enabled."
    assert done == (INVALID_CONFIG, text)
    done = await change(kafka.wire, BROKER, "99", ("message.max.bytes", SET, "1000"))
    assert done == (
        INVALID_REQUEST,
        f"Unexpected broker id, expected {node}, but received 99",
    )


@case("DescribeConfigs")
async def case_synonyms_are_shown_when_asked_for(kafka: Bench) -> None:
    """Asked for synonyms, a setting shows where else it is said, what counts first; `retention.ms`
    has no default in that unit.
    """
    topic = await kafka.topic(config={"max.message.bytes": "1234", "retention.ms": "-1"})
    wanted = ("max.message.bytes", "retention.ms", "segment.ms")
    for asked in (True, False):
        found = await describe_configs(kafka.wire, TOPIC, topic, *wanted, synonyms=asked)
        told = {
            entry.name: [(each.name, each.value, each.source) for each in entry.synonyms]
            for entry in found.configs
        }
        assert told == {
            "max.message.bytes": [
                ("max.message.bytes", "1234", FROM_TOPIC),
                ("message.max.bytes", "1048588", FROM_DEFAULTS),
            ]
            if asked
            else [],
            "retention.ms": [("retention.ms", "-1", FROM_TOPIC)] if asked else [],
            "segment.ms": [],
        }


@case("DescribeConfigs")
async def case_documentation_is_sent_when_asked_for(kafka: Bench) -> None:
    """Asked for documentation, every setting of a topic and of a node has some."""
    topic, node = await kafka.topic(), await node_id(kafka.wire)
    for kind, name in ((TOPIC, topic), (BROKER, node)):
        for asked in (True, False):
            found = await describe_configs(kafka.wire, kind, name, documentation=asked)
            documented = [bool(entry.documentation) for entry in found.configs]
            assert documented
            assert documented == [asked] * len(documented)


@case("DescribeConfigs")
async def case_broker_settings_say_whether_they_change(kafka: Bench) -> None:
    """A setting fixed at the broker's start is read-only, one that may change is not; another
    node's settings are error 42.
    """
    node = await node_id(kafka.wire)
    wanted = ("num.partitions", "message.max.bytes", "log.cleanup.policy", "group.max.size")
    found = await describe_configs(kafka.wire, BROKER, node, *wanted)
    assert {entry.name: (entry.read_only, entry.config_type) for entry in found.configs} == {
        "num.partitions": (True, 3),
        "message.max.bytes": (False, 3),
        "log.cleanup.policy": (False, 7),
        "group.max.size": (True, 3),
    }
    for name, text in (
        ("99", f"Unexpected broker id, expected {node} or empty string, but received 99"),
        ("x", "Broker id must be an integer, but it is: x"),
    ):
        other = await describe_configs(kafka.wire, BROKER, name)
        assert (other.error_code, other.error_message) == (INVALID_REQUEST, text)


@case("CreateTopics")
async def case_new_topic_answers_its_settings(kafka: Bench) -> None:
    """The answer to a creation names every setting with its value and where it comes from."""
    name = kafka.name()
    made = await create_topic(
        kafka.wire, name, config={"max.message.bytes": "1234"}, version=SINCE_SOURCES
    )
    assert (made.error_code, made.num_partitions, made.replication_factor) == (0, 1, 1)
    told = {entry.name: (entry.value, entry.config_source) for entry in made.configs}
    assert told["max.message.bytes"] == ("1234", FROM_TOPIC)
    assert told["retention.ms"] == ("604800000", FROM_DEFAULTS)
    assert told["min.insync.replicas"] == ("1", FROM_CLUSTER)
    described: dict[str, tuple[str | None, int]] = {}

    async def is_there() -> bool:
        found = await describe_configs(kafka.wire, TOPIC, name)
        described.update({each.name: (each.value, each.config_source) for each in found.configs})
        return bool(found.error_code == 0)

    await eventually(is_there)
    assert told == described


@case("ListConfigResources")
async def case_resources_with_settings_are_listed(kafka: Bench) -> None:
    """ListConfigResources names topics and nodes, those of the wanted kinds; version 0 client
    metrics alone, of which there are none.
    """
    topic, node = await kafka.topic(), await node_id(kafka.wire)

    async def listed(version: int, *kinds: int) -> Any:
        request = ListConfigResourcesRequest(resource_types=list(kinds))
        answer = await kafka.wire.ask(request, version)
        return answer.error_code, {
            (each.resource_type, each.resource_name) for each in answer.config_resources
        }

    for version in await kafka.versions(ListConfigResourcesRequest):
        code, found = await listed(version)
        expected = {(TOPIC, topic), (BROKER, node)} if version >= SINCE_TYPES else set()
        assert (code, found & {(TOPIC, topic), (BROKER, node)}) == (0, expected)
    code, found = await listed(SINCE_TYPES, TOPIC)
    assert (code, {kind for kind, _ in found}) == (0, {TOPIC})
    assert await listed(SINCE_TYPES, 77) == (UNSUPPORTED_VERSION, set())


@case("DescribeLogDirs")
async def case_log_sizes_every_version(kafka: Bench) -> None:
    """DescribeLogDirs tells how many bytes each wanted partition keeps, at every version; what is
    not there is left out.
    """
    topic, data = await kafka.topic(partitions=2), batch(b"x" * 100)
    assert (await produce(kafka.wire, topic, data, partition=1)).error_code == 0
    wanted = DescribeLogDirsRequest.DescribableLogDirTopic
    asked = [
        wanted(topic=topic, partitions=[0, 1, 9]),
        wanted(topic=kafka.name("nowhere"), partitions=[0]),
    ]
    for version in await kafka.versions(DescribeLogDirsRequest):
        for topics in (asked, None):
            answer = await kafka.wire.ask(DescribeLogDirsRequest(topics=topics), version)
            (found,) = answer.results
            assert (found.error_code, answer.error_code or 0) == (0, 0)
            sizes = {
                (each.name, part.partition_index): part.partition_size
                for each in found.topics
                for part in each.partitions
                if topics or each.name == topic
            }
            assert sizes == {(topic, 0): 0, (topic, 1): len(data)}
