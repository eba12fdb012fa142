"""How one commit goes: what is sent, how often it is tried, what its answer means.

Decided without I/O and without waiting: a commit is a generator that yields what is to be sent and
how long to wait, is sent None for an acknowledgement (or thrown `UnansweredError`), and returns
whether all was acknowledged. When a commit is due is known to `OffsetManager`.
"""

import logging
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from data_analysis.gaps import write_commit_note
from data_analysis.kafka.errors import UnansweredError
from data_analysis.observe import Counters
from data_analysis.offsets import OffsetManager, Partition

logger = logging.getLogger(__name__)

COMMIT_TIMEOUT_SECONDS = 15.0
"""How long one try waits for its answer."""


@dataclass(frozen=True, slots=True)
class SendCommit:
    """Commit these offsets, each with its metadata."""

    offsets: dict[Partition, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on after so many seconds."""

    seconds: float


Offsets = Mapping[tuple[str, int], int | tuple[int, str]]
"""Next offsets by topic and partition, with metadata or without."""

Committing = Generator[SendCommit | Wait, None, bool]


def commit_safe(
    offsets: OffsetManager,
    counters: Counters,
    tries: int | None = None,
    topics: Sequence[str] | None = None,
) -> Committing:
    """Commit what is safe; returns whether it was acknowledged, or nothing was to do.

    An answer that does not come leaves the commit unknown: it may have been stored, and is tried
    again with what is safe by then.

    Args:
        offsets: says what is safe.
        counters: where commits are counted.
        tries: the manager's `max_commit_retries` unless given.
        topics: those to commit, where others are committed by another member; None for all.
    """
    tries = offsets.max_commit_retries if tries is None else tries
    for attempt in range(1, tries + 1):
        safe = offsets.committable()
        if topics is not None:
            safe = {tp: offset for tp, offset in safe.items() if tp.topic in topics}
        if not safe:
            return True
        try:
            yield SendCommit({tp: (safe[tp], _note(offsets, tp)) for tp in safe})
        except UnansweredError as error:
            counters.commit_errors += 1
            offsets.unknown(safe)
            logger.warning("commit of %d partitions is unknown: %s", len(safe), error)
        else:
            counters.commits += 1
            offsets.confirmed(safe)
            logger.info("成功提交 %d 个分区 offset", len(safe))
            return True
        if attempt < tries:
            yield Wait(offsets.commit_retry_delay)
    logger.error(
        "commit of %d partitions given up after %d tries; it is tried again when next due",
        len(safe),
        tries,
    )
    return False


def with_notes(offsets: Offsets, topics: Sequence[str]) -> dict[Partition, tuple[int, str]]:
    """Return the offsets of some topics, each with its metadata, which may be left out."""
    return {
        Partition(*tp): offset if isinstance(offset, tuple) else (offset, "")
        for tp, offset in offsets.items()
        if tp[0] in topics
    }


def _note(offsets: OffsetManager, tp: Partition) -> str:
    return write_commit_note(offsets.last_record_ms(tp))
