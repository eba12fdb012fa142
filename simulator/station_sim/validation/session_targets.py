"""Targets 1 to 10: what single charges look like.

A charge counts from the moment that power came on, once power has gone off again.
"""

import numpy as np
import pandas as pd

from station_sim.validation.saved_run import SavedRun
from station_sim.validation.targets import Band, CannotTellError, Target, around, within

CHARGE_EFFICIENCY = 0.97
"""Share of a gun's energy that the battery keeps (an estimate)."""

THROTTLED_SHARE = 0.995
"""From this share of what was granted on, a step counts as limited by the station."""

CROSSINGS_MIN = 30
"""Fewer charges through a state of charge than this say nothing about it."""


def charges(run: SavedRun) -> pd.DataFrame:
    """Finished sessions with power, with `duration_min` and `soc_gain` in points."""
    sessions = run.table("sessions")
    done = sessions[sessions["power_on_s"].notna() & sessions["power_off_s"].notna()]
    done = done[done["energy_kwh"] > 0]
    if len(done) < 2:
        raise CannotTellError("no finished charges")
    return done.assign(
        duration_min=(done["power_off_s"] - done["power_on_s"]) / 60,
        soc_gain=done["final_soc"] - done["arrival_soc"],
    )


def mean_energy(run: SavedRun) -> float:
    """kWh per session."""
    return float(charges(run)["energy_kwh"].mean())


def energy_variation(run: SavedRun) -> float:
    """Standard deviation over mean."""
    energy = charges(run)["energy_kwh"]
    return float(energy.std() / energy.mean())


def energy_skew(run: SavedRun) -> float:
    """Median over mean."""
    energy = charges(run)["energy_kwh"]
    return float(energy.median() / energy.mean())


def mean_duration(run: SavedRun) -> float:
    """Minutes with power."""
    return float(charges(run)["duration_min"].mean())


def duration_variation(run: SavedRun) -> float:
    """Standard deviation over mean."""
    duration = charges(run)["duration_min"]
    return float(duration.std() / duration.mean())


def energy_duration_correlation(run: SavedRun) -> float:
    """Pearson's."""
    done = charges(run)
    return float(np.corrcoef(done["energy_kwh"], done["duration_min"])[0, 1])


def arrival_soc_mean(run: SavedRun) -> float:
    """Percent."""
    return float(charges(run)["arrival_soc"].mean())


def arrival_soc_deviation(run: SavedRun) -> float:
    """Standard deviation in points."""
    return float(charges(run)["arrival_soc"].std())


def departure_soc_mean(run: SavedRun) -> float:
    """Percent, when power goes off."""
    return float(charges(run)["final_soc"].mean())


def departures_from_80(run: SavedRun) -> float:
    """Share of charges that end at 80 % or above."""
    return float((charges(run)["final_soc"] >= 80).mean())


def mean_to_peak(run: SavedRun) -> float:
    """Mean over highest power inside a session, averaged over sessions."""
    done = charges(run)
    mean_kw = done["energy_kwh"] / (done["duration_min"] / 60)
    return float((mean_kw / done["max_kw"]).mean())


def worst_soc_bookkeeping(run: SavedRun) -> float:
    """Energy into the battery over capacity times gain: the session farthest from 1."""
    done = charges(run)
    stored = done["capacity_kwh"] * done["soc_gain"] / 100
    ratios = done["energy_kwh"] * CHARGE_EFFICIENCY / stored
    return float(ratios.loc[(ratios - 1).abs().idxmax()])


def power_shares(run: SavedRun, soc: float) -> pd.Series:
    """Share of its battery's peak that each charge had at a state of charge, if not throttled."""
    steps = run.table("session_steps")
    soc_end = steps.groupby("transaction_no")["soc"].shift(-1)
    crossing = steps[(steps["soc"] <= soc) & (soc_end > soc) & (steps["power_kw"] > 0)]
    free = crossing[crossing["power_kw"] < THROTTLED_SHARE * crossing["limit_kw"]]
    peaks = run.table("sessions")[["transaction_no", "peak_kw"]]
    both = free.merge(peaks, on="transaction_no")
    return pd.Series(both["power_kw"] / both["peak_kw"])


class PowerShareAt:
    """The mean of `power_shares` at a state of charge."""

    def __init__(self, soc: float) -> None:
        self.soc = soc

    def __call__(self, run: SavedRun) -> float:
        """The mean share; cannot tell by fewer than `CROSSINGS_MIN` charges."""
        shares = power_shares(run, self.soc)
        if len(shares) < CROSSINGS_MIN:
            raise CannotTellError(f"{len(shares)} unthrottled charges passed {self.soc:g} %")
        return float(shares.mean())


SESSION_TARGETS = (
    Target("1", "mean energy per session", "kWh", within(25.6, 0.10), "WP22", mean_energy),
    Target(
        "2a",
        "coefficient of variation of energy",
        "",
        Band(0.60, 0.50, 0.70),
        "EPFL",
        energy_variation,
    ),
    Target("2b", "median over mean of energy", "", Band(0.91, 0.84, 0.97), "EPFL", energy_skew),
    Target("3", "mean duration with power", "min", within(48.7, 0.10), "WP22", mean_duration),
    Target(
        "4",
        "coefficient of variation of duration",
        "",
        Band(0.53, 0.43, 0.65),
        "EPFL",
        duration_variation,
        digits=3,
    ),
    Target(
        "5",
        "correlation of energy and duration",
        "",
        Band(0.63, 0.50, 0.80),
        "EPFL",
        energy_duration_correlation,
    ),
    Target("6a", "mean state of charge at arrival", "%", around(38, 6), "EPFL", arrival_soc_mean),
    Target("6b", "its standard deviation", "points", around(18, 4), "EPFL", arrival_soc_deviation),
    Target(
        "7a", "mean state of charge at departure", "%", around(82, 5), "EPFL", departure_soc_mean
    ),
    Target(
        "7b",
        "share of departures from 80 % on",
        "",
        around(0.68, 0.08),
        "EPFL",
        departures_from_80,
        digits=3,
    ),
    Target(
        "8",
        "mean over peak power inside a session",
        "",
        Band(0.62, 0.55, 0.75),
        "EPFL",
        mean_to_peak,
        digits=3,
    ),
    Target(
        "9a", "unthrottled power share at 20 %", "", around(0.94, 0.08), "OEV22", PowerShareAt(20)
    ),
    Target(
        "9b", "unthrottled power share at 50 %", "", around(0.82, 0.08), "OEV22", PowerShareAt(50)
    ),
    Target(
        "9c", "unthrottled power share at 80 %", "", around(0.48, 0.08), "OEV22", PowerShareAt(80)
    ),
    Target(
        "9d", "unthrottled power share at 95 %", "", around(0.23, 0.08), "OEV22", PowerShareAt(95)
    ),
    Target(
        "10",
        "energy into the battery over capacity times gain, worst session",
        "",
        around(1.0, 0.02),
        "physics",
        worst_soc_bookkeeping,
        digits=4,
    ),
)
