"""The interface of every broker, and the part that is the same for all of them.

What stories need of a broker is asked through aiokafka's public clients, so the same code runs on
the simulated Kafka and on Apache Kafka. How a broker comes to life, stops and ends is in the
module of its kind.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, ClassVar

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from station_sim.brokers.answers import (
    UNKNOWN_TOPIC_OR_PARTITION,
    check_topic_errors,
    leaders,
    require_leaders,
)
from station_sim.brokers.probe import probe
from station_sim.brokers.retrying import NotYetError, retry
from station_sim.brokers.topics import TopicSpec
from station_sim.errors import LabError

ANSWER_TIMEOUT_S = 30.0
"""How long one question may take in all, retries included; a loaded machine needs seconds."""

REQUEST_TIMEOUT_MS = 10_000


class Broker(ABC):
    """A Kafka broker that a story, a contract case or a load run works with."""

    kind: ClassVar[str]
    is_virtual: ClassVar[bool] = False
    bootstrap: str
    """`host:port`; set once `start` has returned for the first time, the same ever after."""
    users: Mapping[str, str] = MappingProxyType({})
    """Passwords by name of who alone may connect; empty where everybody may."""

    def client_options(self, mechanism: str = "PLAIN") -> dict[str, str]:
        """What aiokafka's and kafka-python's clients need beside the address to be let in."""
        for name, password in self.users.items():
            return {
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": mechanism,
                "sasl_plain_username": name,
                "sasl_plain_password": password,
            }
        return {}

    # life

    @abstractmethod
    async def start(self) -> None:
        """Start, for the first time or again after `stop`, with address and data kept."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop in order; the data stays."""

    @abstractmethod
    async def close(self) -> None:
        """End for good: nothing of this broker is left running or lying about."""

    async def kill(self) -> None:
        """End without any goodbye, as a power cut would; `start` brings it back."""
        raise LabError(f"a broker of kind {self.kind!r} cannot be killed; use 'jvm' or 'docker'")

    def check_alive(self) -> None:
        """Raises `LabError` with the reason when the broker has ended by itself."""
        return

    # topics

    async def make_topics(self, *specs: TopicSpec) -> None:
        """Make topics; returns when every partition of them has a leader.

        Raises `LabError` when a topic exists already or the broker refuses its settings.
        """
        if not specs:
            return
        names = [spec.name for spec in specs]
        await self._ask(f"make topics {', '.join(names)}", lambda admin: self._create(admin, specs))
        await self._ask(
            f"see leaders of {', '.join(names)}", lambda admin: self._leaders(admin, names)
        )

    async def delete_topics(self, *names: str) -> None:
        """Delete topics; returns when the broker no longer lists them."""
        if not names:
            return
        what = f"delete topics {', '.join(names)}"
        await self._ask(what, lambda admin: self._delete(admin, names))
        await self._ask(what, lambda admin: self._absent(admin, names))

    async def topic_names(self) -> list[str]:
        """All topics of the broker, in alphabetical order, internal ones included."""
        return sorted(await self._ask("list topics", lambda admin: admin.list_topics()))

    # logs and offsets

    async def cut_head(self, topic: str, partition: int, *, before_offset: int) -> int:
        """Delete the records below `before_offset` (DeleteRecords); returns the log's new start."""
        where = TopicPartition(topic, partition)
        what = f"cut {topic}/{partition} before {before_offset}"
        cut = await self._ask(
            what, lambda admin: admin.delete_records({where: RecordsToDelete(before_offset)})
        )
        return int(cut[where])

    async def committed(self, group: str) -> dict[tuple[str, int], OffsetAndMetadata]:
        """The offsets `group` has committed: `{(topic, partition): OffsetAndMetadata}`."""
        what = f"look up the offsets of group {group}"
        found = await self._ask(what, lambda admin: admin.list_consumer_group_offsets(group))
        return {
            (where.topic, where.partition): kept
            for where, kept in found.items()
            if kept.offset >= 0
        }

    async def log_ranges(self, topic: str) -> dict[int, tuple[int, int]]:
        """`{partition: (log start offset, end offset)}` of a topic; the end is one past."""
        what = f"see leaders of {topic}"
        found = await self._ask(what, lambda admin: self._leaders(admin, [topic]))
        where = [TopicPartition(topic, partition) for partition in sorted(found[topic])]
        async with self._consumer() as consumer:
            starts = await consumer.beginning_offsets(where)
            ends = await consumer.end_offsets(where)
        return {each.partition: (starts[each], ends[each]) for each in where}

    # how it is asked

    async def wait_until_ready(self, *, within_s: float) -> None:
        """Returns when the broker answers and every partition it lists has a leader."""

        async def answers() -> None:
            self.check_alive()
            for address in self.bootstrap.split(","):
                await probe(address)
            async with self._admin() as admin:
                cluster = await admin.describe_cluster()
                if not cluster["brokers"]:
                    raise NotYetError("the broker has not joined its own cluster")
                await self._leaders(admin, None)

        await retry(answers, what=f"reach Kafka at {self.bootstrap}", within_s=within_s)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self.bootstrap,
            client_id="station-lab",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            **self.client_options(),
        )
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            client_id="station-lab",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            **self.client_options(),
        )

        async def started() -> None:
            self.check_alive()
            await consumer.start()

        try:
            await retry(started, what=f"reach {self.bootstrap}", within_s=ANSWER_TIMEOUT_S)
            yield consumer
        finally:
            await consumer.stop()

    async def _ask(
        self, what: str, question: Callable[[AIOKafkaAdminClient], Awaitable[Any]]
    ) -> Any:
        async def attempt() -> Any:
            self.check_alive()
            async with self._admin() as admin:
                return await question(admin)

        return await retry(attempt, what=f"{what} at {self.bootstrap}", within_s=ANSWER_TIMEOUT_S)

    def _replication_factor(self, spec: TopicSpec) -> int:
        return spec.replication_factor or 1

    async def _create(self, admin: AIOKafkaAdminClient, specs: tuple[TopicSpec, ...]) -> None:
        topics = [
            NewTopic(
                name=spec.name,
                num_partitions=spec.partitions,
                replication_factor=self._replication_factor(spec),
                topic_configs=spec.full_config,
            )
            for spec in specs
        ]
        check_topic_errors((await admin.create_topics(topics)).topic_errors)

    async def _delete(self, admin: AIOKafkaAdminClient, names: tuple[str, ...]) -> None:
        response = await admin.delete_topics(list(names))
        check_topic_errors(response.topic_error_codes, accepted=[UNKNOWN_TOPIC_OR_PARTITION])

    async def _absent(self, admin: AIOKafkaAdminClient, names: tuple[str, ...]) -> None:
        left = set(names) & set(await admin.list_topics())
        if left:
            raise NotYetError(f"still listed: {', '.join(sorted(left))}")

    async def _leaders(
        self, admin: AIOKafkaAdminClient, names: Sequence[str] | None
    ) -> dict[str, dict[int, int]]:
        # All topics are asked for, because naming one in a metadata request would make it.
        found = leaders(await admin.describe_topics())
        require_leaders(found, sorted(found) if names is None else names)
        return found
