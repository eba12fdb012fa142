"""Judges records that no callback was for, and the gaps that the service declared.

A missing record may lie in a declared gap. If it does not, the broker may have lost it (then the
gap was swallowed), or the service did. A declared gap must be true: everything in it was lost, and
nothing in it was committed before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from station_scenarios.checker.gaps import CutHead, DeclaredGap
from station_scenarios.checker.queues import SentRecord
from station_scenarios.checker.violations import Violation
from station_scenarios.checker.work import Life, Parts


@dataclass(slots=True)
class Run:
    """Missing records of one station and topic, without one that was handed over in between."""

    station: str
    first: SentRecord
    last: SentRecord
    count: int = 1


def judge_left_behind(
    parts: Parts,
    global_topics: frozenset[str],
    lives: Sequence[Life],
    cuts: Sequence[CutHead],
    gaps: Sequence[DeclaredGap],
    at_s: float,
) -> Iterator[Violation]:
    """`handed-over` and `gap-declared`."""
    heads = _heads(cuts)
    lost: dict[tuple[str, int], list[int]] = {}
    missing: dict[int, None] = {}
    for number in _needed(parts, global_topics, lives):
        record = parts.record[number]
        where, offset = _place(record)
        if any(_covers(gap, where, offset) for gap in gaps):
            continue
        if offset < heads.get(where, 0):
            lost.setdefault(where, []).append(offset)
        else:
            missing[number] = None
    for run in _runs(parts, missing):
        yield _not_handed_over(run, at_s)
    for (topic, partition), offsets in sorted(lost.items()):
        yield _swallowed(topic, partition, sorted(set(offsets)), at_s)
    for gap in gaps:
        yield from _untrue(gap, heads.get((gap.topic, gap.partition), 0))


def _needed(parts: Parts, global_topics: frozenset[str], lives: Sequence[Life]) -> Iterator[int]:
    """Parts of acknowledged records that somebody should have been called for and was not."""
    known = lives[-1].stations if lives else set()
    for number, handed in enumerate(parts.handed):
        record = parts.record[number]
        if handed or parts.optional[number] or record.offset is None:
            continue
        if record.topic in global_topics and parts.station[number] not in known:
            continue
        yield number


def _runs(parts: Parts, missing: dict[int, None]) -> list[Run]:
    """Missing parts by station and topic, a new run after each part that was handed over."""
    if not missing:
        return []
    runs: list[Run] = []
    current: dict[tuple[str, str], Run] = {}
    for number, record in enumerate(parts.record):
        where = parts.station[number], record.topic
        if parts.handed[number]:
            current.pop(where, None)
        elif number in missing and where in current:
            current[where].last = record
            current[where].count += 1
        elif number in missing:
            current[where] = Run(where[0], record, record)
            runs.append(current[where])
    return runs


def _not_handed_over(run: Run, at_s: float) -> Violation:
    (topic, partition), offset = _place(run.first)
    last_offset = _place(run.last)[1]
    records = "1 record was" if run.count == 1 else f"{run.count} records were"
    return Violation(
        "handed-over",
        f"{run.station}: {records} never handed over, {topic} from {partition}/{offset}"
        f" to offset {last_offset}, and no gap was declared",
        at_s,
        station=run.station,
        topic=topic,
        partition=partition,
        offset=offset,
    )


def _swallowed(topic: str, partition: int, offsets: list[int], at_s: float) -> Violation:
    return Violation(
        "gap-declared",
        f"{len(offsets)} records of {topic}/{partition} from offset {offsets[0]} to {offsets[-1]}"
        " were lost with the head of the log, and no gap says so",
        at_s,
        topic=topic,
        partition=partition,
        offset=offsets[0],
    )


def _untrue(gap: DeclaredGap, head_offset: int) -> Iterator[Violation]:
    where = f"{gap.topic}/{gap.partition}"
    declared = f"gap {gap.start_offset}..{gap.end_offset} of {where} ({gap.cause})"
    if gap.end_offset > head_offset:
        wrong = f"{declared} declares records lost that the broker has, from {head_offset} on"
    elif gap.start_offset < gap.committed_offset:
        wrong = f"{declared} begins below the committed offset {gap.committed_offset}"
    else:
        return
    yield Violation(
        "gap-declared",
        wrong,
        gap.at_s,
        topic=gap.topic,
        partition=gap.partition,
        offset=gap.start_offset,
    )


def _heads(cuts: Iterable[CutHead]) -> dict[tuple[str, int], int]:
    heads: dict[tuple[str, int], int] = {}
    for cut in cuts:
        where = cut.topic, cut.partition
        heads[where] = max(heads.get(where, 0), cut.before_offset)
    return heads


def _covers(gap: DeclaredGap, where: tuple[str, int], offset: int) -> bool:
    return (gap.topic, gap.partition) == where and gap.start_offset <= offset < gap.end_offset


def _place(record: SentRecord) -> tuple[tuple[str, int], int]:
    assert record.partition is not None
    assert record.offset is not None
    return (record.topic, record.partition), record.offset
