"""How far a group is behind: from offsets to the numbers that are shown. Nothing is asked here.

A refresh is a generator that yields what it wants to know and is sent the answers. Who asks Kafka
is in `data_analysis.kafka.async_lag` and `sync_lag`.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from data_analysis.clock import WALL

NOT_REFRESHED = "lag is not refreshed, for a reason that nobody has foreseen; it is tried again"

LagInfo = dict[str, dict[int, dict[str, int | None]]]
"""`{topic: {partition: {"current_offset", "committed_offset", "end_offset", "lag"}}}`."""


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition at one moment; None is what was not known.

    `current_offset` is the next offset that is read, `committed_offset` the group's, `start_offset`
    and `end_offset` the log's: its first record, and behind its last.
    """

    current_offset: int | None
    committed_offset: int | None
    start_offset: int | None
    end_offset: int

    @property
    def lag(self) -> int:
        """Records that are there and not committed: those that are lost do not count."""
        first = max(self.committed_offset or 0, self.start_offset or 0)
        return max(0, self.end_offset - first)

    @property
    def unread(self) -> int:
        """Offsets between what is read next and the log's end."""
        return 0 if self.current_offset is None else max(0, self.end_offset - self.current_offset)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is read next of each partition, and the group's committed offset: None if not known."""

    tps: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Ends:
    """The offset behind the last record of each partition."""

    tps: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Starts:
    """The offset of the first record of each partition."""

    tps: Sequence[Any]


Asking = Generator[Progress | Ends | Starts, Mapping[Any, Any], None]
"""Yields what is to be asked; is sent an answer by partition for each."""


class Lags:
    """The lag of every assigned partition, as of the last refresh."""

    def __init__(self) -> None:
        self.lags: dict[Any, PartitionLag] = {}
        self.last_error: str | None = None
        self._unread_since: dict[Any, float] = {}

    def unread(self, tps: Sequence[Any]) -> int | None:
        """Return how many offsets behind the positions are there, None while that is not known."""
        if not all(tp in self.lags for tp in tps):
            return None
        return sum(self.lags[tp].unread for tp in tps)

    def unread_seconds(self, tps: Sequence[Any]) -> float:
        """Return for how long one of these has been seen to have something unread."""
        now = WALL.monotonic()
        return max((now - self._unread_since.get(tp, now) for tp in tps), default=0.0)

    def ask(self, tps: Sequence[Any]) -> Asking:
        """Refresh these partitions."""
        # Progress first: what is committed then is not above an end that was asked for later.
        progress = yield Progress(tps)
        ends = yield Ends(tps)
        behind = [tp for tp in tps if needs_start(progress[tp][1], ends[tp])]
        starts = (yield Starts(behind)) if behind else {}
        now = WALL.monotonic()
        for tp in tps:
            current, committed = progress[tp]
            lag = PartitionLag(current, committed, starts.get(tp), ends[tp])
            self.lags[tp] = lag
            if lag.unread:
                self._unread_since.setdefault(tp, now)
            else:
                self._unread_since.pop(tp, None)

    def keep(self, tps: Iterable[Any]) -> None:
        """Forget partitions that are not among these."""
        kept = dict.fromkeys(tps)
        self.lags = {tp: lag for tp, lag in self.lags.items() if tp in kept}


def by_topic(tps: Iterable[Any]) -> list[list[Any]]:
    """Return the partitions of each topic, sorted: one topic may be gone."""
    return [list(some) for _, some in groupby(sorted(tps), itemgetter(0))]


def needs_start(committed: int | None, end: int) -> bool:
    """Return whether the log's start matters for the lag; it does not for a group at the end."""
    return committed is None or committed < end


def show_lags(lags: Mapping[tuple[str, int], PartitionLag], topics: Iterable[str]) -> LagInfo:
    """Return the lags by topic and partition, sorted; a topic of which none is known is empty."""
    shown: LagInfo = {topic: {} for topic in topics}
    for topic, partition in sorted(lags):
        lag = lags[topic, partition]
        shown.setdefault(topic, {})[partition] = {
            "current_offset": lag.current_offset,
            "committed_offset": lag.committed_offset,
            "end_offset": lag.end_offset,
            "lag": lag.lag,
        }
    return shown
