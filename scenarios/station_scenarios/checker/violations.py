"""The invariants by their ids, and a violation of one of them.

What an invariant means is told in `docs/reference/invariants.md`; how it is found lives in the
other files of this folder.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

INVARIANTS = {
    "handed-over": "every acknowledged record was handed over or lies in a declared gap",
    "handed-once": "no record is handed over twice, except after a restart",
    "order": "per station and topic, records are handed over in partition order",
    "windows": "every module input equals the one computed from the ledger",
    "commit-behind-work": "at every commit, all work of the records below it was finished",
    "uploaded": "every callback's result is in the output topic, well formed and keyed by station",
    "gap-declared": "records lost to the log's head are declared, and declared gaps are true",
    "caught-up": "after healing, the committed offsets reach the end within the budget",
}

LISTED_PER_INVARIANT = 20
"""Beyond this many of one kind, violations are counted only: the first ones tell the story."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that must not happen and did; `at_s` is epoch seconds of the run's clock."""

    invariant: str
    message: str
    at_s: float
    station: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The object of the JSON report (semantics 45)."""
        return asdict(self)


class Violations:
    """Collects violations; keeps the first of each kind and counts them all."""

    def __init__(self) -> None:
        self.listed: list[Violation] = []
        self.count_by_invariant: Counter[str] = Counter()

    def add(self, violation: Violation) -> None:
        """Take one in; an unknown invariant id is a bug of the checker."""
        assert violation.invariant in INVARIANTS, violation.invariant
        self.count_by_invariant[violation.invariant] += 1
        if self.count_by_invariant[violation.invariant] <= LISTED_PER_INVARIANT:
            self.listed.append(violation)

    @property
    def count(self) -> int:
        """How many were found, listed or not."""
        return sum(self.count_by_invariant.values())
