"""What came of a validation as a whole: outcomes of targets, checks of invariants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from station_sim.validation.catalogue import INVARIANTS, TARGETS
from station_sim.validation.invariants import Check, check_all
from station_sim.validation.saved_run import SavedRun
from station_sim.validation.targets import ORDINARY, Outcome, Verdict, judge_all


@dataclass(frozen=True, slots=True)
class Judgement:
    """`outcomes` in the order of the targets; `checks` by run, in the order of the invariants."""

    outcomes: Sequence[Outcome]
    checks: Mapping[str, Sequence[Check]]

    @property
    def missed(self) -> list[Outcome]:
        """Targets that were measured and are not met."""
        return [each for each in self.outcomes if each.verdict is Verdict.MISSED]

    @property
    def open(self) -> list[Outcome]:
        """Targets that nothing could be said about."""
        return [each for each in self.outcomes if each.verdict is Verdict.OPEN]

    @property
    def broken(self) -> list[tuple[str, Check]]:
        """Invariants with violations, each with the name of the run."""
        return [
            (run, check)
            for run, checks in self.checks.items()
            for check in checks
            if check.violations
        ]

    @property
    def held(self) -> bool:
        """Whether no target is missed and no invariant broken."""
        return not self.missed and not self.broken


def judge_runs(runs: Mapping[str, SavedRun]) -> Judgement:
    """Measure all targets; look for violations in every run."""
    return Judgement(
        judge_all(TARGETS, runs), {name: check_all(INVARIANTS, run) for name, run in runs.items()}
    )


def judge_run(run: SavedRun) -> Judgement:
    """Judge an ordinary run alone: what needs special runs stays open."""
    return judge_runs({ORDINARY: run})
