"""The interface on aiokafka."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaError, ProducerFenced, for_code
from aiokafka.structs import OffsetAndMetadata

from tests.contract.clients.interface import Admin, Consumer, Producer
from tests.contract.clients.settings import ConsumerSettings, ProducerSettings
from tests.contract.clients.terms import Committed, Outgoing, Record, Refused, Where, Written

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}
NONE_COMMITTED = -1
KAFKAS_CODES = {ProducerFenced: 90}
"""Where aiokafka has an error without Kafka's code."""


@contextmanager
def refusals() -> Iterator[None]:
    """aiokafka's errors as `Refused`."""
    try:
        yield
    except KafkaError as error:
        code = KAFKAS_CODES.get(type(error), getattr(error, "errno", None))
        raise Refused(code, repr(error)) from error


async def open_producer(bootstrap: str, settings: ProducerSettings) -> Producer:
    """A started producer; a transactional one has its producer id."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=settings.compression,
        linger_ms=settings.linger_ms,
        max_batch_size=settings.batch_bytes,
        max_request_size=settings.request_bytes_max,
        acks=settings.acks,
        enable_idempotence=settings.idempotent,
        transactional_id=settings.transactional_id,
        transaction_timeout_ms=settings.transaction_timeout_ms,
        **settings.login,
    )
    try:
        with refusals():
            await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return AiokafkaProducer(producer)


class AiokafkaProducer(Producer):
    """Writes through an `AIOKafkaProducer`."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def send_many(self, records: Sequence[Outgoing]) -> list[Written]:
        with refusals():
            waiting = [await self._hand_over(record) for record in records]
            answers = [await each for each in waiting]
        return [Written(found.topic, found.partition, found.offset) for found in answers]

    async def _hand_over(self, record: Outgoing) -> "asyncio.Future[Any]":
        sent: asyncio.Future[Any] = await self._producer.send(
            record.topic,
            record.value,
            key=record.key,
            headers=list(record.headers),
            partition=record.partition,
            timestamp_ms=record.timestamp_ms,
        )
        return sent

    async def begin(self) -> None:
        with refusals():
            await self._producer.begin_transaction()

    async def send_offsets(self, offsets: Mapping[Where, int], consumer: Consumer) -> None:
        assert isinstance(consumer, AiokafkaConsumer)
        wanted = {TopicPartition(*where): offset for where, offset in offsets.items()}
        with refusals():
            await self._producer.send_offsets_to_transaction(wanted, consumer.group)

    async def commit(self) -> None:
        with refusals():
            await self._producer.commit_transaction()

    async def abort(self) -> None:
        with refusals():
            await self._producer.abort_transaction()

    async def _close(self) -> None:
        with refusals():
            await self._producer.stop()


async def open_consumer(bootstrap: str, settings: ConsumerSettings) -> Consumer:
    """A started consumer. aiokafka asks to make topics that it subscribes to, always; and has no
    cooperative assignor.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=settings.group,
        group_instance_id=settings.instance,
        auto_offset_reset=settings.reset,
        enable_auto_commit=settings.auto_commit,
        auto_commit_interval_ms=100,
        isolation_level="read_committed" if settings.committed_only else "read_uncommitted",
        partition_assignment_strategy=(ASSIGNORS[settings.assignor],),
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_interval_ms,
        max_poll_interval_ms=settings.max_poll_interval_ms,
        rebalance_timeout_ms=settings.max_poll_interval_ms,
        max_partition_fetch_bytes=settings.partition_bytes_max,
        metadata_max_age_ms=1_000,
        **settings.login,
    )
    try:
        with refusals():
            await consumer.start()
    except BaseException:
        await consumer.stop()
        raise
    return AiokafkaConsumer(consumer, settings.group)


class Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped in aiokafka
    """Keeps what a consumer gained and lost."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._consumer.gained.append(frozenset(Where(*each) for each in assigned))

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._consumer.lost.append(frozenset(Where(*each) for each in revoked))


