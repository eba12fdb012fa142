"""A judgement on the terminal: tables of targets and invariants, then a line for each trouble.

Verdicts are words; colours (blue and orange, which the colour-blind tell apart) only repeat them.
"""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from station_sim.validation.invariants import Check
from station_sim.validation.judgement import Judgement
from station_sim.validation.targets import Outcome, Target, Verdict

HEADINGS = ("#", "statistic", "measured", "target", "accepted", "unit", "verdict", "source")
NARROW_HEADINGS = ("#", "statistic", "measured", "accepted", "verdict")
WIDE = 110
"""Columns of a terminal from which on all headings have room."""

STYLES = {Verdict.MET: "blue", Verdict.MISSED: "bold dark_orange", Verdict.OPEN: "dim"}
VIOLATIONS_SHOWN = 5
"""Per invariant: the first ones say what is wrong."""


def print_judgement(judgement: Judgement, console: Console) -> None:
    """Both tables, the lines, and a sum."""
    console.print(_targets_table(judgement, HEADINGS if console.width >= WIDE else NARROW_HEADINGS))
    console.print(_invariants_table(judgement))
    for line in trouble_lines(judgement):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(summary(judgement), highlight=False)


def trouble_lines(judgement: Judgement) -> Iterator[str]:
    """One line for each missed target, violation and open target."""
    for outcome in judgement.missed:
        yield (
            f"missed {outcome.target.id}: {outcome.target.text} is "
            f"{figure(outcome.target, outcome.measured)}, wanted {band_text(outcome.target)} "
            f"{outcome.target.unit}".rstrip()
        )
    for run, check in judgement.broken:
        for violation in check.violations[:VIOLATIONS_SHOWN]:
            yield f"violated {violation} ({run} run)"
        more = len(check.violations) - VIOLATIONS_SHOWN
        if more > 0:
            yield f"violated {check.invariant.id}: {more} more ({run} run)"
    for outcome in judgement.open:
        yield f"open {outcome.target.id}: {outcome.target.text}: {outcome.reason}"


def summary(judgement: Judgement) -> str:
    """How many targets are met, missed and open, and how many violations there are."""
    met = sum(each.verdict is Verdict.MET for each in judgement.outcomes)
    violations = sum(len(check.violations) for _, check in judgement.broken)
    return (
        f"{met} of {len(judgement.outcomes)} targets met, {len(judgement.missed)} missed, "
        f"{len(judgement.open)} open; {violations} violations of invariants"
    )


def figure(target: Target, value: float | None) -> str:
    """A value with the target's digits."""
    if value is None:
        return "–"
    rounded = round(value, target.digits) + 0.0  # not "-0.00"
    return f"{rounded:,.{target.digits}f}"


def band_text(target: Target) -> str:
    """The bounds, e.g. `23.04 to 28.16`."""
    lower, upper = (figure(target, bound) for bound in target.band[1:])
    return f"{lower} to {upper}"


def _targets_table(judgement: Judgement, headings: tuple[str, ...]) -> Table:
    table = Table(title="Targets", title_justify="left")
    for heading in headings:
        numeric = heading in ("measured", "target", "accepted")
        table.add_column(
            heading, justify="right" if numeric else "left", no_wrap=heading != "statistic"
        )
    for outcome in judgement.outcomes:
        cells = _cells(outcome)
        table.add_row(*(cells[heading] for heading in headings))
    return table


def _cells(outcome: Outcome) -> dict[str, str | Text]:
    target = outcome.target
    return {
        "#": target.id,
        "statistic": target.text,
        "measured": figure(target, outcome.measured),
        "target": figure(target, target.band.target),
        "accepted": band_text(target),
        "unit": target.unit,
        "verdict": Text(outcome.verdict, style=STYLES[outcome.verdict]),
        "source": target.source,
    }


def _invariants_table(judgement: Judgement) -> Table:
    table = Table(title="Invariants", title_justify="left")
    table.add_column("invariant")
    table.add_column("what holds", overflow="fold")
    table.add_column("verdict")
    for checks in zip(*judgement.checks.values(), strict=True):
        invariant = checks[0].invariant
        table.add_row(invariant.id, invariant.statement, _verdict(checks))
    return table


def _verdict(checks: Sequence[Check]) -> Text:
    """Of all runs together; a run that misses tables says nothing."""
    looked_at = sum(check.checked for check in checks)
    found = sum(len(check.violations) for check in checks)
    if not looked_at:
        return Text("not looked at", style=STYLES[Verdict.OPEN])
    if found:
        return Text(f"{found} violations", style=STYLES[Verdict.MISSED])
    runs = "" if len(checks) == 1 else f" in {looked_at} of {len(checks)} runs"
    return Text(f"holds{runs}", style=STYLES[Verdict.MET])
