"""What the engine wants done; the services do it.

An effect says what, never how. Whatever needs an answer names the work it belongs to, and the
service hands the answer to the engine's `finished`, `failed`, `handled`, `acknowledged` or
`batch_handled`. Nobody but the engine, until it returns it, changes an effect; those that come with
every record are not frozen, which would make them three times as slow to make.
"""

from dataclasses import dataclass, field
from typing import Any

from data_analysis.batches import BatchCollector
from data_analysis.work import Answered, Flight, Ownership, Work


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

    It is the work, or what is left of it, or a dead letter.

    `key` decides the partition, `timestamp_ms` is the record's own time.
    """

    topic: str
    key: bytes
    value: bytes
    timestamp_ms: int
    headers: tuple[tuple[str, bytes], ...]
    ticket: Any


@dataclass(slots=True, eq=False)
class Results:
    """Send results that came together, in this order, as `Upload` does for one; itself the ticket.

    A result is an entry of each column: nothing is made for it that the garbage collector would
    look at. `origins` are the offsets of records of `ownership` or, where that is None, the flights
    of records that may be of other stations too.
    """

    topic: str
    timestamp_ms: int
    ownership: Ownership | None
    keys: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    origins: list[Any] = field(default_factory=list)

    def add(self, key: bytes, value: bytes, origin: Any) -> None:
        """Add one result."""
        self.keys.append(key)
        self.values.append(value)
        self.origins.append(origin)

    def blank(self) -> "Results":
        """Return the same without results."""
        return Results(self.topic, self.timestamp_ms, self.ownership)

    def cut(self, count: int) -> tuple["Results", "Results"]:
        """Return the first `count` results, and the others."""
        first, others = self.blank(), self.blank()
        first.keys, others.keys = self.keys[:count], self.keys[count:]
        first.values, others.values = self.values[:count], self.values[count:]
        first.origins, others.origins = self.origins[:count], self.origins[count:]
        return first, others

    def uploads(self) -> list[Upload]:
        """Return the results one by one."""
        ownership = self.ownership
        uploads: list[Upload] = []
        for key, value, origin in zip(self.keys, self.values, self.origins, strict=True):
            flight = origin if ownership is None else Flight(ownership, origin)
            ticket = Answered(key.decode(), flight)
            uploads.append(Upload(self.topic, key, value, self.timestamp_ms, (), ticket))
        return uploads


Sent = Upload | Results


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


Effect = RunCallback | AwaitAnswer | RunHandlers | RunBatchHandler | Sent | Note


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
