"""Records that were lost for good, as an event, and what a commit remembers to date them.

Here live the event and the text in a commit's metadata. How a gap is found is in
`data_analysis.kafka.positions`.
"""

from dataclasses import dataclass
from enum import StrEnum

NOTE_VERSION = "v1"
_LAST_RECORD_KEY = "last_record_ms"


class GapCause(StrEnum):
    """Why records cannot be had any more."""

    NO_COMMITTED_OFFSET = "no_committed_offset"
    EXPIRED = "expired"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class GapEvent:
    """A range of offsets of one partition that no callback has seen or will see.

    `start_offset` is the first lost offset, `end_offset` the first that is not lost; both are
    offsets of the log as it is now. `time_span_seconds` is the time between the last record before
    the gap and the first after it, None if unknown; `detected_at` is in epoch seconds.
    """

    cause: GapCause
    topic: str
    partition: int
    start_offset: int
    end_offset: int
    time_span_seconds: float | None
    detected_at: float

    @property
    def lost(self) -> int:
        """How many offsets are lost."""
        return self.end_offset - self.start_offset


def write_commit_note(last_record_ms: int | None) -> str:
    """Return the metadata of a commit: versioned text that dates the last record before it."""
    if last_record_ms is None:
        return ""
    return f"{NOTE_VERSION} {_LAST_RECORD_KEY}={last_record_ms}"


def read_commit_note(metadata: str | None) -> int | None:
    """Return the time in a commit's metadata, epoch milliseconds; None for other text."""
    version, _, rest = (metadata or "").partition(" ")
    key, _, number = rest.partition("=")
    if version != NOTE_VERSION or key != _LAST_RECORD_KEY:
        return None
    digits = number.removeprefix("-")
    return int(number) if digits.isdecimal() and digits.isascii() and len(digits) < 19 else None
