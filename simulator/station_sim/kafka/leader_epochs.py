"""The leader epochs of one log: which epoch began at which offset.

A consumer learns from them whether what it has read was cut off since. Lives here: what
LeaderEpochFileCache keeps in Apache Kafka. Not here: who leads, and when an epoch begins.
"""

from bisect import bisect_right
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from station_sim.kafka.error_codes import ErrorCode, RefusalError

NO_EPOCH, NO_OFFSET = -1, -1
"""What stands for no epoch and no offset in requests and answers."""

_EPOCH = attrgetter("epoch")
_START = attrgetter("start_offset")


class EpochStart(NamedTuple):
    """An epoch and the offset of its first record."""

    epoch: int
    start_offset: int


class EpochEnd(NamedTuple):
    """The newest epoch at or below one that was asked for, and the offset behind its records."""

    epoch: int
    end_offset: int


UNKNOWN_END = EpochEnd(NO_EPOCH, NO_OFFSET)


class LeaderEpochs:
    """Epochs in the order in which they began; epoch 0 begins with the log."""

    __slots__ = ("_starts", "latest")

    def __init__(self) -> None:
        self.latest = 0
        self._starts = [EpochStart(0, 0)]

    def starts(self) -> list[EpochStart]:
        """All epochs that records may still be of."""
        return list(self._starts)

    def restore(self, starts: Iterable[tuple[int, int]]) -> None:
        """Be as `starts` told before."""
        self._starts = [EpochStart(*start) for start in starts]
        self.latest = self._starts[-1].epoch

    def begin(self, epoch: int, start_offset: int) -> None:
        """Let an epoch above the latest begin; earlier ones that have no record are forgotten."""
        assert epoch > self.latest, f"leader epoch {epoch} does not follow {self.latest}"
        self.latest = epoch
        while self._starts and self._starts[-1].start_offset >= start_offset:
            self._starts.pop()
        self._starts.append(EpochStart(epoch, start_offset))

    def cut_before(self, log_start_offset: int) -> None:
        """Forget epochs that ended before the log's start; the one it lies in now begins there."""
        at = bisect_right(self._starts, log_start_offset, key=_START) - 1
        if at >= 0:
            self._starts[: at + 1] = [EpochStart(self._starts[at].epoch, log_start_offset)]

    def epoch_at(self, offset: int) -> int:
        """The epoch that `offset` was written in, `NO_EPOCH` if the log begins after it."""
        at = bisect_right(self._starts, offset, key=_START) - 1
        return self._starts[at].epoch if at >= 0 else NO_EPOCH

    def end_of(self, epoch: int, end_offset: int) -> EpochEnd:
        """Where `epoch`, or the newest before it, ended in a log that ends at `end_offset`."""
        if epoch == self.latest:
            return EpochEnd(epoch, end_offset)
        above = bisect_right(self._starts, epoch, key=_EPOCH)
        if epoch == NO_EPOCH or above == len(self._starts):
            return UNKNOWN_END
        known = self._starts[above - 1].epoch if above else epoch
        return EpochEnd(known, self._starts[above].start_offset)

    def check(self, claimed: int) -> None:
        """Compare with the epoch that a client believes to be the current one (-1: none).

        Raises `RefusalError`: FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH.
        """
        if claimed == self.latest or claimed == NO_EPOCH:
            return
        fenced = claimed < self.latest
        raise RefusalError(
            ErrorCode.FENCED_LEADER_EPOCH if fenced else ErrorCode.UNKNOWN_LEADER_EPOCH,
            f"leader epoch {claimed}, and the current one is {self.latest}",
        )
