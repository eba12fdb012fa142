"""When each record is due: an open-loop schedule, fixed before the first record is sent.

Every station sends with the same period at a phase of its own, as stations in the field do. A slow
sender or a slow Kafka moves nothing: latency counts from when a record was due, not from when it
got away (no coordinated omission). Sending is in `gateway.py`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from station_sim.world.random_streams import random_stream


class Due(NamedTuple):
    """One record to send: `at_s` is seconds after the sender's start, `seq` counts per station."""

    at_s: float
    station: str
    seq: int


class Schedule:
    """The records of some stations over `duration_s` seconds, in the order they are due."""

    def __init__(
        self, stations: Sequence[str], *, period_s: float, duration_s: float, seed: int
    ) -> None:
        self.period_s = period_s
        self.duration_s = duration_s
        self._phases = sorted(
            (random_stream(seed, station, "load-phase").random() * period_s, station)
            for station in stations
        )

    def __iter__(self) -> Iterator[Due]:
        seq = 0
        while True:
            for phase_s, station in self._phases:
                at_s = phase_s + seq * self.period_s
                if at_s >= self.duration_s:
                    return
                yield Due(at_s, station, seq)
            seq += 1

    def __len__(self) -> int:
        return sum(1 for _ in self)
