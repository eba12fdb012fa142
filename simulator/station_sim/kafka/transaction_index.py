"""What a partition knows of transactions: which are open, and which were aborted.

From it follow how far a reader of committed records may read, and what such a reader has to leave
out. The rules are those of ProducerStateManager and TransactionIndex in Apache Kafka.
"""

from bisect import bisect_left
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

_LAST_OFFSET = attrgetter("last_offset")


class AbortedTransaction(NamedTuple):
    """A transaction whose records do not count, from its first record to its marker.

    `stable_offset` is the first offset that was undecided yet when the marker was written.
    """

    producer_id: int
    first_offset: int
    last_offset: int
    stable_offset: int


class TransactionsSnapshot(NamedTuple):
    """A `TransactionIndex` that does not change; open are producer ids and first offsets."""

    open: tuple[tuple[int, int], ...]
    aborted: tuple[AbortedTransaction, ...]


class TransactionIndex:
    """The transactions of one partition."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._aborted: list[AbortedTransaction] = []

    def snapshot(self) -> TransactionsSnapshot:
        """All that is known."""
        return TransactionsSnapshot(tuple(self._open.items()), tuple(self._aborted))

    def restore(self, snapshot: TransactionsSnapshot) -> None:
        """Know what `snapshot` told before."""
        self._open = dict(snapshot.open)
        self._aborted = list(snapshot.aborted)

    @property
    def first_open_offset(self) -> int | None:
        """Where the oldest open transaction begins; None if none is open."""
        return next(iter(self._open.values())) if self._open else None

    def first_offset_of(self, producer_id: int) -> int | None:
        """Where a producer's open transaction begins; None if it has none here."""
        return self._open.get(producer_id)

    def opened(self, producer_id: int, first_offset: int) -> None:
        """A producer wrote the first record of a transaction."""
        self._open.setdefault(producer_id, first_offset)

    def ended(self, producer_id: int, marker_offset: int, *, commit: bool) -> None:
        """A producer's marker was written; one without records before it changes nothing."""
        first_offset = self._open.pop(producer_id, None)
        if first_offset is None or commit:
            return
        undecided = self.first_open_offset
        stable_offset = marker_offset + 1 if undecided is None else undecided
        self._aborted.append(
            AbortedTransaction(producer_id, first_offset, marker_offset, stable_offset)
        )

    def aborted(self, from_offset: int, before_offset: int) -> list[AbortedTransaction]:
        """The aborted transactions that touch the offsets from one to below another."""
        found = []
        at = bisect_left(self._aborted, from_offset, key=_LAST_OFFSET)
        for transaction in self._aborted[at:]:
            if transaction.first_offset < before_offset:
                found.append(transaction)
            if transaction.stable_offset >= before_offset:
                break
        return found

    def forget(self, aborted: Iterable[AbortedTransaction]) -> None:
        """Forget aborted transactions of which compaction has left no record."""
        gone = set(aborted)
        self._aborted = [each for each in self._aborted if each not in gone]

    def forget_before(self, offset: int) -> None:
        """Forget aborted transactions that end below the log's start."""
        del self._aborted[: bisect_left(self._aborted, offset, key=_LAST_OFFSET)]
