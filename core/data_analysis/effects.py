"""What the engine wants done; the services do it.

An effect says what, never how. Whatever needs an answer names the work it belongs to, and the
service hands the answer to the engine's `finished`, `failed`, `handled`, `acknowledged` or
`batch_handled`. Nobody changes an effect; the three that come with every record are not frozen,
which would make them three times as slow to make.
"""

from dataclasses import dataclass
from typing import Any

from data_analysis.batches import BatchCollector
from data_analysis.work import Work


@dataclass(slots=True, eq=False)
class RunCallback:
    """Call the station's callback with the input of `work`."""

    work: Work


@dataclass(slots=True, eq=False)
class AwaitAnswer:
    """Await the answer of the callback for `work`, which has been called; `pending` has it."""

    work: Work
    pending: "Pending"


@dataclass(slots=True, eq=False)
class RunHandlers:
    """Call the result handlers for `work`, whose result has been acknowledged."""

    work: Work


@dataclass(frozen=True, slots=True)
class RunBatchHandler:
    """Call the batch handler with the id and the results of `batch`, which has ended."""

    batch: BatchCollector


@dataclass(slots=True, eq=False)
class Upload:
    """Send one record; `ticket` comes back with the acknowledgement.

    It is the work, or what is left of it, a dead letter, or the record that is of one station.

    `key` decides the partition, `timestamp_ms` is the record's own time.
    """

    topic: str
    key: bytes
    value: bytes
    timestamp_ms: int
    headers: tuple[tuple[str, bytes], ...]
    ticket: Any


@dataclass(frozen=True, slots=True)
class Note:
    """Say something in the log, at most once per `limit` and minute where it is given.

    `level` is a level of `logging`, `text` a format string for `details`.
    """

    level: int
    text: str
    details: tuple[Any, ...]
    limit: str | None = None
    error: BaseException | None = None


Effect = RunCallback | AwaitAnswer | RunHandlers | RunBatchHandler | Upload | Note


# What the engine hears at once, where it has callbacks called while it applies records.


@dataclass(frozen=True, slots=True)
class Raised:
    """A callback has raised."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Pending:
    """A callback that began at `began`, by the monotonic clock, has returned an awaitable."""

    answer: Any
    began: float
