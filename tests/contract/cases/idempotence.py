"""Producer ids, epochs and sequence numbers: retries that write nothing twice."""

from kafka.protocol.producer import InitProducerIdRequest

from tests.contract.asking import LATEST, init_producer_id, list_offset, produce, producer_id
from tests.contract.batches import batch
from tests.contract.bench import Bench
from tests.contract.registry import case

OUT_OF_ORDER_SEQUENCE = 45
INVALID_PRODUCER_EPOCH = 47


@case("InitProducerId")
async def case_producer_ids_every_version(kafka: Bench) -> None:
    """InitProducerId answers at every version it advertises, with another id each time, at
    epoch 0.
    """
    given = set()
    versions = await kafka.versions(InitProducerIdRequest)
    await producer_id(kafka.wire)
    for version in versions:
        answer = await init_producer_id(kafka.wire, version=version)
        assert (answer.error_code, answer.producer_epoch) == (0, 0)
        assert answer.producer_id >= 0
        given.add(answer.producer_id)
    assert len(given) == len(versions)


@case("InitProducerId", "Produce")
async def case_duplicate_is_written_once(kafka: Bench) -> None:
    """A batch sent again under its sequence number is acknowledged with its first offset, not
    written again.
    """
    topic = await kafka.topic()
    pid = await producer_id(kafka.wire)
    for sequence, expected in ((0, 0), (2, 2), (0, 0), (2, 2)):
        made = await produce(
            kafka.wire, topic, batch(b"a", b"b", producer_id=pid, epoch=0, sequence=sequence)
        )
        assert (made.error_code, made.base_offset) == (0, expected)
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 4


@case("Produce")
async def case_sequence_gap_is_refused(kafka: Bench) -> None:
    """A sequence number that skips is error 45, and nothing is written."""
    topic = await kafka.topic()
    pid = await producer_id(kafka.wire)
    await produce(kafka.wire, topic, batch(b"a", producer_id=pid, epoch=0, sequence=0))
    made = await produce(kafka.wire, topic, batch(b"c", producer_id=pid, epoch=0, sequence=2))
    assert (made.error_code, made.base_offset) == (OUT_OF_ORDER_SEQUENCE, -1)
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 1


@case("Produce")
async def case_sequences_are_per_partition(kafka: Bench) -> None:
    """Each partition counts a producer's sequence numbers for itself."""
    topic = await kafka.topic(partitions=2)
    pid = await producer_id(kafka.wire)
    for partition in (0, 1):
        made = await produce(
            kafka.wire,
            topic,
            batch(b"a", producer_id=pid, epoch=0, sequence=0),
            partition=partition,
        )
        assert (made.error_code, made.base_offset) == (0, 0)


@case("Produce")
async def case_old_epoch_is_fenced(kafka: Bench) -> None:
    """A producer at an older epoch is error 47; a new epoch begins at sequence 0."""
    topic = await kafka.topic()
    pid = await producer_id(kafka.wire)
    for epoch, sequence, expected in (
        (0, 0, 0),
        (1, 5, OUT_OF_ORDER_SEQUENCE),
        (1, 0, 0),
        (0, 1, INVALID_PRODUCER_EPOCH),
    ):
        made = await produce(
            kafka.wire, topic, batch(b"a", producer_id=pid, epoch=epoch, sequence=sequence)
        )
        assert made.error_code == expected
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 2