class AiokafkaConsumer(Consumer):
    """Reads through an `AIOKafkaConsumer`, which joins its group in the background."""

    poll_s: ClassVar[float] = 0.05

    def __init__(self, consumer: AIOKafkaConsumer, group: str | None) -> None:
        super().__init__()
        self.group = group
        self._consumer = consumer

    async def subscribe(self, *topics: str, pattern: str | None = None) -> None:
        self._consumer.subscribe(topics, pattern=pattern, listener=Rebalances(self))

    async def assign(self, *where: Where, at: int | None = None) -> None:
        self._consumer.assign([TopicPartition(*each) for each in where])
        for each in where if at is not None else ():
            self._consumer.seek(TopicPartition(*each), at)

    async def poll(self, timeout_s: float, *, records_max: int | None = None) -> list[Record]:
        with refusals():
            found = await self._consumer.getmany(
                timeout_ms=int(timeout_s * 1000), max_records=records_max
            )
        return [_record(each) for batch in found.values() for each in batch]

    async def seek(self, where: Where, offset: int) -> None:
        self._consumer.seek(TopicPartition(*where), offset)

    async def position(self, where: Where) -> int:
        with refusals():
            return int(await self._consumer.position(TopicPartition(*where)))

    async def commit(self, offsets: Mapping[Where, Committed] | None = None) -> None:
        wanted = None
        if offsets is not None:
            wanted = {
                TopicPartition(*where): OffsetAndMetadata(kept.offset, kept.metadata)
                for where, kept in offsets.items()
            }
        with refusals():
            await self._consumer.commit(wanted)

    async def committed(self, where: Where) -> Committed | None:
        """aiokafka does not tell the metadata."""
        with refusals():
            offset = await self._consumer.committed(TopicPartition(*where))
        return None if offset is None else Committed(offset)

    async def offsets_for_times(self, times_ms: Mapping[Where, int]) -> dict[Where, int | None]:
        wanted = {TopicPartition(*where): time_ms for where, time_ms in times_ms.items()}
        with refusals():
            found = await self._consumer.offsets_for_times(wanted)
        return {Where(*where): each and each.offset for where, each in found.items()}

    async def beginning_offsets(self, where: Iterable[Where]) -> dict[Where, int]:
        with refusals():
            found = await self._consumer.beginning_offsets(
                [TopicPartition(*each) for each in where]
            )
        return {Where(*each): offset for each, offset in found.items()}

    async def end_offsets(self, where: Iterable[Where]) -> dict[Where, int]:
        wanted = [TopicPartition(*each) for each in where]
        with refusals():
            found = await self._consumer.end_offsets(wanted)
        return {Where(*each): offset for each, offset in found.items()}

    async def assignment(self) -> frozenset[Where]:
        return frozenset(Where(*each) for each in self._consumer.assignment())

    async def pause(self, *where: Where) -> None:
        self._consumer.pause(*(TopicPartition(*each) for each in where))

    async def resume(self, *where: Where) -> None:
        self._consumer.resume(*(TopicPartition(*each) for each in where))

    async def _close(self) -> None:
        with refusals():
            await self._consumer.stop()


def _record(found: Any) -> Record:
    return Record(
        found.topic,
        found.partition,
        found.offset,
        found.key,
        found.value,
        tuple(found.headers),
        found.timestamp,
        found.timestamp_type,
    )


async def open_admin(bootstrap: str, login: Mapping[str, str]) -> Admin:
    """A started admin client."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **login)
    with refusals():
        await admin.start()
    return AiokafkaAdmin(admin)


def _check(code: int, text: str) -> None:
    if code != 0:
        raise for_code(code)(text)


class AiokafkaAdmin(Admin):
    """Asks through an `AIOKafkaAdminClient`, which leaves the reading of answers to its user."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def create_topic(
        self, topic: str, *, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        wanted = NewTopic(topic, partitions, 1, topic_configs=dict(config or {}))
        with refusals():
            answer = await self._admin.create_topics([wanted])
            for name, code, *_ in answer.topic_errors:
                _check(code, name)

    async def delete_topic(self, topic: str) -> None:
        with refusals():
            answer = await self._admin.delete_topics([topic])
            for name, code, *_ in answer.topic_error_codes:
                _check(code, name)

    async def topics(self) -> set[str]:
        with refusals():
            return set(await self._admin.list_topics())

    async def topic_settings(self, topic: str) -> dict[str, str | None]:
        wanted = ConfigResource(ConfigResourceType.TOPIC, topic)
        with refusals():
            (answer,) = await self._admin.describe_configs([wanted])
            ((code, text, _, name, entries),) = answer.resources
            _check(code, f"{name}: {text}")
        return {entry[0]: entry[1] for entry in entries}

    async def alter_topic(self, topic: str, config: Mapping[str, str]) -> None:
        wanted = ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict(config))
        with refusals():
            (answer,) = await self._admin.alter_configs([wanted])
            ((code, text, _, name),) = answer.resources
            _check(code, f"{name}: {text}")

    async def add_partitions(self, topic: str, total: int) -> None:
        with refusals():
            await self._admin.create_partitions({topic: NewPartitions(total)})

    async def groups(self) -> set[str]:
        with refusals():
            return {found[0] for found in await self._admin.list_consumer_groups()}

    async def group(self, group: str) -> tuple[str, int]:
        with refusals():
            (answer,) = await self._admin.describe_consumer_groups([group])
            (found,) = answer.groups
            _check(found[0], group)
        return found[2], len(found[5])

    async def group_offsets(self, group: str) -> dict[Where, Committed]:
        with refusals():
            found = await self._admin.list_consumer_group_offsets(group)
        return {
            Where(*where): Committed(kept.offset, kept.metadata)
            for where, kept in found.items()
            if kept.offset != NONE_COMMITTED
        }

    async def delete_group(self, group: str) -> None:
        raise NotImplementedError("aiokafka deletes no groups; leave it out of the case")

    async def delete_records(self, where: Where, before_offset: int) -> int:
        place = TopicPartition(*where)
        with refusals():
            found = await self._admin.delete_records({place: RecordsToDelete(before_offset)})
        return int(found[place])

    async def _close(self) -> None:
        await self._admin.close()
