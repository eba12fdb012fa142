"""The broker's topics: names, ids, partitions, configuration; making and deleting them.

How a partition keeps its records is in `logs.py`; what requests say about topics is in `requests/`.
"""

import random
import re
import uuid
from collections.abc import Iterator, Mapping

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.topic_config import TopicConfig

NAME_LENGTH_MAX = 249
PARTITIONS_MAX = 10_000
"""More than this in one topic is a slip; Kafka's own bound depends on its memory."""

INTERNAL_TOPICS = ("__consumer_offsets", "__transaction_state")
_LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]+")


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


class Topics:
    """All topics of a broker, in the order they were made."""

    def __init__(self, settings: BrokerSettings, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng
        self._by_name: dict[str, Topic] = {}

    def __iter__(self) -> Iterator[Topic]:
        return iter(list(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def get(self, name: str) -> Topic | None:
        """The topic of that name, if there is one."""
        return self._by_name.get(name)

    def with_id(self, topic_id: uuid.UUID | None) -> Topic | None:
        """The topic of that id, if there is one."""
        return next((t for t in self._by_name.values() if t.topic_id == topic_id), None)

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
        if name in self._by_name:
            raise RefusalError(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{name}' already exists.")
        check_name(name)
        self._check_collision(name)
        if not 1 <= partitions <= PARTITIONS_MAX:
            raise RefusalError(
                ErrorCode.INVALID_PARTITIONS,
                f"Number of partitions was set to an invalid value {partitions}; "
                f"allowed is 1 to {PARTITIONS_MAX}.",
            )
        return TopicConfig.of(config, self._settings)

    def create(
        self,
        name: str,
        *,
        partitions: int | None = None,
        config: Mapping[str, str | None] | None = None,
    ) -> Topic:
        """Make a topic; without `partitions` it has the broker's default number.

        Raises `RefusalError`: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS,
        INVALID_CONFIG.
        """
        count = self._settings.num_partitions if partitions is None else partitions
        checked = self.check(name, count, config or {})
        topic_id = uuid.UUID(int=self._rng.getrandbits(128), version=4)
        expiration_ms = self._settings.producer_id_expiration_ms
        logs = [
            PartitionLog(name, index, checked, producer_expiration_ms=expiration_ms)
            for index in range(count)
        ]
        topic = self._by_name[name] = Topic(name, topic_id, checked, logs)
        return topic

    def delete(self, name: str) -> Topic:
        """Forget a topic with its records; raises `RefusalError` (UNKNOWN_TOPIC_OR_PARTITION)."""
        if name not in self._by_name:
            raise RefusalError(
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                "This server does not host this topic-partition.",
            )
        return self._by_name.pop(name)

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
