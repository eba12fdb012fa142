"""What a target is, and how a measured value is judged by it.

The targets themselves are in `session_targets`, `demand_targets`, `energy_targets`,
`telemetry_targets` and `special_targets`; `catalogue` lists them all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from station_sim.validation.saved_run import SavedRun

ORDINARY = "ordinary"
"""The run of the profile that is validated; others are named in `special_runs`."""


class CannotTellError(Exception):
    """The tables say too little for a verdict; the text says what is missing."""


class Verdict(StrEnum):
    """What came of a target."""

    MET = "met"
    MISSED = "missed"
    OPEN = "open"
    """Nothing to judge by: `Outcome.reason` says why."""


class Band(NamedTuple):
    """What a figure should be, and the bounds within which it is accepted."""

    target: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Target:
    """A statistic of a run and the band that it should lie in.

    `measure` is called with the runs named in `runs`, in that order, and raises `CannotTellError`
    where they hold nothing to measure. `source` is a key of the list of sources, or "estimate".
    """

    id: str
    text: str
    unit: str
    band: Band
    source: str
    measure: Callable[..., float]
    runs: tuple[str, ...] = (ORDINARY,)
    digits: int = 2

    @property
    def number(self) -> int:
        """Its number in the table of targets: 2 for "2b"."""
        return int(self.id.rstrip("abcdefghijklmnopqrstuvwxyz"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A target and what was measured for it; `measured` is None for an open one."""

    target: Target
    measured: float | None
    verdict: Verdict
    reason: str = ""


def within(target: float, share: float) -> Band:
    """Bounds at a share of the target on either side: `within(25.6, 0.1)`."""
    return Band(target, target * (1 - share), target * (1 + share))


def around(target: float, distance: float) -> Band:
    """Bounds at a distance on either side, in the target's unit."""
    return Band(target, target - distance, target + distance)


def judge(target: Target, runs: Mapping[str, SavedRun]) -> Outcome:
    """Measure a target and say whether it is met; open where a run of it is not at hand."""
    absent = [name for name in target.runs if name not in runs]
    if absent:
        return Outcome(target, None, Verdict.OPEN, f"needs the run {', '.join(absent)}")
    try:
        measured = float(target.measure(*(runs[name] for name in target.runs)))
    except CannotTellError as reason:
        return Outcome(target, None, Verdict.OPEN, str(reason))
    met = target.band.lower <= measured <= target.band.upper
    return Outcome(target, measured, Verdict.MET if met else Verdict.MISSED)


def judge_all(targets: Iterable[Target], runs: Mapping[str, SavedRun]) -> list[Outcome]:
    """All outcomes, in the order of the targets."""
    return [judge(target, runs) for target in targets]
