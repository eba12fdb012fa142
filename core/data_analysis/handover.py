"""Records that are handed over together, and what they bring about."""

from collections.abc import Callable
from typing import Any

from data_analysis.batches import BatchCollector
from data_analysis.durations import Durations
from data_analysis.effects import Effect
from data_analysis.work import Flight, Ownership

MILLISECONDS = 1000

CALLS_AT_ONCE = 256
"""Most callbacks that records call themselves at one time; further ones take turns."""

SECONDS_AT_ONCE = 0.05
"""When these have taken so long together, further ones take turns too: others wait for the loop,
heartbeats among them."""

Call = Callable[[str, dict[str, Any]], Any]
"""Calls a station's callback with an input: its result, `Raised` or `Pending`."""


class Handover:
    """Records that come at the time `now`, in epoch seconds.

    `call` calls back at once, None where callbacks wait for others to run them; `calls_left` says
    how often it still may, and it may until callbacks have held their caller for `most_seconds` by
    `durations`. `effects` are what is to be done, in order. `lined_up` counts the callbacks that
    take turns.
    """

    __slots__ = (
        "call",
        "calls_left",
        "durations",
        "effects",
        "lined_up",
        "most_seconds",
        "now",
    )

    def __init__(self, now: float, call: Call | None, durations: Durations) -> None:
        self.now = now
        self.call = call
        self.calls_left = CALLS_AT_ONCE
        self.durations = durations
        self.most_seconds = durations.held_seconds + SECONDS_AT_ONCE
        self.effects: list[Effect] = []
        self.lined_up = 0

    @property
    def may_call(self) -> bool:
        """Whether records may call themselves once more."""
        return self.calls_left > 0 and self.durations.held_seconds <= self.most_seconds

    @property
    def asked(self) -> int:
        """How many callbacks the records have asked for."""
        return CALLS_AT_ONCE - self.calls_left + self.lined_up


Asked = list[tuple[Any, Any]]
"""What is asked of a station where one callback is made of it: `(Ownership, offsets)` by records of
this station alone, `(Flight, BatchCollector | None)` by another, with the batch that waits for it.
"""


def flights_of(asked: Asked) -> list[tuple[Flight, BatchCollector | None]]:
    """Return each record with a flight."""
    flights: list[tuple[Flight, BatchCollector | None]] = []
    for origin, what in asked:
        if isinstance(origin, Ownership):
            flights.extend([(Flight(origin, offset), None) for offset in what])
        else:
            flights.append((origin, what))
    return flights


Ask = Callable[[Handover, str, Flight, BatchCollector | None], None]
"""Is told that a record has changed a station that is called, and which batch waits for it."""
