"""What keeps the data of one topic of one station must answer, and what a look at it shows.

The general store is `data_analysis.windows.Window`; topics that only need their newest point,
merge devices or gather seconds have their own. Which one a topic has is decided in
`data_analysis.topics`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from data_analysis.columns import Array

_SIMPLE = frozenset((str, int, float, bool, type(None)))

BEFORE_ALL = float("-inf")
"""Time of a first point that came without one."""


class Outcome(Enum):
    """What became of a point."""

    APPENDED = "appended"
    INSERTED = "inserted"
    TOO_LATE = "too_late"
    DUPLICATE = "duplicate"


class View(Protocol):
    """The data of a store at one instant, oldest first; nothing changes it any more."""

    @property
    def count(self) -> int:
        """How many points there are; 0 is no data."""

    @property
    def newest(self) -> Sequence[Any]:
        """The newest value of each column; empty without points."""

    def array(self, column: int) -> Array:
        """Return one column as a read-only array."""

    def values(self, column: int) -> list[Any]:
        """Return one column as a new list of the values that went in."""

    def rows(self) -> Sequence[Sequence[Any]]:
        """Return the points, oldest first."""


class Store(Protocol):
    """The data of one topic of one station."""

    arrived_at: float
    """When the newest point arrived, in epoch seconds."""

    def __len__(self) -> int: ...

    def add(self, values: Any, timestamp: float | None, now: float) -> Outcome:
        """Take a row of the topic's family.

        Args:
            values: the row.
            timestamp: epoch seconds; None appends.
            now: the time of arrival.
        """

    def add_all(
        self, rows: Sequence[Any], timestamp: float | None, now: float
    ) -> Mapping[Outcome, int]:
        """Take rows of one time, as `add` would one after the other; count the outcomes."""

    def view(self) -> View:
        """Return the data as it is now."""

    def clear(self) -> None:
        """Forget everything; views keep theirs."""


class OneByOne:
    """A store of which many rows at once ask no more than one row does."""

    __slots__ = ()

    def add_all(
        self: Store, rows: Sequence[Any], timestamp: float | None, now: float
    ) -> Mapping[Outcome, int]:
        """Take rows of one time; see `Store.add_all`."""
        return Counter(self.add(row, timestamp, now) for row in rows)


def same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Return whether two rows are equal, value by value and of the same types."""
    if type(one) is type(other) and one != other:
        return False
    return all(
        type(held) is type(value) and held == value for held, value in zip(one, other, strict=True)
    )


def unknown(rows: Sequence[Sequence[Any]], held: Sequence[Sequence[Any]], room: int) -> list[Any]:
    """Return the rows, of one time, that are no duplicates when they come one after the other.

    Args:
        rows: in the order of their arrival.
        held: those that a window has of the same time, in that order.
        room: how many rows of this time the window can hold; what had to leave is known no more.
    """
    if _differ([*held, *rows]):
        return list(rows)
    kept = list(held)
    places: dict[Any, list[int]] = {}
    for place, row in enumerate(kept):
        places.setdefault(_simple(row), []).append(place)
    for row in rows:
        alike = places.setdefault(_simple(row), [])
        oldest = len(kept) - room
        if not any(place >= oldest and same(kept[place], row) for place in reversed(alike)):
            alike.append(len(kept))
            kept.append(row)
    return kept[len(held) :]


def outcomes_of(rows: int, stored: int, late: bool) -> Mapping[Outcome, int]:
    """Return the outcomes of so many rows, the stored ones and the duplicates."""
    outcomes = {Outcome.INSERTED if late else Outcome.APPENDED: stored}
    outcomes[Outcome.DUPLICATE] = rows - stored
    return {outcome: count for outcome, count in outcomes.items() if count}


def _differ(rows: Sequence[Any]) -> bool:
    """Return whether all rows differ; False also where that takes a closer look."""
    try:
        return len(set(rows)) == len(rows)
    except TypeError:
        return False


def _simple(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return the part of a row that can be looked up; equal rows have an equal one."""
    return tuple([value for value in row if type(value) in _SIMPLE])
