"""What keeps the data of one topic of one station must answer, and what a look at it shows.

The general store is `data_analysis.windows.Window`; topics that only need their newest point,
merge devices or gather seconds have their own. Which one a topic has is decided in
`data_analysis.topics`.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Any, Protocol

from data_analysis.columns import Array

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

    def view(self) -> View:
        """Return the data as it is now."""

    def clear(self) -> None:
        """Forget everything; views keep theirs."""


def same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Return whether two rows are equal, value by value and of the same types."""
    if type(one) is type(other) and one != other:
        return False
    return all(
        type(held) is type(value) and held == value for held, value in zip(one, other, strict=True)
    )
