"""The broker's topics: names, ids, partitions, configuration; making and deleting them.

How a partition keeps its records is in `logs.py`; what requests say about topics is in `requests/`.
A change is kept in the cluster's storage before it is made.
"""

import random
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.log_recovery import recover
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.placement import Placement
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.storage.storage import InMemory, Storage
from station_sim.kafka.topic_config import TopicConfig

NAME_LENGTH_MAX = 249
PARTITIONS_MAX = 10_000
"""What one request may add, as in Kafka, where a controller writes no more records at once."""

INTERNAL_TOPICS = ("__consumer_offsets", "__transaction_state")
_LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]+")


_KIND = "topic"


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """A topic as it is kept; `replicas` are the nodes of each partition."""

    name: str
    config: dict[str, str]
    replicas: tuple[tuple[int, ...], ...]


class Topic:
    """A topic, its partitions in order."""

    __slots__ = ("config", "name", "partitions", "topic_id")

    def __init__(
        self, name: str, topic_id: uuid.UUID, config: TopicConfig, partitions: list[PartitionLog]
    ) -> None:
        self.name = name
        self.topic_id = topic_id
        self.config = config
        self.partitions = partitions

    def use(self, config: TopicConfig) -> None:
        """Be configured anew, with all partitions."""
        self.config = config
        for log in self.partitions:
            log.config = config


