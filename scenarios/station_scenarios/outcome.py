"""The outcome of one run of one scenario, and what it means for the exit code (semantics 45)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from station_scenarios.checker.violations import Violation

EXIT_HELD, EXIT_VIOLATED, EXIT_ERROR = 0, 1, 2


class Verdict(StrEnum):
    """What came out: everything held, something did not, or the run itself failed."""

    HELD = "held"
    VIOLATED = "violated"
    ERROR = "error"


EXIT_CODES = {
    Verdict.HELD: EXIT_HELD,
    Verdict.VIOLATED: EXIT_VIOLATED,
    Verdict.ERROR: EXIT_ERROR,
}


@dataclass(slots=True)
class Outcome:
    """One run. `digest` is None off virtual brokers; `error` is one line if the run failed.

    `story_s` is how much story time passed, `wall_s` how long that took.
    """

    scenario: str
    broker: str
    seed: int
    verdict: Verdict
    digest: str | None
    violations: list[Violation]
    counts: dict[str, int]
    story_s: float
    wall_s: float
    error: str | None = None
    interrupted: bool = False
    replay: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:
        """The object of the JSON report."""
        return {
            "scenario": self.scenario,
            "broker": self.broker,
            "seed": self.seed,
            "verdict": self.verdict.value,
            "digest": self.digest,
            "violations": [violation.as_json() for violation in self.violations],
            "counts": self.counts,
            "story_s": round(float(self.story_s), 3),
            "wall_s": round(self.wall_s, 3),
            "error": self.error,
            "replay": self.replay,
        }


def exit_code(outcomes: list[Outcome]) -> int:
    """0 all held, 1 something was violated, 2 something could not run; 2 beats 1."""
    return max((EXIT_CODES[outcome.verdict] for outcome in outcomes), default=EXIT_HELD)
