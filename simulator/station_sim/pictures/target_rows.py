"""Rows of the report's tables of targets and invariants."""

from dataclasses import dataclass

from station_sim.validation.judgement import Judgement
from station_sim.validation.results_table import band_text, figure
from station_sim.validation.targets import Outcome, Verdict

SIGNS = {Verdict.MET: "✓", Verdict.MISSED: "✗", Verdict.OPEN: "–"}
BAND_FROM, BAND_TO = 25.0, 75.0
"""Where the accepted band lies on a gauge, in percent of its width."""


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A target as text; `place` is the mark's on the gauge in percent, None where open."""

    id: str
    text: str
    measured: str
    target: str
    accepted: str
    unit: str
    verdict: str
    sign: str
    source: str
    reason: str
    place: float | None


@dataclass(frozen=True, slots=True)
class InvariantRow:
    """An invariant with its violations over all runs; the first ones as text."""

    id: str
    statement: str
    verdict: str
    sign: str
    text: str
    violations: tuple[str, ...]


def target_rows(judgement: Judgement) -> list[TargetRow]:
    """A row for each target."""
    return [_row(outcome) for outcome in judgement.outcomes]


def invariant_rows(judgement: Judgement) -> list[InvariantRow]:
    """A row for each invariant."""
    rows = []
    for checks in zip(*judgement.checks.values(), strict=True):
        found = [violation for check in checks for violation in check.violations]
        checked = any(check.checked for check in checks)
        verdict = Verdict.MISSED if found else Verdict.MET if checked else Verdict.OPEN
        words = {
            Verdict.MISSED: f"{len(found)} violations",
            Verdict.MET: "holds",
            Verdict.OPEN: "not looked at: its tables were not saved",
        }
        invariant = checks[0].invariant
        rows.append(
            InvariantRow(
                invariant.id,
                invariant.statement,
                verdict.value,
                SIGNS[verdict],
                words[verdict],
                tuple(map(str, found[:3])),
            )
        )
    return rows


def _row(outcome: Outcome) -> TargetRow:
    target = outcome.target
    return TargetRow(
        target.id,
        target.text,
        figure(target, outcome.measured),
        figure(target, target.band.target),
        band_text(target),
        target.unit,
        outcome.verdict.value,
        SIGNS[outcome.verdict],
        target.source,
        outcome.reason,
        _place(outcome),
    )


def _place(outcome: Outcome) -> float | None:
    """Where the measured value lies on a gauge of which the accepted band is the middle half."""
    if outcome.measured is None:
        return None
    _, lower, upper = outcome.target.band
    if upper == lower:
        return 50.0 if outcome.measured == lower else 100.0
    share = (outcome.measured - lower) / (upper - lower)
    return round(min(max(BAND_FROM + share * (BAND_TO - BAND_FROM), 1.0), 99.0), 1)
