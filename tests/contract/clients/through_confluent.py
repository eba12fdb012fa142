"""The interface on confluent-kafka, which is librdkafka: its own threads, its own sockets, so real
time only.

Its calls may block: each client works on a thread of its own.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from tests.contract.clients.interface import ANSWER_TIMEOUT_S, Admin, Consumer, Producer
from tests.contract.clients.own_thread import OwnThread
from tests.contract.clients.settings import ConsumerSettings, ProducerSettings
from tests.contract.clients.terms import Committed, Outgoing, Record, Refused, Where, Written

ASSIGNORS = {"range": "range", "roundrobin": "roundrobin", "cooperative": "cooperative-sticky"}
RESETS = {"earliest": "earliest", "latest": "latest", "none": "error"}
KAFKAS_CODES = {
    KafkaError._AUTO_OFFSET_RESET: 1,  # OFFSET_OUT_OF_RANGE
    KafkaError._UNKNOWN_PARTITION: 3,
    KafkaError._UNKNOWN_TOPIC: 3,
    KafkaError._FENCED: 90,
}
"""Where librdkafka has a code of its own for what Kafka answered."""

PASSES_BY = {KafkaError._MAX_POLL_EXCEEDED, KafkaError.UNKNOWN_TOPIC_OR_PART}
"""What a poll tells and another poll heals; the other clients only log it."""

RECORDS_PER_POLL_MAX = 500
SEEK_TIMEOUT_S = 10.0
SEEK_AGAIN_AFTER_S = 0.02


def _refused(error: KafkaError) -> Refused:
    code = error.code()
    return Refused(KAFKAS_CODES.get(code, code if code >= 0 else None), error.str())


@contextmanager
def refusals() -> Iterator[None]:
    """librdkafka's errors as `Refused`."""
    try:
        yield
    except KafkaException as error:
        raise _refused(error.args[0]) from error


def _common(bootstrap: str, login: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bootstrap.servers": bootstrap,
        "broker.address.family": "v4",
        "reconnect.backoff.max.ms": 500,
        "log_level": 0,
        "error_cb": lambda error: None,  # each call tells its own; without, they go to stderr
    }
    if login:
        options |= {
            "security.protocol": login["security_protocol"],
            "sasl.mechanism": login["sasl_mechanism"],
            "sasl.username": login["sasl_plain_username"],
            "sasl.password": login["sasl_plain_password"],
        }
    return options


async def open_producer(bootstrap: str, settings: ProducerSettings) -> Producer:
    """A producer; a transactional one has its producer id."""
    options = {
        **_common(bootstrap, settings.login),
        "compression.type": settings.compression or "none",
        "linger.ms": settings.linger_ms,
        "batch.size": settings.batch_bytes,
        "message.max.bytes": settings.request_bytes_max,
        "acks": settings.acks,
        "enable.idempotence": settings.idempotent or settings.transactional_id is not None,
    }
    if settings.transactional_id is not None:
        options["transactional.id"] = settings.transactional_id
        options["transaction.timeout.ms"] = settings.transaction_timeout_ms
    producer = confluent_kafka.Producer(options)
    opened = ConfluentProducer(producer, OwnThread("producer"))
    if settings.transactional_id is not None:
        await opened.init_transactions()
    return opened


