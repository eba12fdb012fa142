"""What people see of a run on stderr: a bar while it lasts, sums when it is over."""

import sys
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from station_sim.outputs.sending import Sent


class ProgressBar:
    """A bar on stderr where that is a terminal; else nothing is shown."""

    def __init__(self, what: str, total_ms: int | None) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(what, total=total_ms, rate="")
        self._count = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, sent: Sent) -> None:
        """Show how far it is."""
        task = self._bar.tasks[0]
        elapsed = task.elapsed or 0.0
        rate = f"{sent.count / elapsed:,.0f} records/s" if elapsed > 0 else ""
        self._bar.update(self._task, completed=sent.reached_ms, rate=rate)


def tell_end(sent: Sent, where: str) -> None:
    """Sums by topic, what happened on the way, and how fast it was."""
    width = max(map(len, sent.records), default=0)
    for topic, count in sorted(sent.records.items()):
        click.echo(f"{topic:<{width}}  {count:>12,}", err=True)
    if sent.fates:
        told = ", ".join(f"{name} {count:,}" for name, count in sorted(sent.fates.items()))
        click.echo(f"of these {told}", err=True)
    for reason, count in sorted(sent.refused.items()):
        click.echo(f"refused {count:,}: {reason}", err=True)
    for reason in sent.failures:
        click.echo(f"not sent: {reason}", err=True)
    arrived = sent.count - sent.missed
    rate = arrived / sent.wall_s if sent.wall_s > 0 else 0.0
    ending = "interrupted after" if sent.interrupted else "sent"
    of_all = f" of {sent.count:,}" if sent.missed else ""
    click.echo(
        f"{ending} {arrived:,}{of_all} records, {sent.value_bytes / 1e6:,.1f} MB, to {where}"
        f" in {sent.wall_s:.1f} s ({rate:,.0f} records/s)",
        err=True,
    )
    if sent.interrupted:
        hours = sent.reached_ms / 3_600_000
        click.echo(f"Ctrl-C: it holds the story up to hour {hours:.2f}", err=True)
