"""What a case may ask of a producer, a consumer and an admin client, whatever the library.

All calls are coroutines; blocking libraries work on a thread of their own (`own_thread.py`).
Anything a library raises on behalf of Kafka is `Refused`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from tests.contract.clients.terms import Committed, Headers, Outgoing, Record, Where, Written

ANSWER_TIMEOUT_S = 30.0


class Closing(ABC):
    """Something that is closed once, however often it is told to."""

    _is_closed = False

    async def close(self) -> None:
        """Finish what was begun, leave the group if in one, and close."""
        if not self._is_closed:
            self._is_closed = True
            await self._close()

    @abstractmethod
    async def _close(self) -> None:
        """Close, for the only time."""


class Producer(Closing):
    """Writes records; transactional when its settings name a transactional id."""

    async def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Written:
        """Write one record and wait for its acknowledgement."""
        record = Outgoing(topic, value, key, headers, partition, timestamp_ms)
        return (await self.send_many([record]))[0]

    @abstractmethod
    async def send_many(self, records: Sequence[Outgoing]) -> list[Written]:
        """Hand all records over at once, then wait for all acknowledgements, in order."""

    @abstractmethod
    async def begin(self) -> None:
        """Begin a transaction."""

    @abstractmethod
    async def send_offsets(self, offsets: Mapping[Where, int], consumer: "Consumer") -> None:
        """Let the transaction commit a consumer's offsets too."""

    @abstractmethod
    async def commit(self) -> None:
        """Commit the transaction."""

    @abstractmethod
    async def abort(self) -> None:
        """Abort the transaction."""


class Consumer(Closing):
    """Reads records, alone or in a group; a static member does not leave it when closed."""

    poll_s: ClassVar[float]
    """A poll in which the client gets through any step of joining its group."""

    def __init__(self) -> None:
        self.gained: list[frozenset[Where]] = []
        """What each rebalance brought, in order."""
        self.lost: list[frozenset[Where]] = []
        """What each rebalance took away, in order."""

    @abstractmethod
    async def subscribe(self, *topics: str, pattern: str | None = None) -> None:
        """Join the group for these topics, or for all whose names match a regular expression."""

    @abstractmethod
    async def assign(self, *where: Where, at: int | None = None) -> None:
        """Take partitions without any group's say; begin at an offset if one is given."""

    @abstractmethod
    async def poll(self, timeout_s: float, *, records_max: int | None = None) -> list[Record]:
        """Wait for records, at most so long; at most so many."""

    @abstractmethod
    async def seek(self, where: Where, offset: int) -> None:
        """Go on at an offset."""

    @abstractmethod
    async def position(self, where: Where) -> int:
        """The offset after the last record that was handed out."""

    @abstractmethod
    async def commit(self, offsets: Mapping[Where, Committed] | None = None) -> None:
        """Commit these offsets, or all positions."""

    @abstractmethod
    async def committed(self, where: Where) -> Committed | None:
        """The group's offset of a partition."""

    @abstractmethod
    async def offsets_for_times(self, times_ms: Mapping[Where, int]) -> dict[Where, int | None]:
        """By partition, the first offset stamped at or after a time."""

    @abstractmethod
    async def beginning_offsets(self, where: Iterable[Where]) -> dict[Where, int]:
        """Where the logs start."""

    @abstractmethod
    async def end_offsets(self, where: Iterable[Where]) -> dict[Where, int]:
        """Where the logs end: the next record's offset."""

    @abstractmethod
    async def assignment(self) -> frozenset[Where]:
        """The partitions that this consumer holds."""

    @abstractmethod
    async def pause(self, *where: Where) -> None:
        """Hand out nothing of these partitions until `resume`."""

    @abstractmethod
    async def resume(self, *where: Where) -> None:
        """Go on with paused partitions."""


class Admin(Closing):
    """Asks about the cluster and changes it."""

    @abstractmethod
    async def create_topic(
        self, topic: str, *, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Make a topic with one replica."""

    @abstractmethod
    async def delete_topic(self, topic: str) -> None:
        """Delete a topic."""

    @abstractmethod
    async def topics(self) -> set[str]:
        """The names of all topics."""

    @abstractmethod
    async def topic_settings(self, topic: str) -> dict[str, str | None]:
        """All settings of a topic by name."""

    @abstractmethod
    async def alter_topic(self, topic: str, config: Mapping[str, str]) -> None:
        """Set settings of a topic that has none but the default otherwise."""

    @abstractmethod
    async def add_partitions(self, topic: str, total: int) -> None:
        """Let a topic have so many partitions."""

    @abstractmethod
    async def groups(self) -> set[str]:
        """The ids of all groups."""

    @abstractmethod
    async def group(self, group: str) -> tuple[str, int]:
        """The state of a group, as Kafka spells it, and how many members it has."""

    @abstractmethod
    async def group_offsets(self, group: str) -> dict[Where, Committed]:
        """All offsets that a group has committed."""

    @abstractmethod
    async def delete_group(self, group: str) -> None:
        """Delete a group without members, and its offsets."""

    @abstractmethod
    async def delete_records(self, where: Where, before_offset: int) -> int:
        """Cut a log's head; returns the log's new start."""