class ConfluentProducer(Producer):
    """Writes through confluent-kafka's `Producer`."""

    def __init__(self, producer: confluent_kafka.Producer, thread: OwnThread) -> None:
        self._producer = producer
        self._thread = thread

    async def init_transactions(self) -> None:
        """Get the producer id of a transactional producer."""
        with refusals():
            await self._thread.run(self._producer.init_transactions, ANSWER_TIMEOUT_S)

    async def send_many(self, records: Sequence[Outgoing]) -> list[Written]:
        with refusals():
            return await self._thread.run(self._send_many, records)

    def _send_many(self, records: Sequence[Outgoing]) -> list[Written]:
        answers: dict[int, Any] = {}
        for number, record in enumerate(records):
            self._producer.produce(record.topic, **_arguments(record), **_telling(answers, number))
            self._producer.poll(0)
        self._producer.flush(ANSWER_TIMEOUT_S)
        for error, _ in answers.values():
            if error is not None:
                raise KafkaException(error)
        found = [answers[number][1] for number in range(len(records))]
        return [Written(each.topic(), each.partition(), each.offset()) for each in found]

    async def begin(self) -> None:
        with refusals():
            await self._thread.run(self._producer.begin_transaction)

    async def send_offsets(self, offsets: Mapping[Where, int], consumer: Consumer) -> None:
        assert isinstance(consumer, ConfluentConsumer)
        wanted = [TopicPartition(*where, offset) for where, offset in offsets.items()]
        with refusals():
            member = await consumer.group_metadata()
            await self._thread.run(
                self._producer.send_offsets_to_transaction, wanted, member, ANSWER_TIMEOUT_S
            )

    async def commit(self) -> None:
        with refusals():
            await self._thread.run(self._producer.commit_transaction, ANSWER_TIMEOUT_S)

    async def abort(self) -> None:
        with refusals():
            await self._thread.run(self._producer.abort_transaction, ANSWER_TIMEOUT_S)

    async def _close(self) -> None:
        with suppress(KafkaException):  # a fatal one, which was told when it happened
            await self._thread.run(self._producer.flush, ANSWER_TIMEOUT_S)
        self._thread.end()


def _arguments(record: Outgoing) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "value": record.value,
        "key": record.key,
        "headers": list(record.headers),
    }
    if record.partition is not None:
        arguments["partition"] = record.partition
    if record.timestamp_ms is not None:
        arguments["timestamp"] = record.timestamp_ms
    return arguments


def _telling(answers: dict[int, Any], number: int) -> dict[str, Callable[..., None]]:
    def delivered(error: KafkaError | None, message: Any) -> None:
        answers[number] = (error, message)

    return {"on_delivery": delivered}


async def open_consumer(bootstrap: str, settings: ConsumerSettings) -> Consumer:
    """A consumer, which connects when it is first asked for something."""
    options = {
        **_common(bootstrap, settings.login),
        "group.id": settings.group or f"alone-{uuid.uuid4()}",  # librdkafka cannot be in none
        "auto.offset.reset": RESETS[settings.reset],
        "enable.auto.commit": settings.auto_commit,
        "auto.commit.interval.ms": 100,
        "isolation.level": "read_committed" if settings.committed_only else "read_uncommitted",
        "partition.assignment.strategy": ASSIGNORS[settings.assignor],
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_interval_ms,
        "max.poll.interval.ms": max(settings.max_poll_interval_ms, settings.session_timeout_ms),
        "max.partition.fetch.bytes": settings.partition_bytes_max,
        "allow.auto.create.topics": settings.may_create_topics,
        "topic.metadata.refresh.interval.ms": 1_000,
        "fetch.error.backoff.ms": 50,
    }
    if settings.instance is not None:
        options["group.instance.id"] = settings.instance
    return ConfluentConsumer(confluent_kafka.Consumer(options), OwnThread("consumer"))


