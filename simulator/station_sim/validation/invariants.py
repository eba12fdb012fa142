"""What an invariant is, and what a violation of one says.

The invariants themselves are in `session_invariants`, `energy_invariants` and `wire_invariants`;
`catalogue` lists them all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from station_sim.validation.saved_run import SavedRun


@dataclass(frozen=True, slots=True)
class Violation:
    """Where and when something impossible happened, and with which values."""

    invariant: str
    station_id: str
    local_time: str
    values: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.station_id} at {self.local_time}: {self.values}"


@dataclass(frozen=True, slots=True)
class Invariant:
    """What holds in every run. `find` yields frames of violating rows, with their columns to show.

    A frame has `station_id`, the instant in `at_s`, and whatever its message should tell.
    `tables` are those that it reads; without one of them there is nothing to check.
    """

    id: str
    statement: str
    find: Callable[[SavedRun], Iterable[pd.DataFrame]]
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What came of an invariant: `checked` is false where a table of it was not saved."""

    invariant: Invariant
    checked: bool
    violations: Sequence[Violation]


def rows_where(
    wrong: "pd.Series[bool]", frame: pd.DataFrame, *shown: str, **values: Any
) -> pd.DataFrame:
    """The rows of a frame that are wrong, with `values` as further columns: those shown only."""
    # Assigned before rows are chosen: an empty frame would take over a series' index.
    return frame.assign(**values).loc[wrong, ["station_id", "at_s", *shown]]


def check(invariant: Invariant, run: SavedRun) -> Check:
    """Look for violations of one invariant."""
    if not all(run.has(table) for table in invariant.tables):
        return Check(invariant, False, ())
    found = [
        violation
        for frame in invariant.find(run)
        for violation in _violations(invariant.id, frame, run)
    ]
    return Check(invariant, True, found)


def check_all(invariants: Iterable[Invariant], run: SavedRun) -> list[Check]:
    """Look for violations of all invariants, in their order."""
    return [check(invariant, run) for invariant in invariants]


def _violations(invariant: str, frame: pd.DataFrame, run: SavedRun) -> Iterator[Violation]:
    shown = [column for column in frame.columns if column not in ("station_id", "at_s")]
    for row in frame.to_dict("records"):
        values = ", ".join(f"{column} {_text(row[column])}" for column in shown)
        yield Violation(invariant, row["station_id"], run.local(row["at_s"]), values)


def _text(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