class Topics:
    """All topics of a broker, in the order they were made."""

    def __init__(
        self,
        settings: BrokerSettings,
        rng: random.Random,
        placement: Placement | None = None,
        storage: Storage | None = None,
    ) -> None:
        self._storage = storage or InMemory()
        self._placement = placement or Placement()
        self._settings = settings
        self._rng = rng
        self._by_name: dict[str, Topic] = {}
        self._by_id: dict[uuid.UUID, Topic] = {}
        self._recover()

    def __iter__(self) -> Iterator[Topic]:
        return iter(list(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def get(self, name: str) -> Topic | None:
        """The topic of that name, if there is one."""
        return self._by_name.get(name)

    def new_id(self) -> uuid.UUID:
        """An id that no topic has."""
        return uuid.UUID(int=self._rng.getrandbits(128), version=4)

    def with_id(self, topic_id: uuid.UUID) -> Topic | None:
        """The topic of that id, if there is one."""
        return self._by_id.get(topic_id)

    def partition(self, topic: str, partition: int) -> PartitionLog | None:
        """One partition's log, if it exists."""
        found = self._by_name.get(topic)
        if found is None or not 0 <= partition < len(found.partitions):
            return None
        return found.partitions[partition]

    def require(self, topic: str, partition: int) -> PartitionLog:
        """One partition's log; raises `RefusalError` (UNKNOWN_TOPIC_OR_PARTITION)."""
        log = self.partition(topic, partition)
        if log is None:
            raise RefusalError(
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                "This server does not host this topic-partition.",
            )
        return log

    def logs(self) -> Iterator[PartitionLog]:
        """Every partition's log."""
        for topic in self:
            yield from topic.partitions

    def check(self, name: str, partitions: int, config: Mapping[str, str | None]) -> TopicConfig:
        """Whether `create` would succeed; raises `RefusalError` as Kafka's controller would."""
        checked = self.check_but_counts(name, config)
        if not 1 <= partitions <= PARTITIONS_MAX:
            raise RefusalError(
                ErrorCode.INVALID_PARTITIONS,
                f"Number of partitions was set to an invalid value {partitions}; "
                f"allowed is 1 to {PARTITIONS_MAX}.",
            )
        return checked

    def check_but_counts(self, name: str, config: Mapping[str, str | None]) -> TopicConfig:
        """What Kafka looks at before the numbers of partitions and replicas; raises as `check`."""
        check_name(name)
        if name in self._by_name:
            raise RefusalError(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{name}' already exists.")
        self._check_collision(name)
        return TopicConfig.of(config, self._settings)

    def create(
        self,
        name: str,
        *,
        partitions: int | None = None,
        config: Mapping[str, str | None] | None = None,
        replication_factor: int | None = None,
        assignments: Sequence[Sequence[int]] | None = None,
    ) -> Topic:
        """Make a topic; without `partitions` it has the broker's default number.

        `assignments` names the nodes of each partition; without them `replication_factor` nodes
        (default: the broker's) are chosen for each. Raises `RefusalError`: TOPIC_ALREADY_EXISTS,
        INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG, INVALID_REPLICATION_FACTOR,
        INVALID_REPLICA_ASSIGNMENT.
        """
        count = self._settings.num_partitions if partitions is None else partitions
        checked = self.check(name, count, config or {})
        placed = self.place(0, count, replication_factor, assignments)
        topic_id = self.new_id()
        topic = Topic(name, topic_id, checked, [])
        self._keep(topic, checked, placed)
        self._add(topic, placed)
        self._by_name[name] = self._by_id[topic_id] = topic
        return topic

    def place(
        self,
        first: int,
        count: int,
        replication_factor: int | None = None,
        assignments: Sequence[Sequence[int]] | None = None,
    ) -> Sequence[Sequence[int]]:
        """The nodes of `count` new partitions from the number `first` on, checked or chosen.

        Raises `RefusalError`: INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT.
        """
        if assignments is not None:
            self._placement.check(assignments, first=first, replicas=replication_factor)
            return assignments
        factor = replication_factor or self._settings.default_replication_factor
        return self._placement.place(first, count, factor)

    def check_nodes(self, node_ids: Sequence[int]) -> None:
        """Raise `RefusalError` (INVALID_REPLICA_ASSIGNMENT) unless a partition may live there."""
        self._placement.check_nodes(node_ids)

    def add_partitions(
        self, name: str, count: int, assignments: Sequence[Sequence[int]] | None = None
    ) -> None:
        """Let a topic have `count` partitions; see `check_increase` for what is refused."""
        placed = self.check_increase(name, count, assignments)
        topic = self._by_name[name]
        self._keep(topic, topic.config, placed)
        self._add(topic, placed)

    def check_increase(
        self, name: str, count: int, assignments: Sequence[Sequence[int]] | None = None
    ) -> Sequence[Sequence[int]]:
        """The nodes of the partitions that a topic gets so that it has `count`.

        Raises `RefusalError`: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS,
        INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT; UNKNOWN_SERVER_ERROR for more than
        `PARTITIONS_MAX` new ones.
        """
        replicas = self.require(name, 0).replicas
        there = len(self._by_name[name].partitions)
        if count == there:
            raise RefusalError(
                ErrorCode.INVALID_PARTITIONS, f"Topic already has {there} partition(s)."
            )
        if count < there:
            raise RefusalError(
                ErrorCode.INVALID_PARTITIONS,
                f"The topic {name} currently has {there} partition(s); {count} would not be an "
                "increase.",
            )
        if assignments is not None and len(assignments) != count - there:
            raise RefusalError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"Attempted to add {count - there} additional partition(s), but only "
                f"{len(assignments)} assignment(s) were specified.",
            )
        if count - there > PARTITIONS_MAX:
            raise RefusalError(ErrorCode.UNKNOWN_SERVER_ERROR)
        return self.place(there, count - there, len(replicas.node_ids), assignments)

    def _add(self, topic: Topic, placed: Sequence[Sequence[int]]) -> None:
        expiration_ms = self._settings.producer_id_expiration_ms
        for node_ids in placed:
            log = PartitionLog(
                topic.name,
                len(topic.partitions),
                topic.config,
                producer_expiration_ms=expiration_ms,
                storage=self._storage.log(topic.topic_id, len(topic.partitions)),
            )
            log.replicas = self._placement.replicas(node_ids)
            topic.partitions.append(log)

    def _keep(
        self, topic: Topic, config: TopicConfig, placed: Sequence[Sequence[int]] = ()
    ) -> None:
        """Write down what a topic is about to be, with partitions that are added."""
        replicas = (*(log.replicas.node_ids for log in topic.partitions), *map(tuple, placed))
        record = TopicRecord(topic.name, dict(config.overrides), replicas)
        self._storage.journal.put(_KIND, (str(topic.topic_id),), record)

    def _recover(self) -> None:
        """Have the topics that were kept; raises `LabError` if their data is damaged."""
        for (text,), record in self._storage.journal.values(_KIND, TopicRecord):
            config = TopicConfig.of(record.config, self._settings)
            topic = Topic(record.name, uuid.UUID(text), config, [])
            self._add(topic, record.replicas)
            for log in topic.partitions:
                recover(log)
            self._by_name[topic.name] = self._by_id[topic.topic_id] = topic
        self._storage.keep_topics(set(self._by_id))

    def checked_config(self, name: str, config: Mapping[str, str | None]) -> TopicConfig:
        """What a topic would be configured to with `config` in the place of all that was said.

        Raises `RefusalError`: INVALID_TOPIC_EXCEPTION, INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION.
        """
        check_name(name)
        checked = TopicConfig.of(config, self._settings)
        if name not in self._by_name:
            raise RefusalError(
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"The topic '{name}' does not exist."
            )
        return checked

    def configure(self, name: str, config: Mapping[str, str | None]) -> Topic:
        """Put `config` in the place of all that was said for a topic; as `checked_config`."""
        checked = self.checked_config(name, config)
        topic = self._by_name[name]
        self._keep(topic, checked)
        topic.use(checked)
        return topic

    def use(self, settings: BrokerSettings) -> None:
        """Take over changed settings of the broker, for topics that are there and to come."""
        self._settings = settings
        for topic in self:
            topic.use(TopicConfig.of(topic.config.overrides, settings))
            for log in topic.partitions:
                log.producers.expiration_ms = settings.producer_id_expiration_ms

    def delete(self, name: str) -> Topic:
        """Forget a topic with its records; raises `RefusalError` (UNKNOWN_TOPIC_OR_PARTITION)."""
        if name not in self._by_name:
            raise RefusalError(
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                "This server does not host this topic-partition.",
            )
        topic = self._by_name[name]
        self._drop(topic)
        del self._by_name[name], self._by_id[topic.topic_id]
        return topic

    def _drop(self, topic: Topic) -> None:
        """Write down that a topic is gone, and delete its logs; on a full disk these make room."""
        key = (str(topic.topic_id),)
        with suppress(RefusalError):
            self._storage.journal.drop(_KIND, key)
        for log in topic.partitions:
            log.storage.remove()
        self._storage.journal.drop(_KIND, key)

    def _check_collision(self, name: str) -> None:
        flat = name.replace(".", "_")
        if flat == name and "_" not in name:
            return
        for other in self._by_name:
            if other.replace(".", "_") == flat:
                raise RefusalError(
                    ErrorCode.INVALID_TOPIC_EXCEPTION,
                    f"Topic '{name}' collides with existing topic: {other}",
                )


def check_name(name: str) -> None:
    """Raise `RefusalError` (INVALID_TOPIC_EXCEPTION) unless Kafka takes the name."""
    if not name:
        text = "the empty string is not allowed"
    elif name in (".", ".."):
        text = f"'{name}' is not allowed"
    elif len(name) > NAME_LENGTH_MAX:
        text = f"the length of '{name}' is longer than the max allowed length {NAME_LENGTH_MAX}"
    elif not _LEGAL_NAME.fullmatch(name):
        text = (
            f"'{name}' contains one or more characters other than ASCII alphanumerics, "
            "'.', '_' and '-'"
        )
    else:
        return
    raise RefusalError(ErrorCode.INVALID_TOPIC_EXCEPTION, f"Topic name is invalid: {text}")
