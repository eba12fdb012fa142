"""One record in flight, and one piece of work it caused. Data only; the engine moves it along."""

from typing import Any

from data_analysis.batches import BatchCollector
from data_analysis.inputs import Snapshot


class Flight:
    """A record in work: `open` things that it caused are still to be done."""

    __slots__ = ("generation", "offset", "open", "partition", "topic")

    def __init__(self, topic: str, partition: int, offset: int, generation: int) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.generation = generation
        self.open = 0


class Work:
    """What one record, or with `coalesce` all of one poll, asks of one station.

    `flight` is the record whose state the snapshot shows, `merged` the earlier records of the poll;
    `shown` is the input as the callback got it. `batches` get the result; where all that the work
    was caused by are batches, it is not `single`: nothing but they waits for it.
    """

    __slots__ = (
        "attempts",
        "batches",
        "flight",
        "merged",
        "result",
        "shown",
        "single",
        "snapshot",
        "station_id",
    )

    def __init__(self, station_id: str, snapshot: Snapshot, flight: Flight) -> None:
        self.station_id = station_id
        self.snapshot = snapshot
        self.flight = flight
        self.merged: list[Flight] = []
        self.batches: tuple[BatchCollector, ...] = ()
        self.single = True
        self.attempts = 0
        self.shown: dict[str, Any] | None = None
        self.result: Any = None

    def flights(self) -> list[Flight]:
        """Return every record that waits for this work itself, not for a batch."""
        return [*self.merged, self.flight] if self.single else self.merged
