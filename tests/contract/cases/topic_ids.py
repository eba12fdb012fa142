"""Topics by their ids: who takes them, and what an id that nobody has is answered with."""

import uuid
from typing import Any

from kafka.protocol.admin import DeleteTopicsRequest
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.metadata import MetadataRequest
from kafka.protocol.producer import ProduceRequest

from tests.contract.asking import NO_TOPIC_ID, create_topic, delete_topic, fetch, metadata, produce
from tests.contract.batches import batch, values
from tests.contract.bench import Bench
from tests.contract.registry import case
from tests.contract.waiting import eventually

NONE, UNKNOWN_SERVER_ERROR = 0, -1
UNKNOWN_TOPIC_OR_PARTITION = 3
INVALID_REQUEST = 42
UNKNOWN_TOPIC_ID = 100
PRODUCE_BY_ID, FETCH_BY_ID, METADATA_BY_ID, DELETE_BY_ID = 13, 13, 12, 6
NOBODYS_ID = uuid.UUID("11111111-2222-4333-8444-555555555555")


async def id_of(kafka: Bench, topic: str) -> uuid.UUID:
    """The id of a topic that is there."""
    found = await kafka.topic_id(topic)
    assert found not in (None, NO_TOPIC_ID)
    assert found is not None
    return found


async def metadata_by_id(kafka: Bench, *ids: uuid.UUID, name: str | None = None) -> list[Any]:
    """The topics of a Metadata answer for ids."""
    wanted = [MetadataRequest.MetadataRequestTopic(name=name, topic_id=each) for each in ids]
    request = MetadataRequest(topics=wanted, allow_auto_topic_creation=False)
    return list((await kafka.wire.ask(request, METADATA_BY_ID)).topics)


async def delete_by_id(kafka: Bench, *states: tuple[str | None, uuid.UUID]) -> list[Any]:
    """The results of a DeleteTopics for pairs of name and id."""
    wanted = [
        DeleteTopicsRequest.DeleteTopicState(name=name, topic_id=topic_id)
        for name, topic_id in states
    ]
    request = DeleteTopicsRequest(topics=wanted, timeout_ms=30_000)
    return list((await kafka.wire.ask(request, DELETE_BY_ID)).responses)


@case("Produce", "Fetch", "Metadata")
async def case_newest_versions_by_id(kafka: Bench) -> None:
    """Produce and Fetch take topic ids in every version that has them, and answer with them."""
    topic = await kafka.topic()
    topic_id = await id_of(kafka, topic)
    versions = await kafka.versions(ProduceRequest)
    assert versions[-1] >= PRODUCE_BY_ID
    made = await produce(kafka.wire, topic, batch(b"a"), version=13, topic_id=topic_id)
    assert (made.error_code, made.base_offset) == (NONE, 0)
    versions = await kafka.versions(FetchRequest)
    assert versions[-1] >= 17
    for version in range(FETCH_BY_ID, versions[-1] + 1):
        found = await fetch(kafka.wire, topic, 0, version=version, topic_id=topic_id)
        assert (found.error_code, values(found.records)) == (NONE, [b"a"]), version


@case("Produce", "Fetch")
async def case_unknown_topic_id(kafka: Bench) -> None:
    """An id that nobody has is error 100 for Produce and Fetch, that of no topic too."""
    for topic_id in (NOBODYS_ID, NO_TOPIC_ID):
        made = await produce(kafka.wire, "", batch(b"a"), version=13, topic_id=topic_id)
        assert (made.error_code, made.base_offset) == (UNKNOWN_TOPIC_ID, -1)
        found = await fetch(kafka.wire, "", 0, version=13, topic_id=topic_id)
        assert (found.error_code, found.high_watermark) == (UNKNOWN_TOPIC_ID, -1)


@case("Produce", "Fetch")
async def case_unknown_partition_of_a_known_id(kafka: Bench) -> None:
    """A partition that a topic with that id does not have is error 3."""
    topic = await kafka.topic()
    options: dict[str, Any] = {"version": 13, "topic_id": await id_of(kafka, topic), "partition": 7}
    made = await produce(kafka.wire, topic, batch(b"a"), **options)
    found = await fetch(kafka.wire, topic, 0, **options)
    assert [UNKNOWN_TOPIC_OR_PARTITION] * 2 == [made.error_code, found.error_code]


