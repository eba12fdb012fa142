"""When a topic of a station speaks within an interval: entities, and due times in columns.

What is said then is the topics' business; what becomes of it is `imperfections`'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from station_sim.streams.noise import Ints


class Entity(NamedTuple):
    """Who speaks: `name` is told in the ledger, `part` is what the topic looks up.

    `host` is the index of the host whose clock stamps the record, None where the clock is right.
    """

    name: str
    part: Any = None
    host: int | None = None


@dataclass(slots=True)
class Schedule:
    """Records of one topic in columns of one length, by entity and then by time.

    `which` indexes `entities`. `period_ms` is the distance to the entity's next record.
    """

    entities: Sequence[Entity]
    which: Ints
    due_ms: Ints
    period_ms: Ints

    def __len__(self) -> int:
        return len(self.due_ms)

    def slices(self) -> list[slice]:
        """The places of each entity's records."""
        bounds = np.searchsorted(self.which, np.arange(len(self.entities) + 1)).tolist()
        return [slice(bounds[i], bounds[i + 1]) for i in range(len(self.entities))]


def grid(phase_ms: int, period_ms: int, begin_ms: int, end_ms: int) -> Ints:
    """Instants phase + k * period, k >= 0, in [begin, end)."""
    first = max(0, -(-(begin_ms - phase_ms) // period_ms))
    return np.arange(phase_ms + first * period_ms, end_ms, period_ms, dtype=np.int64)


def regular(
    entities: Sequence[Entity], phases_ms: Sequence[int], period_ms: int, begin: int, end: int
) -> Schedule:
    """Every entity at its own phase with one period."""
    return joined(entities, [grid(phase, period_ms, begin, end) for phase in phases_ms], period_ms)


def joined(entities: Sequence[Entity], dues_ms: Sequence[Ints], period_ms: int | Ints) -> Schedule:
    """A schedule of every entity's due times."""
    counts = [len(each) for each in dues_ms]
    due_ms = np.concatenate(dues_ms) if dues_ms else np.empty(0, dtype=np.int64)
    which = np.repeat(np.arange(len(entities), dtype=np.int64), counts)
    if isinstance(period_ms, int):
        period_ms = np.full(len(due_ms), period_ms, dtype=np.int64)
    return Schedule(entities, which, due_ms, period_ms)
