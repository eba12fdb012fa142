"""Target 27: how often records are lost, doubled or late, by how often their topic speaks."""

from collections.abc import Iterator, Mapping

import pandas as pd

from station_sim.validation.saved_run import SavedRun
from station_sim.validation.targets import CannotTellError, Target, within

EVENTS_MIN = 100
"""A rate may be judged to 20 % by this many expected events: 1.96 / 0.2 squared is 96."""

FATES: Mapping[str, tuple[str, ...]] = {
    "loss": ("lost",),
    "duplicates": ("duplicate",),
    "late by more than 2 s": ("late", "very-late"),
    "late by more than 60 s": ("very-late",),
    "swapped with a neighbour": ("swapped",),
}
"""Which fates of the ledger make up a rate."""

RATES: Mapping[str, Mapping[str, float]] = {
    "1 s": {
        "loss": 0.003,
        "duplicates": 0.001,
        "late by more than 2 s": 0.008,
        "late by more than 60 s": 0.001,
        "swapped with a neighbour": 0.005,
    },
    "15 s": {
        "loss": 0.002,
        "duplicates": 0.001,
        "late by more than 2 s": 0.005,
        "late by more than 60 s": 0.001,
        "swapped with a neighbour": 0.002,
    },
    "5 min": {"loss": 0.001, "duplicates": 0.0005, "late by more than 2 s": 0.003},
    "hourly-daily": {"loss": 0.0005, "duplicates": 0.005, "late by more than 2 s": 0.002},
}
"""By cadence, as the ledger names it: shares of records (all estimates)."""

IN_OUTAGES = ("outage-lost", "replayed")


class Rate:
    """Share of a cadence's records, those in outages aside, that had a fate."""

    def __init__(self, cadence: str, effect: str) -> None:
        self.cadence = cadence
        self.effect = effect

    def __call__(self, run: SavedRun) -> float:
        """Cannot tell where fewer than `EVENTS_MIN` events are to be expected."""
        counts = run.table("ledger/counts")
        ours = counts[counts["cadence"] == self.cadence]
        due = ours["due"].sum() - sum(events(ours, fate) for fate in IN_OUTAGES)
        expected = due * RATES[self.cadence][self.effect]
        if expected < EVENTS_MIN:
            raise CannotTellError(f"{due:.0f} records are too few for this rate")
        return float(sum(events(ours, fate) for fate in FATES[self.effect]) / due)


def events(counts: pd.DataFrame, fate: str) -> float:
    """How many records of a ledger's counts had a fate."""
    return float(counts[fate].sum()) if fate in counts.columns else 0.0


def _targets() -> Iterator[Target]:
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    for cadence, rates in RATES.items():
        for effect, rate in rates.items():
            yield Target(
                f"27{next(letters)}",
                f"{effect}, {cadence} topics",
                "% of records",
                within(100 * rate, 0.20),
                "estimate",
                Percent(Rate(cadence, effect)),
                digits=4,
            )


class Percent:
    """A share, in percent."""

    def __init__(self, share: Rate) -> None:
        self.share = share

    def __call__(self, run: SavedRun) -> float:
        """A hundred times the share."""
        return 100 * self.share(run)


TELEMETRY_TARGETS = tuple(_targets())