@case("CreateTopics", "DeleteTopics", "Produce", "Fetch")
async def case_topic_made_again_has_another_id(kafka: Bench) -> None:
    """A topic that is deleted and made again has another id; the old one is unknown."""
    topic = await kafka.topic()
    old = await id_of(kafka, topic)
    assert (await delete_topic(kafka.wire, topic)).error_code == NONE

    async def gone() -> bool:
        found = await metadata(kafka.wire, topic)
        return bool(found.topics[0].error_code == UNKNOWN_TOPIC_OR_PARTITION)

    await eventually(gone)
    assert (await create_topic(kafka.wire, topic)).error_code == NONE
    fetched = await fetch(kafka.wire, topic, 0, version=13, topic_id=old)
    made = await produce(kafka.wire, topic, batch(b"a"), version=13, topic_id=old)
    assert [UNKNOWN_TOPIC_ID] * 2 == [fetched.error_code, made.error_code]

    async def known() -> bool:
        return await kafka.topic_id(topic) not in (None, NO_TOPIC_ID, old)

    await eventually(known)


@case("Metadata")
async def case_metadata_by_id(kafka: Bench) -> None:
    """Metadata finds a topic by its id, whatever the name next to it; an unknown id is error
    100.
    """
    topic = await kafka.topic(partitions=2)
    topic_id = await id_of(kafka, topic)
    for name in (None, kafka.name("other")):
        (found,) = await metadata_by_id(kafka, topic_id, name=name)
        assert (found.error_code, found.name, len(found.partitions)) == (NONE, topic, 2)
        assert found.topic_id == topic_id
    (found,) = await metadata_by_id(kafka, NOBODYS_ID)
    assert (found.error_code, found.name, found.topic_id) == (UNKNOWN_TOPIC_ID, None, NOBODYS_ID)
    assert [] == found.partitions


@case("Metadata")
async def case_metadata_by_id_too_early(kafka: Bench) -> None:
    """Versions 10 and 11 of Metadata have ids in answers only; one in a request is error 42."""
    topic = await kafka.topic()
    wanted = [
        MetadataRequest.MetadataRequestTopic(name=topic, topic_id=await id_of(kafka, topic)),
        MetadataRequest.MetadataRequestTopic(name=topic, topic_id=NO_TOPIC_ID),
    ]
    request = MetadataRequest(topics=wanted, allow_auto_topic_creation=False)
    for version in (10, 11):
        answer = await kafka.wire.ask(request, version)
        assert [INVALID_REQUEST] * 2 == [found.error_code for found in answer.topics]


@case("Metadata")
async def case_metadata_of_no_topic(kafka: Bench) -> None:
    """From version 12 on a topic with neither name nor id is error -1, as is every other in the
    request; next to an id it counts for nothing.
    """
    topic = await kafka.topic()
    wanted = [
        MetadataRequest.MetadataRequestTopic(name=None, topic_id=NO_TOPIC_ID),
        MetadataRequest.MetadataRequestTopic(name=topic, topic_id=NO_TOPIC_ID),
    ]
    request = MetadataRequest(topics=wanted, allow_auto_topic_creation=False)
    for version in (12, 13):
        answer = await kafka.wire.ask(request, version)
        found = [(each.name, each.error_code) for each in answer.topics]
        assert found == [("", UNKNOWN_SERVER_ERROR), (topic, UNKNOWN_SERVER_ERROR)]
    assert answer.error_code == UNKNOWN_SERVER_ERROR
    found = await metadata_by_id(kafka, NO_TOPIC_ID, await id_of(kafka, topic))
    assert [(each.name, each.error_code) for each in found] == [(topic, NONE)]


@case("DeleteTopics")
async def case_delete_by_id(kafka: Bench) -> None:
    """DeleteTopics takes an id and tells the name; an unknown id is error 100."""
    topic = await kafka.topic()
    topic_id = await id_of(kafka, topic)
    (unknown,) = await delete_by_id(kafka, (None, NOBODYS_ID))
    assert (unknown.error_code, unknown.name) == (UNKNOWN_TOPIC_ID, None)
    assert unknown.error_message == "This server does not host this topic ID."
    (deleted,) = await delete_by_id(kafka, (None, topic_id))
    assert (deleted.error_code, deleted.name, deleted.topic_id) == (NONE, topic, topic_id)
    (again,) = await delete_by_id(kafka, (None, topic_id))
    assert again.error_code == UNKNOWN_TOPIC_ID


@case("DeleteTopics")
async def case_delete_names_a_topic_one_way(kafka: Bench) -> None:
    """Name and id together, neither of them, or one twice is error 42; nothing is deleted."""
    topic = await kafka.topic()
    topic_id = await id_of(kafka, topic)
    for states in (
        [(topic, topic_id)],
        [(None, NO_TOPIC_ID)],
        [(topic, NO_TOPIC_ID)] * 2,
        [(None, topic_id)] * 2,
    ):
        found = await delete_by_id(kafka, *states)
        assert {INVALID_REQUEST} == {result.error_code for result in found}, states
    assert await kafka.topic_id(topic) == topic_id