class ConfluentConsumer(Consumer):
    """Reads through confluent-kafka's `Consumer`, which answers for rebalances while polled."""

    poll_s: ClassVar[float] = 0.1

    def __init__(self, consumer: confluent_kafka.Consumer, thread: OwnThread) -> None:
        super().__init__()
        self._consumer = consumer
        self._thread = thread

    async def subscribe(self, *topics: str, pattern: str | None = None) -> None:
        wanted = list(topics) if pattern is None else [f"^{pattern}"]
        with refusals():
            await self._thread.run(
                self._consumer.subscribe,
                wanted,
                on_assign=lambda _, gained: self.gained.append(_places(gained)),
                on_revoke=lambda _, lost: self.lost.append(_places(lost)),
                on_lost=lambda _, lost: self.lost.append(_places(lost)),
            )

    async def assign(self, *where: Where, at: int | None = None) -> None:
        begin = confluent_kafka.OFFSET_STORED if at is None else at
        wanted = [TopicPartition(*each, begin) for each in where]
        with refusals():
            await self._thread.run(self._consumer.assign, wanted)

    async def poll(self, timeout_s: float, *, records_max: int | None = None) -> list[Record]:
        with refusals():
            found = await self._thread.run(self._poll, timeout_s, records_max)
        return [_record(each) for each in found]

    def _poll(self, timeout_s: float, records_max: int | None) -> list[Any]:
        """Wait for the first record, then take what is there."""
        first = self._consumer.poll(timeout_s)
        if first is None or (first.error() and first.error().code() in PASSES_BY):
            return []
        rest_max = (records_max or RECORDS_PER_POLL_MAX) - 1
        rest = self._consumer.consume(rest_max, 0) if rest_max else []
        for each in (first, *rest):
            if each.error() is not None:
                raise KafkaException(each.error())
        return [first, *rest]

    async def seek(self, where: Where, offset: int) -> None:
        with refusals():
            await self._thread.run(self._seek, TopicPartition(*where, offset))

    def _seek(self, wanted: TopicPartition) -> None:
        """Seek as soon as the partition is fetched from; before that librdkafka refuses to."""
        deadline = time.monotonic() + SEEK_TIMEOUT_S
        while True:
            try:
                return self._consumer.seek(wanted)
            except KafkaException as error:
                if error.args[0].code() != KafkaError._STATE or time.monotonic() > deadline:
                    raise
            time.sleep(SEEK_AGAIN_AFTER_S)

    async def position(self, where: Where) -> int:
        with refusals():
            (found,) = await self._thread.run(self._consumer.position, [TopicPartition(*where)])
        return int(found.offset)

    async def commit(self, offsets: Mapping[Where, Committed] | None = None) -> None:
        chosen = {}
        if offsets is not None:
            chosen["offsets"] = [
                TopicPartition(*where, kept.offset, kept.metadata)
                for where, kept in offsets.items()
            ]
        with refusals():
            await self._thread.run(self._consumer.commit, asynchronous=False, **chosen)

    async def committed(self, where: Where) -> Committed | None:
        wanted = [TopicPartition(*where)]
        with refusals():
            (kept,) = await self._thread.run(self._consumer.committed, wanted, ANSWER_TIMEOUT_S)
        return Committed(kept.offset, kept.metadata or "") if kept.offset >= 0 else None

    async def offsets_for_times(self, times_ms: Mapping[Where, int]) -> dict[Where, int | None]:
        wanted = [TopicPartition(*where, time_ms) for where, time_ms in times_ms.items()]
        with refusals():
            found = await self._thread.run(
                self._consumer.offsets_for_times, wanted, ANSWER_TIMEOUT_S
            )
        return {
            Where(each.topic, each.partition): each.offset if each.offset >= 0 else None
            for each in found
        }

    async def beginning_offsets(self, where: Iterable[Where]) -> dict[Where, int]:
        return {each: (await self._ends(each))[0] for each in where}

    async def end_offsets(self, where: Iterable[Where]) -> dict[Where, int]:
        return {each: (await self._ends(each))[1] for each in where}

    async def _ends(self, where: Where) -> tuple[int, int]:
        with refusals():
            found: tuple[int, int] = await self._thread.run(
                self._consumer.get_watermark_offsets, TopicPartition(*where), ANSWER_TIMEOUT_S
            )
        return found

    async def assignment(self) -> frozenset[Where]:
        with refusals():
            return _places(await self._thread.run(self._consumer.assignment))

    async def pause(self, *where: Where) -> None:
        with refusals():
            await self._thread.run(self._consumer.pause, [TopicPartition(*each) for each in where])

    async def resume(self, *where: Where) -> None:
        with refusals():
            await self._thread.run(self._consumer.resume, [TopicPartition(*each) for each in where])

    async def group_metadata(self) -> Any:
        """Who this member is, for a transaction that commits its offsets."""
        return await self._thread.run(self._consumer.consumer_group_metadata)

    async def _close(self) -> None:
        await self._thread.run(self._consumer.close)
        self._thread.end()


