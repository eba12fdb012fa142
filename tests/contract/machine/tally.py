"""What was put to the test: programs, steps, request kinds and the errors that were reached."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.contract.machine.answers import error_codes
from tests.contract.machine.steps.step import Step


@dataclass
class Tally:
    """Counts of everything that was compared."""

    programs: int = 0
    steps: int = 0
    unsure: list[str] = field(default_factory=list)
    """Disagreements that were none when the program ran again, with more patience."""
    reached: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By request kind and error code."""
    versions: set[tuple[str, int]] = field(default_factory=set)

    def add(self, step: Step, answer: Any) -> None:
        """Count an answer that both brokers gave."""
        codes = set(error_codes(answer)) if isinstance(answer, dict) else set()
        self.versions.add((step.kind, step.version))
        self.reached.update((step.kind, code) for code in codes)

    def missing(self, wanted: set[tuple[str, int]]) -> list[tuple[str, int]]:
        """Which of the wanted pairs of kind and error were never reached."""
        return sorted(wanted - set(self.reached))

    def lines(self) -> list[str]:
        """A summary: how much, then each kind's error codes with how often they were answered."""
        found = [
            f"{self.programs} programs, {self.steps} steps, {len(self.versions)} versions of "
            f"{len({kind for kind, _ in self.versions})} request kinds, "
            f"{len(self.unsure)} disagreements not confirmed"
        ]
        for kind in sorted({kind for kind, _ in self.reached}):
            counts = [f"{c}: {n}" for (k, c), n in sorted(self.reached.items()) if k == kind]
            found.append(f"{kind:<24}{', '.join(counts)}")
        return found
