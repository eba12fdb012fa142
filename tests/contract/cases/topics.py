"""Making and deleting topics."""

from functools import partial

from kafka.protocol.admin import CreateTopicsRequest, DeleteTopicsRequest

from tests.contract.asking import (
    LATEST,
    create_topic,
    delete_topic,
    list_offset,
    metadata,
    produce,
)
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.registry import case
from tests.contract.waiting import eventually

UNKNOWN_TOPIC_OR_PARTITION = 3
INVALID_TOPIC = 17
TOPIC_ALREADY_EXISTS = 36
INVALID_PARTITIONS = 37
INVALID_REPLICATION_FACTOR = 38
INVALID_CONFIG = 40
INVALID_REQUEST = 42
POLICY_VIOLATION = 44
PARTITIONS_MAX = 10_000
SINCE_ANSWERS_DESCRIBE = 5


async def gone(kafka: Bench, topic: str) -> bool:
    """Whether the broker no longer knows the topic."""
    (found,) = (await metadata(kafka.wire, topic)).topics
    return bool(found.error_code == UNKNOWN_TOPIC_OR_PARTITION)


@case("CreateTopics")
async def case_create_topics_every_version(kafka: Bench) -> None:
    """CreateTopics answers at every version it advertises; newer ones describe what was made."""
    for version in await kafka.versions(CreateTopicsRequest):
        made = await create_topic(
            kafka.wire, kafka.name(f"v{version}"), partitions=2, version=version
        )
        assert (made.error_code, made.name) == (0, kafka.name(f"v{version}"))
        if version >= SINCE_ANSWERS_DESCRIBE:
            assert (made.num_partitions, made.replication_factor) == (2, 1)


@case("DeleteTopics")
async def case_delete_topics_every_version(kafka: Bench) -> None:
    """DeleteTopics answers at every version it advertises."""
    for version in await kafka.versions(DeleteTopicsRequest):
        topic = await kafka.topic(f"v{version}")
        done = await delete_topic(kafka.wire, topic, version=version)
        assert (done.error_code, done.name) == (0, topic)
        await eventually(partial(gone, kafka, topic))


@case("CreateTopics")
async def case_create_twice(kafka: Bench) -> None:
    """Making a topic that exists is error 36, and leaves it as it was."""
    topic = await kafka.topic(partitions=2)
    assert (await create_topic(kafka.wire, topic, partitions=5)).error_code == TOPIC_ALREADY_EXISTS
    assert len((await metadata(kafka.wire, topic)).topics[0].partitions) == 2


@case("CreateTopics")
async def case_create_refusals(kafka: Bench) -> None:
    """Bad names, partition counts, replication and settings are refused, each with its error."""
    topic = kafka.name("never")
    for name, wanted, expected in (
        ("a/b", {}, INVALID_TOPIC),
        ("", {}, INVALID_TOPIC),
        (".", {}, INVALID_TOPIC),
        ("x" * 250, {}, INVALID_TOPIC),
        (topic, {"partitions": 0}, INVALID_PARTITIONS),
        (topic, {"partitions": -2}, INVALID_PARTITIONS),
        (topic, {"replication": 2}, INVALID_REPLICATION_FACTOR),
        (topic, {"replication": 0}, INVALID_REPLICATION_FACTOR),
        (topic, {"config": {"no.such.setting": "1"}}, INVALID_CONFIG),
        (topic, {"config": {"retention.ms": "soon"}}, INVALID_CONFIG),
        (topic, {"config": {"message.timestamp.type": "Never"}}, INVALID_CONFIG),
    ):
        refused = await create_topic(kafka.wire, name, **wanted)
        assert refused.error_code == expected, (name, wanted)
        assert refused.error_message
    assert await gone(kafka, topic)


@case("CreateTopics")
async def case_create_names_that_collide(kafka: Bench) -> None:
    """A name that differs from an existing one only in dots for underscores is error 17."""
    topic = await kafka.topic("a.b")
    refused = await create_topic(kafka.wire, topic.replace(".", "_"))
    assert refused.error_code == INVALID_TOPIC


