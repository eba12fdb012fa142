"""What a run must reach, stated by its user before it runs, and whether it did.

A lost record needs no threshold: none may be lost, ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Threshold:
    """`figure` (a key of the report) must be at least (`min`) or at most (`max`) `limit`."""

    figure: str
    kind: Literal["min", "max"]
    limit: float

    @property
    def name(self) -> str:
        """As its option is called: `min-processed-per-s`."""
        return f"{self.kind}-{self.figure}".replace("_", "-")

    def is_held(self, measured: float | None) -> bool:
        """Whether a measured figure reaches the limit; a figure that is missing does not."""
        if measured is None:
            return False
        return measured >= self.limit if self.kind == "min" else measured <= self.limit

    def judge(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """`{"name", "limit", "measured", "held"}` for the report."""
        measured = figures[self.figure]
        return {
            "name": self.name,
            "limit": self.limit,
            "measured": measured,
            "held": self.is_held(measured),
        }
