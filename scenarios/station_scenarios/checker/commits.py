"""Judges commits: at every commit, all work of the records below it was finished.

A record's work is finished when, for each of its stations, a callback's result was stored. Records
that nobody was called for are other invariants' business and hold no commit back.
"""

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from station_scenarios.checker.violations import Violation
from station_scenarios.checker.work import NEVER, Calls, Parts

TOLERANCE_S = 1e-6
"""What subtraction costs. A result's time is rounded down to milliseconds, which accuses nobody."""


class CommitSeen(NamedTuple):
    """A committed offset as it was seen at an instant; the commit may be older, never newer."""

    at_s: float
    topic: str
    partition: int
    offset: int


class _Finished(NamedTuple):
    """Acknowledged records of a partition: offsets ascending, and when they were finished."""

    offsets: npt.NDArray[np.int64]
    finished_at_s: npt.NDArray[np.float64]
    so_far_s: npt.NDArray[np.float64]


def judge_commits(
    commits: Iterable[CommitSeen],
    parts: Parts,
    calls: Calls,
    finished_at_s: "array[float]",
    clock_skew_s: float,
) -> Iterator[Violation]:
    """`commit-behind-work`: at most one violation a partition, with the number of such commits."""
    partitions = _by_partition(parts, _parts_finished(parts, calls, finished_at_s))
    first: dict[tuple[str, int], tuple[CommitSeen, int, float]] = {}
    count: dict[tuple[str, int], int] = {}
    for commit in commits:
        where = commit.topic, commit.partition
        early = where in partitions and _too_early(commit, partitions[where], clock_skew_s)
        if early:
            first.setdefault(where, (commit, *early))
            count[where] = count.get(where, 0) + 1
    for where, (commit, offset, finished) in first.items():
        yield _violation(commit, offset, finished, count[where])


def _parts_finished(
    parts: Parts, calls: Calls, finished_at_s: "array[float]"
) -> npt.NDArray[np.float64]:
    """When each part's work was first finished; minus infinity for one nobody was called for."""
    finished = np.full(len(parts), NEVER)
    numbers = np.frombuffer(calls.part, np.int64) if len(calls) else np.empty(0, np.int64)
    times = np.frombuffer(finished_at_s, np.float64) if len(calls) else np.empty(0)
    known = numbers >= 0
    np.minimum.at(finished, numbers[known], times[known])
    finished[np.frombuffer(bytes(parts.handed), np.uint8) == 0] = -NEVER
    return finished


def _by_partition(
    parts: Parts, finished: npt.NDArray[np.float64]
) -> dict[tuple[str, int], _Finished]:
    rows: dict[tuple[str, int], list[tuple[int, float]]] = {}
    for record, at_s in zip(parts.record, finished.tolist(), strict=True):
        if record.partition is not None and record.offset is not None:
            rows.setdefault((record.topic, record.partition), []).append((record.offset, at_s))
    found = {}
    for where, pairs in rows.items():
        pairs.sort()
        times = np.array([at_s for _, at_s in pairs])
        offsets = np.array([offset for offset, _ in pairs], np.int64)
        found[where] = _Finished(offsets, times, np.maximum.accumulate(times))
    return found


def _too_early(
    commit: CommitSeen, done: _Finished, clock_skew_s: float
) -> tuple[int, float] | None:
    """Offset of the first record below the commit that was finished after it, and when."""
    latest_s = commit.at_s + clock_skew_s + TOLERANCE_S
    below = int(np.searchsorted(done.offsets, commit.offset, "left"))
    if below == 0 or done.so_far_s[below - 1] <= latest_s:
        return None
    index = int(np.argmax(done.finished_at_s[:below] > latest_s))
    return int(done.offsets[index]), float(done.finished_at_s[index])


def _violation(commit: CommitSeen, offset: int, finished_at_s: float, count: int) -> Violation:
    when = "never" if finished_at_s == NEVER else f"{finished_at_s - commit.at_s:.3f} s later"
    more = f"; {count - 1} more such commits of this partition" if count > 1 else ""
    return Violation(
        "commit-behind-work",
        f"{commit.topic}/{commit.partition}: offset {commit.offset} was committed while the work of"
        f" offset {offset} was finished {when}{more}",
        commit.at_s,
        topic=commit.topic,
        partition=commit.partition,
        offset=offset,
    )
