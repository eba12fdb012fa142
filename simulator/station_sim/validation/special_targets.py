"""Targets 16, 22 and 26, which need runs of their own, and what those runs are.

Running them is the command's; here they are only described.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from station_sim.validation.demand_targets import sessions_of, stations_of
from station_sim.validation.energy_targets import yield_per_kwp_day
from station_sim.validation.saved_run import SavedRun
from station_sim.validation.session_targets import charges
from station_sim.validation.targets import CannotTellError, Target, around, within

HOLIDAY, BEFORE_HOLIDAY, YEAR, COLD, WARM = "holiday", "before-holiday", "year", "cold", "warm"

HALF_HOUR_S = 1800.0
COMPACT_KWH = (40.0, 62.0)
COMPACT_PEAK_KW = 100.0
CHARGES_MIN = 30
"""Fewer charges than this say nothing about what half an hour gives."""


@dataclass(frozen=True, slots=True)
class SpecialRun:
    """A run beside the ordinary one.

    `profile` is its name, None for the one that is validated; `start` is a local date; `changes`
    are keys of the profile with other values; `tables` those that it is read for, None for all.
    """

    name: str
    why: str
    profile: str | None
    days: float
    start: str | None = None
    stations: int | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[str, ...] | None = None


CHARGES_ONLY = ("stations", "guns", "sessions")
CHARGES_BY_STEPS = (*CHARGES_ONLY, "session_steps")

SPECIAL_RUNS = (
    SpecialRun(
        HOLIDAY,
        "1 to 8 October 2025",
        "holiday-corridor",
        days=8,
        start="2025-10-01",
        tables=CHARGES_ONLY,
    ),
    SpecialRun(
        BEFORE_HOLIDAY,
        "ordinary days of the same stations",
        "holiday-corridor",
        days=14,
        start="2025-09-08",
        tables=CHARGES_ONLY,
    ),
    SpecialRun(
        YEAR,
        "a year of sun",
        None,
        days=365,
        stations=3,
        changes={"pv_share": 1.0},
        tables=("stations", "power"),
    ),
    SpecialRun(
        COLD,
        "charges at 0 °C",
        None,
        days=5,
        stations=20,
        changes={"fixed_temperature_c": 0.0},
        tables=CHARGES_BY_STEPS,
    ),
    SpecialRun(
        WARM,
        "charges at 25 °C",
        None,
        days=5,
        stations=20,
        changes={"fixed_temperature_c": 25.0},
        tables=CHARGES_BY_STEPS,
    ),
)


def daily_energy(run: SavedRun) -> float:
    """kWh a day of corridor stations."""
    return float(sessions_of(run, stations_of(run, "corridor"))["energy_kwh"].sum() / run.days)


def holiday_ratio(holiday: SavedRun, before: SavedRun) -> float:
    """Energy of a holiday over that of an ordinary day, per gun."""
    guns = [stations_of(run, "corridor")["guns"].sum() for run in (holiday, before)]
    ordinary = daily_energy(before) / guns[1]
    if ordinary <= 0:
        raise CannotTellError("no energy on ordinary days")
    return float(daily_energy(holiday) / guns[0] / ordinary)


def holiday_sessions(holiday: SavedRun) -> float:
    """Sessions per gun and day at corridor stations."""
    stations = stations_of(holiday, "corridor")
    return float(len(sessions_of(holiday, stations)) / stations["guns"].sum() / holiday.days)


def holiday_energy(holiday: SavedRun) -> float:
    """kWh per session at corridor stations."""
    done = charges(holiday)
    corridor = stations_of(holiday, "corridor")["station_id"]
    return float(done.loc[done["station_id"].isin(corridor), "energy_kwh"].mean())


def half_hour_gain(run: SavedRun) -> float:
    """Mean points of SoC gained in half an hour, by cars that nothing but their battery limits.

    Which cars those are must not depend on the temperature: of compact cars (at most 100 kW by
    their catalogue) those that had 100 kW granted all the time, came below 30 % and left above 80.
    """
    done = charges(run).set_index("transaction_no")
    steps = run.table("session_steps")
    if steps.empty:
        raise CannotTellError("no steps of charges")
    begins = steps["transaction_no"].map(done["power_on_s"])
    early = steps[(steps["time_s"] < begins + HALF_HOUR_S) & (steps["power_kw"] > 0)]
    granted = early.groupby("transaction_no")["limit_kw"].min()
    chosen = done[(done["arrival_soc"] < 30) & (done["final_soc"] > 80)]
    chosen = chosen[chosen["capacity_kwh"].between(*COMPACT_KWH)]
    chosen = chosen[granted.reindex(chosen.index) >= COMPACT_PEAK_KW]
    if len(chosen) < CHARGES_MIN:
        raise CannotTellError(f"{len(chosen)} unthrottled charges from below 30 % to above 80 %")
    ours = steps[steps["transaction_no"].isin(chosen.index)]
    reached = soc_after(ours, chosen["power_on_s"] + HALF_HOUR_S).reindex(chosen.index)
    return float((reached.fillna(chosen["final_soc"]) - chosen["arrival_soc"]).mean())


def soc_after(steps: pd.DataFrame, at_s: pd.Series) -> pd.Series:
    """State of charge of each transaction at an instant of its own, between its steps."""
    steps = steps.sort_values(["transaction_no", "time_s"])
    ends = steps.groupby("transaction_no")[["time_s", "soc"]].shift(-1)
    wanted = steps["transaction_no"].map(at_s)
    inside = (steps["time_s"] <= wanted) & (wanted < ends["time_s"])
    part = (wanted - steps["time_s"]) / (ends["time_s"] - steps["time_s"])
    soc = steps["soc"] + part * (ends["soc"] - steps["soc"])
    return pd.Series(soc[inside].to_numpy(), index=steps.loc[inside, "transaction_no"])


def cold_share(cold: SavedRun, warm: SavedRun) -> float:
    """What is charged in half an hour at 0 over that at 25 degrees Celsius."""
    return half_hour_gain(cold) / half_hour_gain(warm)


SPECIAL_TARGETS = (
    Target(
        "16a",
        "energy of a holiday over an ordinary day, corridor",
        "",
        around(2.59, 0.3),
        "HOL25",
        holiday_ratio,
        runs=(HOLIDAY, BEFORE_HOLIDAY),
    ),
    Target(
        "16b",
        "sessions per gun and day in the holiday week, corridor",
        "",
        within(13.3, 0.15),
        "HOL25",
        holiday_sessions,
        runs=(HOLIDAY,),
    ),
    Target(
        "16c",
        "energy per session in the holiday week, corridor",
        "kWh",
        within(23.8, 0.10),
        "HOL25",
        holiday_energy,
        runs=(HOLIDAY,),
    ),
    Target(
        "22c",
        "PV yield per kWp and day, over a year",
        "kWh",
        within(3.1, 0.20),
        "PV15",
        yield_per_kwp_day,
        runs=(YEAR,),
    ),
    Target(
        "26",
        "charged in half an hour, 0 over 25 degrees Celsius",
        "",
        around(0.64, 0.08),
        "INL",
        cold_share,
        runs=(COLD, WARM),
    ),
)