def _places(found: Iterable[TopicPartition]) -> frozenset[Where]:
    return frozenset(Where(each.topic, each.partition) for each in found)


def _record(found: Any) -> Record:
    kind, timestamp_ms = found.timestamp()
    return Record(
        found.topic(),
        found.partition(),
        found.offset(),
        found.key(),
        found.value(),
        tuple(found.headers() or ()),
        timestamp_ms,
        kind - confluent_kafka.TIMESTAMP_CREATE_TIME,
    )


async def open_admin(bootstrap: str, login: Mapping[str, str]) -> Admin:
    """An admin client."""
    return ConfluentAdmin(AdminClient(_common(bootstrap, login)), OwnThread("admin"))


class ConfluentAdmin(Admin):
    """Asks through confluent-kafka's `AdminClient`."""

    def __init__(self, admin: AdminClient, thread: OwnThread) -> None:
        self._admin = admin
        self._thread = thread

    async def _one(self, ask: Callable[..., Any], *wanted: Any) -> Any:
        """The result of a question about one thing; `ask` returns its future, alone or by name."""

        def asked() -> Any:
            answer = ask(*wanted)
            future = next(iter(answer.values())) if isinstance(answer, dict) else answer
            return future.result(ANSWER_TIMEOUT_S)

        with refusals():
            return await self._thread.run(asked)

    async def create_topic(
        self, topic: str, *, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        wanted = NewTopic(topic, partitions, 1, config=dict(config or {}))
        await self._one(self._admin.create_topics, [wanted])

    async def delete_topic(self, topic: str) -> None:
        await self._one(self._admin.delete_topics, [topic])

    async def topics(self) -> set[str]:
        with refusals():
            found = await self._thread.run(self._admin.list_topics, timeout=ANSWER_TIMEOUT_S)
        return set(found.topics)

    async def topic_settings(self, topic: str) -> dict[str, str | None]:
        wanted = ConfigResource(ResourceType.TOPIC, topic)
        found = await self._one(self._admin.describe_configs, [wanted])
        return {name: entry.value for name, entry in found.items()}

    async def alter_topic(self, topic: str, config: Mapping[str, str]) -> None:
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in config.items()
        ]
        wanted = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
        await self._one(self._admin.incremental_alter_configs, [wanted])

    async def add_partitions(self, topic: str, total: int) -> None:
        await self._one(self._admin.create_partitions, [NewPartitions(topic, total)])

    async def groups(self) -> set[str]:
        found = await self._one(self._admin.list_consumer_groups)
        return {each.group_id for each in found.valid}

    async def group(self, group: str) -> tuple[str, int]:
        """The state is spelt as Kafka spells it: `PreparingRebalance`, not `PREPARING_...`."""
        found = await self._one(self._admin.describe_consumer_groups, [group])
        words = found.state.name.split("_")
        return "".join(word.capitalize() for word in words), len(found.members)

    async def group_offsets(self, group: str) -> dict[Where, Committed]:
        wanted = confluent_kafka.ConsumerGroupTopicPartitions(group)
        found = await self._one(self._admin.list_consumer_group_offsets, [wanted])
        return {
            Where(each.topic, each.partition): Committed(each.offset, each.metadata or "")
            for each in found.topic_partitions
        }

    async def delete_group(self, group: str) -> None:
        await self._one(self._admin.delete_consumer_groups, [group])

    async def delete_records(self, where: Where, before_offset: int) -> int:
        wanted = TopicPartition(*where, before_offset)
        found = await self._one(self._admin.delete_records, [wanted])
        return int(found.low_watermark)

    async def _close(self) -> None:
        self._thread.end()
