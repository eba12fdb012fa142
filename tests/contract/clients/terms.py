"""The words in which cases and clients talk: places, records, answers, refusals."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

CREATE_TIME = 0
APPEND_TIME = 1

Headers = tuple[tuple[str, bytes], ...]


class Where(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(frozen=True)
class Outgoing:
    """A record to be written; without partition the client's partitioner decides, without
    timestamp the client stamps it.
    """

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    partition: int | None = None
    timestamp_ms: int | None = None


@dataclass(frozen=True)
class Written:
    """Where an acknowledged record went."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Record:
    """A record as it was read; `timestamp_type` is CREATE_TIME or APPEND_TIME."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int
    timestamp_type: int

    @property
    def where(self) -> Where:
        """The record's partition."""
        return Where(self.topic, self.partition)


@dataclass(frozen=True)
class Committed:
    """An offset that a group has committed, with its metadata."""

    offset: int
    metadata: str = ""


class Refused(Exception):  # noqa: N818  # what the broker or the client did, not a mistake of ours
    """A client raised: `code` is Kafka's error code, or None where the client has none for it."""

    def __init__(self, code: int | None, text: str) -> None:
        super().__init__(f"error {code}: {text}")
        self.code = code


def in_order(records: Iterable[Record]) -> list[Record]:
    """Records by topic, partition and offset."""
    return sorted(records, key=lambda record: (record.topic, record.partition, record.offset))
