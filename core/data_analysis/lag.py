"""How far a group is behind: from offsets to the numbers that are shown. Nothing is asked here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
