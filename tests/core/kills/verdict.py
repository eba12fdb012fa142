"""What may not be, whatever was killed when: judged from what others saw of the service."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Handled(NamedTuple):
    """One callback."""

    life: int
    number: int
    at_ms: int


class Commit(NamedTuple):
    """One commit that the broker has stored."""

    partition: int
    offset: int
    at_ms: int


@dataclass(frozen=True)
class Seen:
    """What another client saw when life `life` had just been killed, in this order.

    `committed` is by partition; `results_end` is how long each partition of the results was.
    """

    life: int
    committed: Mapping[int, int]
    results_end: Mapping[int, int]


@dataclass(frozen=True)
class Evidence:
    """All that is known of one run; records are numbered.

    `places` are (partition, offset) of each record, `results` the places of each record's results.
    `commits` is the log of commits where there is one to read.
    """

    places: Mapping[int, tuple[int, int]]
    handled: Sequence[Handled]
    results: Mapping[int, Sequence[tuple[int, int]]]
    seen: Sequence[Seen]
    commits: Sequence[Commit] = ()


def judge(evidence: Evidence) -> list[str]:
    """Return a line for each thing that may not be."""
    return [
        *_missing(evidence),
        *_too_early(evidence),
        *_handled_again(evidence),
        *_commits_ahead(evidence),
        *_commits_ignored(evidence),
    ]


def _missing(evidence: Evidence) -> Iterable[str]:
    handled = {each.number for each in evidence.handled}
    for number, place in sorted(evidence.places.items()):
        if number not in handled:
            yield f"record {number} at {place} was never handled"
        if not evidence.results.get(number):
            yield f"record {number} at {place} has no result"


def _too_early(evidence: Evidence) -> Iterable[str]:
    """A commit that was seen covers only what was handled and uploaded by then."""
    numbers = {place: number for number, place in evidence.places.items()}
    first_life: dict[int, int] = {}
    for each in evidence.handled:
        first_life.setdefault(each.number, each.life)
    checked: dict[int, int] = {}
    for seen in evidence.seen:
        for partition, offset in seen.committed.items():
            for below in range(checked.get(partition, 0), offset):
                number = numbers[partition, below]
                where = f"life {seen.life}: {partition}/{below} is committed"
                if first_life.get(number, seen.life + 1) > seen.life:
                    yield f"{where} and was not handled"
                results = evidence.results.get(number, ())
                if not any(at < seen.results_end.get(to, 0) for to, at in results):
                    yield f"{where} and has no result yet"
            checked[partition] = max(offset, checked.get(partition, 0))


def _handled_again(evidence: Evidence) -> Iterable[str]:
    """Nothing that was seen to be committed is handled by a later life."""
    floors: dict[int, int] = {}
    committed = {seen.life: seen.committed for seen in evidence.seen}
    life = 0
    for each in sorted(evidence.handled, key=lambda each: each.life):
        while life < each.life:
            floors.update(committed.get(life, {}))
            life += 1
        partition, offset = evidence.places[each.number]
        if offset < floors.get(partition, 0):
            yield f"life {each.life} handled {partition}/{offset} below {floors[partition]} again"


def _commits_ahead(evidence: Evidence) -> Iterable[str]:
    """No commit was stored before all below it was handled, and none goes back."""
    first_ms: dict[tuple[int, int], int] = {}
    for each in evidence.handled:
        first_ms.setdefault(evidence.places[each.number], each.at_ms)
    checked: dict[int, int] = {}
    for partition, offset, at_ms in evidence.commits:
        done = checked.get(partition, 0)
        if offset < done:
            yield f"the commit of partition {partition} goes back from {done} to {offset}"
        for below in range(done, offset):
            if first_ms.get((partition, below), at_ms + 1) > at_ms:
                yield f"partition {partition}: {offset} committed before {below} was handled"
        checked[partition] = offset


def _commits_ignored(evidence: Evidence) -> Iterable[str]:
    """Nothing is handled that a stored commit covers, at whatever moment it was stored."""
    stored: dict[int, list[Commit]] = {}
    for commit in evidence.commits:
        stored.setdefault(commit.partition, []).append(commit)
    for each in evidence.handled:
        partition, offset = evidence.places[each.number]
        commits = stored.get(partition, [])
        earlier = bisect_left(commits, each.at_ms, key=lambda commit: commit.at_ms)
        if earlier and commits[earlier - 1].offset > offset:
            yield f"life {each.life} handled {partition}/{offset} after {commits[earlier - 1]}"