@case("CreateTopics")
async def case_create_the_same_twice_in_one_request(kafka: Bench) -> None:
    """A topic named twice in one request is error 42, and not made."""
    topic = kafka.name("twin")
    twin = CreateTopicsRequest.CreatableTopic(
        name=topic, num_partitions=1, replication_factor=1, assignments=[], configs=[]
    )
    request = CreateTopicsRequest(topics=[twin, twin], timeout_ms=30_000, validate_only=False)
    answer = await kafka.wire.ask(request, 2)
    assert {found.error_code for found in answer.topics} == {INVALID_REQUEST}
    assert await gone(kafka, topic)


@case("CreateTopics")
async def case_create_too_many_partitions(kafka: Bench) -> None:
    """More than 10,000 partitions in one request, together or by default, are error 44 for every
    topic in it, whatever else is wrong with one; and so are more records than that.
    """
    too_many = "Excessively large number of partitions per request."
    too_much = "Unable to perform excessively large batch operation."
    for counts, only_check, expected in (
        ((PARTITIONS_MAX + 1,), False, too_many),
        ((PARTITIONS_MAX + 1, 0), True, too_many),
        ((PARTITIONS_MAX, -1), True, too_many),
        ((PARTITIONS_MAX // 2, PARTITIONS_MAX // 2 + 1), False, too_many),
        ((PARTITIONS_MAX,), False, too_much),
    ):
        topics = [
            CreateTopicsRequest.CreatableTopic(
                name=kafka.name(f"big{number}"),
                num_partitions=count,
                replication_factor=1,
                assignments=[],
                configs=[],
            )
            for number, count in enumerate(counts)
        ]
        request = CreateTopicsRequest(topics=topics, timeout_ms=30_000, validate_only=only_check)
        answer = await kafka.wire.ask(request, 5)
        told = [(found.error_code, found.error_message) for found in answer.topics]
        assert told == [(POLICY_VIOLATION, expected)] * len(counts)
    assert await gone(kafka, kafka.name("big0"))


@case("CreateTopics")
async def case_create_validates_only(kafka: Bench) -> None:
    """`validate_only` judges and makes nothing."""
    topic = kafka.name("tried")
    assert (await create_topic(kafka.wire, topic, validate_only=True)).error_code == 0
    assert await gone(kafka, topic)
    refused = await create_topic(kafka.wire, topic, partitions=0, validate_only=True)
    assert refused.error_code == INVALID_PARTITIONS


@case("CreateTopics")
async def case_create_with_defaults(kafka: Bench) -> None:
    """-1 partitions and replicas mean the broker's defaults."""
    topic = kafka.name("plain")
    made = await create_topic(kafka.wire, topic, partitions=-1, replication=-1, version=4)
    assert made.error_code == 0

    async def there() -> bool:
        (found,) = (await metadata(kafka.wire, topic)).topics
        return bool(found.error_code == 0 and found.partitions[0].leader_id >= 0)

    await eventually(there)


@case("DeleteTopics")
async def case_delete_unknown_topic(kafka: Bench) -> None:
    """Deleting what is not there is error 3."""
    done = await delete_topic(kafka.wire, kafka.name("nowhere"))
    assert done.error_code == UNKNOWN_TOPIC_OR_PARTITION


@case("DeleteTopics", "CreateTopics")
async def case_delete_and_make_again(kafka: Bench) -> None:
    """A topic that is made again begins at offset 0, under another topic id."""
    topic = await kafka.topic()
    first_id = await kafka.topic_id(topic)
    await produce(kafka.wire, topic, batch(b"a", b"b"))
    assert (await delete_topic(kafka.wire, topic)).error_code == 0
    await eventually(lambda: gone(kafka, topic))
    assert (await produce(kafka.wire, topic, batch(b"x"))).error_code == UNKNOWN_TOPIC_OR_PARTITION
    assert await kafka.topic() == topic
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 0
    assert first_id is None or await kafka.topic_id(topic) != first_id
