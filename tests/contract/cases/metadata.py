"""Topics, partitions and brokers as clients get to know them."""

from aiokafka.errors import UnknownTopicOrPartitionError
from kafka.protocol.metadata import MetadataRequest

from tests.contract.asking import metadata, produce
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.registry import case
from tests.contract.waiting import eventually

INVALID_TOPIC = 17


@case("Metadata")
async def case_metadata_every_version(kafka: Bench) -> None:
    """Metadata answers at every version it advertises."""
    topic = await kafka.topic(partitions=2)
    for version in await kafka.versions(MetadataRequest):
        answer = await metadata(kafka.wire, topic, version=version)
        (found,) = answer.topics
        assert (found.error_code, found.name, len(found.partitions)) == (0, topic, 2)
        assert len(answer.brokers) == 1


@case("Metadata")
async def case_metadata_of_the_broker(kafka: Bench) -> None:
    """The broker is at the address that clients were given, is its own controller, and has a
    cluster id.
    """
    answer = await metadata(kafka.wire)
    (broker,) = answer.brokers
    assert f"{broker.host}:{broker.port}" == kafka.bootstrap
    assert broker.node_id == answer.controller_id
    assert answer.cluster_id


@case("Metadata")
async def case_metadata_of_partitions(kafka: Bench) -> None:
    """Each partition has a leader, which is its one replica and in sync."""
    topic = await kafka.topic(partitions=3)
    answer = await metadata(kafka.wire, topic)
    node = answer.brokers[0].node_id
    (found,) = answer.topics
    parts = sorted(found.partitions, key=lambda part: part.partition_index)
    assert [part.partition_index for part in parts] == [0, 1, 2]
    for part in parts:
        assert (part.error_code, part.leader_id) == (0, node)
        assert (part.replica_nodes, part.isr_nodes, part.offline_replicas) == ([node], [node], [])


@case("Metadata")
async def case_metadata_of_all_topics(kafka: Bench) -> None:
    """Asked for all topics (null), the broker names each; asked for none (empty), none."""
    made = {await kafka.topic("a"), await kafka.topic("b")}
    everything = MetadataRequest(topics=None, allow_auto_topic_creation=False)
    answer = await kafka.wire.ask(everything, 5)
    assert made <= {found.name for found in answer.topics}
    assert (await metadata(kafka.wire)).topics == []


@case("Metadata")
async def case_metadata_unknown_topic(kafka: Bench) -> None:
    """An unknown topic is error 3, and is not made when the client does not allow it."""
    for _ in range(2):
        (found,) = (await metadata(kafka.wire, kafka.name("nowhere"))).topics
        assert (found.error_code, found.partitions) == (UnknownTopicOrPartitionError.errno, [])


@case("Metadata", "Produce")
async def case_metadata_creates_topics(kafka: Bench) -> None:
    """An unknown topic is made when the client allows it, and can be written to."""
    topic = kafka.name("made")

    async def has_leader() -> bool:
        (found,) = (await metadata(kafka.wire, topic, create=True)).topics
        return bool(found.error_code == 0 and found.partitions[0].leader_id >= 0)

    await eventually(has_leader)
    made = await produce(kafka.wire, topic, batch(b"first"))
    assert (made.error_code, made.base_offset) == (0, 0)


@case("Metadata")
async def case_metadata_invalid_name(kafka: Bench) -> None:
    """A name with a slash is error 17, and no topic is made of it."""
    (found,) = (await metadata(kafka.wire, "no/such-name", create=True)).topics
    assert found.error_code == INVALID_TOPIC


@case("Metadata")
async def case_metadata_of_a_topic_named_twice(kafka: Bench) -> None:
    """A topic that is named several times, by name or by id, is answered once."""
    topic = await kafka.topic()
    answer = await metadata(kafka.wire, topic, topic, topic)
    assert [found.name for found in answer.topics] == [topic]
    wanted = MetadataRequest.MetadataRequestTopic(name=None, topic_id=await kafka.topic_id(topic))
    by_id = MetadataRequest(topics=[wanted, wanted], allow_auto_topic_creation=False)
    answer = await kafka.wire.ask(by_id, 12)
    assert [found.name for found in answer.topics] == [topic]
