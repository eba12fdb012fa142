"""What a run prints: a table and its violations for people, one object a line for programs."""

import sys
from collections.abc import Sequence

import click
import orjson
from rich.console import Console
from rich.table import Table

from station_scenarios.outcome import Outcome, Verdict

STYLES = {Verdict.HELD: "green", Verdict.VIOLATED: "red", Verdict.ERROR: "yellow"}

TABLE_WIDTH_MIN = 110
"""Where standard output is no terminal, too, for nothing may be cut off."""


def print_json(outcome: Outcome) -> None:
    """One outcome as one line on standard output."""
    click.echo(orjson.dumps(outcome.as_json()))


def print_table(outcomes: Sequence[Outcome]) -> None:
    """All outcomes as a table on standard output."""
    table = Table(box=None, pad_edge=False)
    for title in ("scenario", "broker", "seed", "verdict"):
        table.add_column(title, no_wrap=True)
    for title in ("records", "callbacks", "violations", "story", "wall", "speed"):
        table.add_column(title, justify="right", no_wrap=True)
    for outcome in outcomes:
        table.add_row(*_row(outcome))
    console = Console(file=sys.stdout)
    # Both must be set: a dumb terminal is taken to have 80 columns otherwise.
    console.height, console.width = console.height, max(console.width, TABLE_WIDTH_MIN)
    with console.capture() as captured:
        console.print(table)
    # rich would end the program when nobody reads.
    click.echo(captured.get(), nl=False)


def print_findings(outcome: Outcome, *, to_stderr: bool) -> None:
    """What was violated or went wrong, with the seed and the command that replays it."""
    lines = [
        f"{outcome.scenario}: {violation.invariant} at {violation.at_s:.3f} s: {violation.message}"
        for violation in outcome.violations
    ]
    more = outcome.counts.get("violations", 0) - len(outcome.violations)
    if more > 0:
        lines.append(f"{outcome.scenario}: {more} more violations of the same kinds")
    if outcome.error:
        lines.append(f"{outcome.scenario}: error: {outcome.error}")
    if lines:
        lines.append(f"seed {outcome.seed}; replay with: {outcome.replay}")
    for line in lines:
        click.echo(line, err=to_stderr)


def _row(outcome: Outcome) -> list[str]:
    style = STYLES[outcome.verdict]
    speed = outcome.story_s / outcome.wall_s if outcome.wall_s else 0.0
    return [
        outcome.scenario,
        outcome.broker,
        str(outcome.seed),
        f"[{style}]{outcome.verdict.value}[/]",
        str(outcome.counts.get("records", "-")),
        str(outcome.counts.get("callbacks", "-")),
        str(outcome.counts.get("violations", "-")),
        f"{outcome.story_s / 3600:.2f} h",
        f"{outcome.wall_s:.1f} s",
        f"{speed:,.0f} x",
    ]
