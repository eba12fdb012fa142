"""The figures of the project, each beside its target.

    python -m tests.benchmarks.figures [NAME...]

Every figure is a process of its own; wall and CPU seconds are the operating system's. Before and
after each, a yardstick (a fixed piece of plain Python) is timed, so that a row says how fast the
machine was just then: compare `wall / yardstick` between machines and days, not seconds. What takes
more than a row to tell is a table, which its own module prints.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.yardstick import yardstick_s


@dataclass(frozen=True)
class Figure:
    """What is measured, and within how many seconds it has to be done (None: reported only)."""

    name: str
    command: tuple[str, ...]
    target_s: float | None


PYTHON = sys.executable
LAB = (PYTHON, "-m", "station_sim.cli")
DAY = (*LAB, "run", "steady-day", "--stations", "50", "--json")

FIGURES = (
    Figure("help", (*LAB, "--help"), 0.5),
    Figure("idle-day", (PYTHON, "-m", "tests.benchmarks.idle_day"), 120.0),
    Figure("idle-day-15s-waits", (PYTHON, "-m", "tests.benchmarks.idle_day", "15000"), 30.0),
    Figure("steady-day-gateway", DAY, 150.0),
    Figure("steady-day-per-station", (*DAY, "--producers", "per-station"), None),
)

TABLES = ("start", "requests", "idle_clients", "rebalance", "throughput", "world")
"""Modules that measure, print a table with targets, and exit with 1 where one was missed."""


@dataclass(frozen=True)
class Measured:
    """Seconds of one figure; `yardsticks_s` were taken before and after it."""

    wall_s: float
    cpu_s: float
    yardsticks_s: tuple[float, float]

    @property
    def ratio(self) -> float:
        """Wall seconds by the yardstick's mean."""
        return self.wall_s / (sum(self.yardsticks_s) / len(self.yardsticks_s))


def measure(figure: Figure) -> Measured:
    """Run a figure's command to its end. Raises `CalledProcessError` if it fails."""
    before_s = yardstick_s()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.perf_counter()
    subprocess.run(figure.command, check=True, stdout=subprocess.DEVNULL, env=os.environ)
    wall_s = time.perf_counter() - began_s
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return Measured(wall_s, cpu_s, (before_s, yardstick_s()))


def row(figure: Figure, measured: Measured) -> str:
    """One line of the table."""
    target = "reported" if figure.target_s is None else f"< {figure.target_s:g}"
    before_s, after_s = measured.yardsticks_s
    return (
        f"{figure.name:24}{measured.wall_s:9.2f}{measured.cpu_s:9.2f}{target:>10}"
        f"{measured.ratio:9.0f}{before_s:11.3f}{after_s:8.3f}"
    )


def main(names: Sequence[str]) -> int:
    """Measure the named figures, or all; 0 if every target was met, else 1."""
    known = [*(figure.name for figure in FIGURES), *TABLES]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no figure is called {unknown[0]}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    figures = [figure for figure in FIGURES if figure.name in (names or known)]
    missed = measure_figures(figures) if figures else 0
    for table in TABLES:
        if table in (names or known):
            print(f"\n{table}", flush=True)
            missed += subprocess.run((PYTHON, "-m", f"tests.benchmarks.{table}")).returncode != 0
    return 1 if missed else 0


def measure_figures(figures: Sequence[Figure]) -> int:
    """Print a row for each; how many missed their target."""
    missed = 0
    print(f"{'figure':24}{'wall s':>9}{'cpu s':>9}{'target s':>10}{'ratio':>9}{'yardstick s':>19}")
    for figure in figures:
        measured = measure(figure)
        missed += figure.target_s is not None and measured.wall_s >= figure.target_s
        print(row(figure, measured), flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
