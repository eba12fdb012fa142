"""The interface on kafka-python, which blocks: each client works on a thread of its own."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    TopicPartition,
    errors,
)
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from tests.contract.clients.interface import ANSWER_TIMEOUT_S, Admin, Consumer, Producer
from tests.contract.clients.own_thread import OwnThread
from tests.contract.clients.settings import ConsumerSettings, ProducerSettings
from tests.contract.clients.terms import Committed, Outgoing, Record, Refused, Where, Written

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "cooperative": CooperativeStickyAssignor,
}
RECONNECT_BACKOFF_MS_MAX = 500
TOLD_CODE = re.compile(r"\[Error (\d+)\]")


@contextmanager
def refusals() -> Iterator[None]:
    """kafka-python's errors as `Refused`."""
    try:
        yield
    except KafkaError as error:
        raise Refused(getattr(error, "errno", None), repr(error)) from error


async def open_producer(bootstrap: str, settings: ProducerSettings) -> Producer:
    """A producer; a transactional one has its producer id."""
    thread = OwnThread("producer")
    chosen = {} if settings.transactional_id is None else _transactional(settings)
    with refusals():
        producer = await thread.run(
            KafkaProducer,
            bootstrap_servers=bootstrap,
            compression_type=settings.compression,
            linger_ms=settings.linger_ms,
            batch_size=settings.batch_bytes,
            max_request_size=settings.request_bytes_max,
            acks=settings.acks,
            enable_idempotence=settings.idempotent or settings.transactional_id is not None,
            reconnect_backoff_max_ms=RECONNECT_BACKOFF_MS_MAX,
            **chosen,
            **settings.login,
        )
    opened = KafkaPythonProducer(producer, thread)
    if settings.transactional_id is not None:
        try:
            with refusals():
                await thread.run(producer.init_transactions)
        except BaseException:
            await opened.close()
            raise
    return opened


def _transactional(settings: ProducerSettings) -> dict[str, Any]:
    return {
        "transactional_id": settings.transactional_id,
        "transaction_timeout_ms": settings.transaction_timeout_ms,
    }


class KafkaPythonProducer(Producer):
    """Writes through a `KafkaProducer`."""

    def __init__(self, producer: KafkaProducer, thread: OwnThread) -> None:
        self._producer = producer
        self._thread = thread

    async def send_many(self, records: Sequence[Outgoing]) -> list[Written]:
        with refusals():
            return await self._thread.run(self._send_many, records)

    def _send_many(self, records: Sequence[Outgoing]) -> list[Written]:
        waiting = [
            self._producer.send(
                record.topic,
                record.value,
                key=record.key,
                headers=list(record.headers),
                partition=record.partition,
                timestamp_ms=record.timestamp_ms,
            )
            for record in records
        ]
        answers = [each.get(timeout=ANSWER_TIMEOUT_S) for each in waiting]
        return [Written(found.topic, found.partition, found.offset) for found in answers]

    async def begin(self) -> None:
        with refusals():
            await self._thread.run(self._producer.begin_transaction)

    async def send_offsets(self, offsets: Mapping[Where, int], consumer: Consumer) -> None:
        assert isinstance(consumer, KafkaPythonConsumer)
        wanted = {
            TopicPartition(*where): OffsetAndMetadata(offset, "", -1)
            for where, offset in offsets.items()
        }
        with refusals():
            member = await consumer.group_metadata()
            await self._thread.run(self._producer.send_offsets_to_transaction, wanted, member)

    async def commit(self) -> None:
        with refusals():
            await self._thread.run(self._producer.commit_transaction)

    async def abort(self) -> None:
        with refusals():
            await self._thread.run(self._producer.abort_transaction)

    async def _close(self) -> None:
        with refusals():
            await self._thread.run(self._producer.close, timeout=ANSWER_TIMEOUT_S)
        self._thread.end()


async def open_consumer(bootstrap: str, settings: ConsumerSettings) -> Consumer:
    """A consumer that is connected."""
    thread = OwnThread("consumer")
    with refusals():
        consumer = await thread.run(
            KafkaConsumer,
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
            max_partition_fetch_bytes=settings.partition_bytes_max,
            allow_auto_create_topics=settings.may_create_topics,
            metadata_max_age_ms=1_000,
            reconnect_backoff_max_ms=RECONNECT_BACKOFF_MS_MAX,
            **settings.login,
        )
    return KafkaPythonConsumer(consumer, thread)


class Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped in kafka-python
    """Keeps what a consumer gained and lost."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._consumer.gained.append(frozenset(Where(*each) for each in assigned))

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._consumer.lost.append(frozenset(Where(*each) for each in revoked))


class KafkaPythonConsumer(Consumer):
    """Reads through a `KafkaConsumer`, which joins its group while it is polled."""

    poll_s: ClassVar[float] = 1.0
    """A shorter poll that ends between JoinGroup and SyncGroup may lose its assignment (3.0.12)."""

    def __init__(self, consumer: KafkaConsumer, thread: OwnThread) -> None:
        super().__init__()
        self._consumer = consumer
        self._thread = thread

    async def subscribe(self, *topics: str, pattern: str | None = None) -> None:
        listener = Rebalances(self)
        await self._thread.run(self._consumer.subscribe, topics, pattern=pattern, listener=listener)

    async def assign(self, *where: Where, at: int | None = None) -> None:
        await self._thread.run(self._consumer.assign, [TopicPartition(*each) for each in where])
        for each in where if at is not None else ():
            await self.seek(each, at)

    async def poll(self, timeout_s: float, *, records_max: int | None = None) -> list[Record]:
        with refusals():
            found = await self._thread.run(
                self._consumer.poll, timeout_ms=int(timeout_s * 1000), max_records=records_max
            )
        return [_record(each) for batch in found.values() for each in batch]

    async def seek(self, where: Where, offset: int) -> None:
        await self._thread.run(self._consumer.seek, TopicPartition(*where), offset)

    async def position(self, where: Where) -> int:
        with refusals():
            return int(await self._thread.run(self._consumer.position, TopicPartition(*where)))

    async def commit(self, offsets: Mapping[Where, Committed] | None = None) -> None:
        wanted = None
        if offsets is not None:
            wanted = {
                TopicPartition(*where): OffsetAndMetadata(kept.offset, kept.metadata, -1)
                for where, kept in offsets.items()
            }
        with refusals():
            await self._thread.run(self._consumer.commit, wanted)

    async def committed(self, where: Where) -> Committed | None:
        with refusals():
            kept = await self._thread.run(
                self._consumer.committed, TopicPartition(*where), metadata=True
            )
        return None if kept is None else Committed(kept.offset, kept.metadata)

    async def offsets_for_times(self, times_ms: Mapping[Where, int]) -> dict[Where, int | None]:
        wanted = {TopicPartition(*where): time_ms for where, time_ms in times_ms.items()}
        with refusals():
            found = await self._thread.run(self._consumer.offsets_for_times, wanted)
        return {Where(*where): each and each.offset for where, each in found.items()}

    async def beginning_offsets(self, where: Iterable[Where]) -> dict[Where, int]:
        wanted = [TopicPartition(*each) for each in where]
        with refusals():
            found = await self._thread.run(self._consumer.beginning_offsets, wanted)
        return {Where(*each): offset for each, offset in found.items()}

    async def end_offsets(self, where: Iterable[Where]) -> dict[Where, int]:
        wanted = [TopicPartition(*each) for each in where]
        with refusals():
            found = await self._thread.run(self._consumer.end_offsets, wanted)
        return {Where(*each): offset for each, offset in found.items()}

    async def assignment(self) -> frozenset[Where]:
        held = await self._thread.run(self._consumer.assignment)
        return frozenset(Where(*each) for each in held or ())

    async def pause(self, *where: Where) -> None:
        await self._thread.run(self._consumer.pause, *(TopicPartition(*each) for each in where))

    async def resume(self, *where: Where) -> None:
        await self._thread.run(self._consumer.resume, *(TopicPartition(*each) for each in where))

    async def group_metadata(self) -> Any:
        """Who this member is, for a transaction that commits its offsets."""
        return await self._thread.run(self._consumer.group_metadata)

    async def _close(self) -> None:
        with refusals():
            await self._thread.run(self._consumer.close)
        self._thread.end()


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
    """An admin client that is connected."""
    thread = OwnThread("admin")
    with refusals():
        admin = await thread.run(KafkaAdminClient, bootstrap_servers=bootstrap, **login)
    return KafkaPythonAdmin(admin, thread)


class KafkaPythonAdmin(Admin):
    """Asks through a `KafkaAdminClient`."""

    def __init__(self, admin: KafkaAdminClient, thread: OwnThread) -> None:
        self._admin = admin
        self._thread = thread

    async def create_topic(
        self, topic: str, *, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        wanted = {
            "num_partitions": partitions,
            "replication_factor": 1,
            "configs": dict(config or {}),
        }
        with refusals():
            await self._thread.run(self._admin.create_topics, {topic: wanted})

    async def delete_topic(self, topic: str) -> None:
        with refusals():
            await self._thread.run(self._admin.delete_topics, [topic])

    async def topics(self) -> set[str]:
        with refusals():
            return set(await self._thread.run(self._admin.list_topics))

    async def topic_settings(self, topic: str) -> dict[str, str | None]:
        wanted = ConfigResource(ConfigResourceType.TOPIC, topic)
        with refusals():
            found = await self._thread.run(
                self._admin.describe_configs, [wanted], config_filter="all"
            )
        return {name: each["value"] for name, each in found["topic"][topic].items()}

    async def alter_topic(self, topic: str, config: Mapping[str, str]) -> None:
        wanted = ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict(config))
        with refusals():
            done = await self._thread.run(
                self._admin.alter_configs, [wanted], raise_on_unknown=False
            )
        if refused := TOLD_CODE.match(done["topic"][topic]):
            raise Refused(int(refused[1]), done["topic"][topic])

    async def add_partitions(self, topic: str, total: int) -> None:
        with refusals():
            await self._thread.run(self._admin.create_partitions, {topic: total})

    async def groups(self) -> set[str]:
        with refusals():
            found = await self._thread.run(self._admin.list_groups)
        return {each["group_id"] for each in found}

    async def group(self, group: str) -> tuple[str, int]:
        with refusals():
            found = await self._thread.run(self._admin.describe_groups, [group])
        return found[group]["group_state"], len(found[group]["members"])

    async def group_offsets(self, group: str) -> dict[Where, Committed]:
        with refusals():
            found = await self._thread.run(self._admin.list_group_offsets, group)
        return {
            Where(*where): Committed(kept.offset, kept.metadata)
            for where, kept in found[group].items()
        }

    async def delete_group(self, group: str) -> None:
        with refusals():
            done = await self._thread.run(self._admin.delete_groups, [group])
            if done[group] != "OK":
                raise getattr(errors, done[group])

    async def delete_records(self, where: Where, before_offset: int) -> int:
        wanted = TopicPartition(*where)
        with refusals():
            found = await self._thread.run(self._admin.delete_records, {wanted: before_offset})
        return int(found[wanted]["low_watermark"])

    async def _close(self) -> None:
        await self._thread.run(self._admin.close)
        self._thread.end()
