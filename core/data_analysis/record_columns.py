"""Records of one partition as columns: of one alone, nothing is kept that is searched for garbage.

Some thousand records wait for their turn at a time. As the objects that clients make of them they
are looked at by Python's garbage collector again and again, which takes an eighth of all time.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol


class Record(Protocol):
    """What is needed of a client's record; `timestamp` in epoch ms, None or < 0 for none."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int | None: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class RecordColumns:
    """Records of one partition, in the order of their offsets.

    Times are in epoch milliseconds, None for a record without; so may keys and values be.
    """

    __slots__ = ("keys", "offsets", "times_ms", "values")

    def __init__(
        self,
        offsets: list[int],
        times_ms: list[int | None],
        keys: list[bytes | None],
        values: list[bytes | None],
    ) -> None:
        self.offsets = offsets
        self.times_ms = times_ms
        self.keys = keys
        self.values = values

    @classmethod
    def of(cls, records: Sequence[Record]) -> "RecordColumns":
        """Return the columns of a client's records."""
        return cls(
            [record.offset for record in records],
            _times_of(records),
            [record.key for record in records],
            [record.value for record in records],
        )

    def __len__(self) -> int:
        return len(self.offsets)

    def __iter__(self) -> Iterator[tuple[int, int | None, bytes | None, bytes | None]]:
        """Iterate over offset, time, key and value of each."""
        return zip(self.offsets, self.times_ms, self.keys, self.values, strict=True)

    def __getitem__(self, some: slice) -> "RecordColumns":
        return RecordColumns(
            self.offsets[some], self.times_ms[some], self.keys[some], self.values[some]
        )

    def __delitem__(self, some: slice) -> None:
        del self.offsets[some], self.times_ms[some], self.keys[some], self.values[some]

    def extend(self, others: "RecordColumns") -> None:
        """Put others behind these."""
        self.offsets += others.offsets
        self.times_ms += others.times_ms
        self.keys += others.keys
        self.values += others.values

    @property
    def newest_ms(self) -> int | None:
        """The newest time of a record, None if none has one."""
        try:
            newest: int | None = max(self.times_ms, default=None)  # type: ignore[type-var]  # None is caught
        except TypeError:
            newest = max([each for each in self.times_ms if each is not None], default=None)
        return newest


Run = tuple[tuple[str, int], RecordColumns]
"""A partition, and records of it."""


def runs_of(records: Iterable[Any]) -> list[Run]:
    """Return records of clients as runs: those that follow each other and are of one partition."""
    return [
        (tp, RecordColumns.of([*run]))
        for tp, run in groupby(records, attrgetter("topic", "partition"))
    ]


def _times_of(records: Sequence[Record]) -> list[int | None]:
    """Return the records' times; clients give None or a negative one for a record without."""
    times = [record.timestamp for record in records]
    if None not in times and min(times, default=0) >= 0:  # type: ignore[type-var, operator]  # no None
        return times
    return [None if each is None or each < 0 else each for each in times]
