"""What outlives a broker's stop and start, and how clients get over it."""

import time

from aiokafka import TopicPartition

from tests.contract.asking import (
    EARLIEST,
    LATEST,
    delete_records,
    list_offset,
    produce,
    producer_id,
)
from tests.contract.batches import batch
from tests.contract.bench import Bench, read
from tests.contract.cases.group_protocol import find_coordinator
from tests.contract.member import commit, committed
from tests.contract.registry import case
from tests.contract.waiting import eventually


async def restart(kafka: Bench) -> None:
    """Stop and start the broker; `kafka.wire` is a new connection afterwards."""
    await kafka.broker.stop()
    await kafka.broker.start()
    await kafka.connect_anew()


@case("Produce", "ListOffsets", "OffsetCommit", "OffsetFetch", "InitProducerId")
async def case_restart_keeps_everything(kafka: Bench) -> None:
    """Records, cuts, commits and producers' sequence numbers outlive a restart; new producer ids
    are new.
    """
    topic, group = await kafka.topic(), kafka.name("g")
    pid = await producer_id(kafka.wire)
    now_ms = int(time.time() * 1000)  # producers last seen long ago are forgotten over a restart
    first = batch(b"a", b"b", b"c", producer_id=pid, epoch=0, sequence=0, at_ms=now_ms)
    assert (await produce(kafka.wire, topic, first)).base_offset == 0
    await delete_records(kafka.wire, topic, 1)
    await find_coordinator(kafka, group)
    assert await commit(kafka.wire, group, topic, 2, metadata="kept") == 0
    await restart(kafka)

    async def led() -> bool:
        return bool((await list_offset(kafka.wire, topic, LATEST)).offset == 3)

    await eventually(led)
    assert (await list_offset(kafka.wire, topic, EARLIEST)).offset == 1
    again = await produce(kafka.wire, topic, first)
    assert (again.error_code, again.base_offset) == (0, 0)
    assert (await list_offset(kafka.wire, topic, LATEST)).offset == 3
    assert await producer_id(kafka.wire) != pid
    await find_coordinator(kafka, group)
    assert await committed(kafka.wire, group, topic) == (2, "kept", 0)


@case("Produce", "Fetch", "JoinGroup", "Heartbeat")
async def case_clients_get_over_a_restart(kafka: Bench) -> None:
    """A producer and a group's consumer that live through a restart go on without help."""
    topic = await kafka.topic()
    producer = await kafka.producer(enable_idempotence=True)
    consumer = await kafka.consumer(topic, group_id=kafka.name("g"))
    await producer.send_and_wait(topic, b"before")
    assert [record.value for record in await read(consumer, 1)] == [b"before"]
    await restart(kafka)
    await producer.send_and_wait(topic, b"after")
    found = await read(consumer, 1, deadline_s=60.0)
    assert [(record.offset, record.value) for record in found] == [(1, b"after")]
    await consumer.commit({TopicPartition(topic, 0): 2})
