"""What decisions ask of Kafka while they are being made; the shells answer.

A decision is a generator that yields these, is sent the answers, or is thrown `UnansweredError`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Committed:
    """The group's committed offset of a partition: an int, None without one."""

    tp: tuple[str, int]


@dataclass(frozen=True, slots=True)
class CommitNote:
    """The metadata of the group's commit of a partition: a text."""

    tp: tuple[str, int]


@dataclass(frozen=True, slots=True)
class LogRange:
    """A partition's first offset and the one behind its last: a pair."""

    tp: tuple[str, int]


@dataclass(frozen=True, slots=True)
class FirstSince:
    """The first record at or after a time: its offset and time (epoch ms), None without one."""

    tp: tuple[str, int]
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Records:
    """What comes next of these partitions, each from the offset given: `{tp: (records, next)}`.

    `next` is where the partition is read on; there may be no records. It is not the group that
    reads: nothing is committed.
    """

    offsets: Mapping[Any, int]


@dataclass(frozen=True, slots=True)
class Wait:
    """So much time; the answer means nothing."""

    seconds: float


Request = Committed | CommitNote | LogRange | FirstSince


def delay_seconds(failures: int) -> float:
    """Return the wait after so many failures in a row: none, then doubling up to a bound."""
    if not failures:
        return 0.0
    return min(FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_DELAY_SECONDS)
