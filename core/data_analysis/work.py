"""One record in flight, and one piece of work it caused. Data only; the engine moves it along."""

from collections.abc import Mapping, Sequence
from typing import Any

from data_analysis.batches import BatchCollector
from data_analysis.inputs import Inputs
from data_analysis.stores import View

_NOTHING: Mapping[str, View] = {}


class Ownership:
    """A partition while it is ours, from one assignment on: `in_flight` of its records are in work.

    `current` is false once the partition is owned anew, or not at all.
    """

    __slots__ = ("current", "generation", "in_flight", "tp")

    def __init__(self, tp: tuple[str, int], generation: int) -> None:
        self.tp = tp
        self.generation = generation
        self.current = True
        self.in_flight = 0


class Flight:
    """A record in work: `open` things that it caused are still to be done."""

    __slots__ = ("offset", "open", "ownership")

    def __init__(self, ownership: Ownership, offset: int) -> None:
        self.ownership = ownership
        self.offset = offset
        self.open = 1

    @property
    def topic(self) -> str:
        """The record's topic."""
        return self.ownership.tp[0]

    @property
    def partition(self) -> int:
        """The record's partition."""
        return self.ownership.tp[1]


class Buried:
    """A dead letter on its way, and the record that waits for it."""

    __slots__ = ("flight",)

    def __init__(self, flight: Flight) -> None:
        self.flight = flight


class Answered:
    """A result on its way: of which station, and which record waits for it."""

    __slots__ = ("flight", "station_id")

    merged: Sequence[Flight] = ()
    single: bool = True

    def __init__(self, station_id: str, flight: Flight) -> None:
        self.station_id = station_id
        self.flight = flight

    def flights(self) -> Sequence[Flight]:
        """Return every record that waits for this work itself, not for a batch."""
        return (self.flight,)


class Work(Answered):
    """What one record, or with `coalesce` all of one poll, asks of one station.

    `flight` is the record whose state `views` show, to `inputs`; `merged` are the earlier records
    of the poll; `shown` is the input as the callback got it. `batches` get the result; where all
    that the work was caused by are batches, it is not `single`: nothing but they waits for it.
    """

    __slots__ = (
        "attempts",
        "batches",
        "inputs",
        "merged",
        "result",
        "shown",
        "single",
        "views",
    )

    def __init__(
        self, station_id: str, inputs: Inputs, views: Mapping[str, View], flight: Flight
    ) -> None:
        super().__init__(station_id, flight)
        self.inputs = inputs
        self.views = views
        self.merged: Sequence[Flight] = ()
        self.batches: tuple[BatchCollector, ...] = ()
        self.single = True
        self.attempts = 0
        self.shown: dict[str, Any] | None = None
        self.result: Any = None

    def show(self, form: str) -> dict[str, Any]:
        """Return the input as a new dict, which is `shown` from now on; `form` as in `Inputs`."""
        self.shown = self.inputs.assemble(self.station_id, self.views, form)
        return self.shown

    def let_go(self) -> None:
        """Keep no input: nobody looks at it any more."""
        self.shown = None
        self.views = _NOTHING

    def flights(self) -> Sequence[Flight]:
        """Return every record that waits for this work itself, not for a batch."""
        return [*self.merged, self.flight] if self.single else self.merged
