"""For each target, a change of a run's tables by which it, and no other target, is missed.

A change gets the tables of all runs and returns those that it replaces: `{run: {table: frame}}`.
What hangs together is changed together: who makes energies larger makes batteries larger too.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from tests.simulator.validation.synthetic_run import Tables

from station_sim.validation.special_targets import BEFORE_HOLIDAY, COLD, HOLIDAY, YEAR
from station_sim.validation.targets import ORDINARY

Change = Callable[[Mapping[str, Tables]], dict[str, Tables]]


def _sessions(change: Callable[[pd.DataFrame], pd.DataFrame], *names: str) -> Change:
    """A change of the sessions of some runs, the ordinary one by default."""
    return lambda runs: {
        name: {"sessions": change(runs[name]["sessions"])} for name in names or (ORDINARY,)
    }


def _table(
    table: str, change: Callable[[pd.DataFrame], pd.DataFrame], run: str = ORDINARY
) -> Change:
    return lambda runs: {run: {table: change(runs[run][table])}}


def _with_energy(sessions: pd.DataFrame, energy: pd.Series) -> pd.DataFrame:
    """Other energies, with batteries, powers and fees to match."""
    factor = energy / sessions["energy_kwh"]
    scaled = {
        name: sessions[name] * factor
        for name in ("capacity_kwh", "max_kw", "fee_cny", *sessions.filter(like="kwh_").columns)
    }
    return sessions.assign(energy_kwh=energy, **scaled)


def _with_duration(sessions: pd.DataFrame, duration_s: pd.Series) -> pd.DataFrame:
    """Other durations, with highest powers to match."""
    factor = (sessions["power_off_s"] - sessions["power_on_s"]) / duration_s
    return sessions.assign(
        power_off_s=sessions["power_on_s"] + duration_s, max_kw=sessions["max_kw"] * factor
    )


def _with_soc(sessions: pd.DataFrame, **socs: pd.Series) -> pd.DataFrame:
    """Other states of charge, with capacities to match."""
    changed = sessions.assign(**socs)
    gain = changed["final_soc"] - changed["arrival_soc"]
    return changed.assign(capacity_kwh=sessions["energy_kwh"] * 97 / gain)


def _spread(values: pd.Series, factor: float, lowest: float) -> pd.Series:
    return (values.mean() + factor * (values - values.mean())).clip(lower=lowest)


def _duration_s(sessions: pd.DataFrame) -> pd.Series:
    return sessions["power_off_s"] - sessions["power_on_s"]


def _even_energies(sessions: pd.DataFrame) -> pd.DataFrame:
    rank = sessions["energy_kwh"].rank(pct=True)
    return _with_energy(sessions, sessions["energy_kwh"].mean() * (0.02 + 1.96 * rank))


def _shuffled_durations(sessions: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    mixed = _duration_s(sessions).groupby(sessions["station_id"]).transform(rng.permutation)
    return _with_duration(sessions, mixed)


def _lower_partial_ends(sessions: pd.DataFrame) -> pd.DataFrame:
    lower = np.maximum(sessions["final_soc"] - 26, sessions["arrival_soc"] + 1)
    return _with_soc(
        sessions, final_soc=sessions["final_soc"].where(sessions["final_soc"] >= 80, lower)
    )


def _ends_below_80(sessions: pd.DataFrame) -> pd.DataFrame:
    near = sessions["final_soc"].between(80, 85) & (sessions["arrival_soc"] < 75)
    return _with_soc(sessions, final_soc=sessions["final_soc"].mask(near, 79.9))


def _one_endless(sessions: pd.DataFrame) -> pd.DataFrame:
    """A charge that never ends and takes half as much as all others together."""
    changed = sessions.copy()
    columns = ["energy_kwh", "fee_cny"]
    changed.loc[changed.index[0], columns] = 0.5 * sessions[columns].sum()
    changed.loc[changed.index[0], "power_off_s"] = np.nan
    return changed


def _fewer(site_type: str) -> Change:
    def change(runs: Mapping[str, Tables]) -> dict[str, Tables]:
        sessions = runs[ORDINARY]["sessions"]
        ours = _at(runs[ORDINARY], site_type)
        dropped = ours & (np.arange(len(sessions)) % 11 < 2)
        return {ORDINARY: {"sessions": sessions[~dropped]}}

    return change


def _at(tables: Tables, site_type: str) -> pd.Series:
    kinds = tables["stations"].set_index("station_id")["site_type"]
    return tables["sessions"]["station_id"].map(kinds) == site_type


def _hanging(runs: Mapping[str, Tables]) -> dict[str, Tables]:
    """Some urban charges of the first half day that are still on when the run ends."""
    sessions = runs[ORDINARY]["sessions"]
    early = _at(runs[ORDINARY], "urban") & (sessions["power_on_s"] < 43_200)
    hanging = early & (np.arange(len(sessions)) % 8 == 0)
    return {
        ORDINARY: {"sessions": sessions.assign(power_off_s=sessions["power_off_s"].mask(hanging))}
    }


def _moved(site_type: str, hours: tuple[int, int], to_hour: int, every: int) -> Change:
    """Every n-th session that starts in [hours) starts in another hour instead."""

    def change(runs: Mapping[str, Tables]) -> dict[str, Tables]:
        sessions = runs[ORDINARY]["sessions"]
        hour = sessions["plugged_s"] // 3600 % 24
        chosen = _at(runs[ORDINARY], site_type) & hour.between(hours[0], hours[1] - 1)
        chosen &= chosen.cumsum() % every == 0
        moved = sessions["plugged_s"] + 3600 * (to_hour - hour)
        return {
            ORDINARY: {
                "sessions": sessions.assign(plugged_s=sessions["plugged_s"].mask(chosen, moved))
            }
        }

    return change


def _nearer_limit(soc: float, factor: float) -> Change:
    def change(steps: pd.DataFrame) -> pd.DataFrame:
        near = steps["soc"].between(soc - 2, soc + 2)
        return steps.assign(
            power_kw=steps["power_kw"].mask(near, steps["power_kw"] * factor),
            limit_kw=steps["limit_kw"].mask(near, steps["limit_kw"] * factor),
        )

    return _table("session_steps", change)


def _with_depots(count: int, guns: int) -> Change:
    def change(stations: pd.DataFrame) -> pd.DataFrame:
        more = stations.iloc[:count].assign(
            station_id=[f"more-{i}" for i in range(count)], guns=guns, site_type="depot", pv_kwp=0.0
        )
        return pd.concat([stations, more], ignore_index=True)

    return _table("stations", change)


def _sized(guns_min: float, guns_max: float, factor: float) -> Change:
    def change(runs: Mapping[str, Tables]) -> dict[str, Tables]:
        stations, power = runs[ORDINARY]["stations"], runs[ORDINARY]["power"]
        sized = stations.loc[stations["guns"].between(guns_min, guns_max), "station_id"]
        ours = power["station_id"].isin(sized)
        changed = power["guns_kw"].mask(ours, power["guns_kw"] * factor)
        return {ORDINARY: {"power": power.assign(guns_kw=changed)}}

    return change


def _over_the_limit(runs: Mapping[str, Tables]) -> dict[str, Tables]:
    power, highest = runs[ORDINARY]["power"], runs[ORDINARY]["stations"]["grid_capacity_kva"].max()
    return {ORDINARY: {"power": _first(power, "meter_max_kw", 1.1 * highest)}}


def _first(frame: pd.DataFrame, column: str, value: float) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[changed.index[0], column] = value
    return changed


def _scaled(
    *columns: str, factor: float, rows: int | None = None
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        changed = frame.copy()
        chosen = changed.index[:rows]
        changed.loc[chosen, list(columns)] = changed.loc[chosen, list(columns)] * factor
        return changed

    return change


def _balanced(power: pd.DataFrame, **columns: pd.Series) -> pd.DataFrame:
    """Other powers, with a meter to match."""
    changed = power.assign(**columns)
    consumed = changed["ac_kw"] + changed["auxiliaries_kw"]
    return changed.assign(meter_kw=consumed - changed["pv_kw"] - changed["storage_kw"])


def _light_at_night(power: pd.DataFrame) -> pd.DataFrame:
    return _balanced(power, pv_kw=power["pv_kw"].where(power["time_s"] != 7200, 0.5))


def _noisy_arrivals(arrivals: pd.DataFrame) -> pd.DataFrame:
    distance = arrivals["arrived"] - arrivals["expected"]
    return arrivals.assign(arrived=arrivals["expected"] + 1.3 * distance)


def _rate(cadence: str, fate: str, factor: float = 1.3, **others: float) -> Change:
    def change(counts: pd.DataFrame) -> pd.DataFrame:
        ours = counts["cadence"] == cadence
        changed = counts.assign(**{fate: counts[fate].mask(ours, counts[fate] * factor)})
        for name, by in others.items():
            column = name.replace("_", "-")
            changed[column] = changed[column].mask(ours, changed[column] + by)
        return changed

    return _table("ledger/counts", change)


def _later_by_a_minute(cadence: str) -> Change:
    """More that is late by over a minute, at the expense of what is late by seconds."""
    return _rate(cadence, "very-late", 1.3, late=-300)


def _fewer_in_both(runs: Mapping[str, Tables]) -> dict[str, Tables]:
    keep = {name: runs[name]["sessions"] for name in (HOLIDAY, BEFORE_HOLIDAY)}
    return {
        name: {"sessions": frame[np.arange(len(frame)) % 5 > 0]} for name, frame in keep.items()
    }


def _fewer_before(sessions: pd.DataFrame) -> pd.DataFrame:
    return sessions[np.arange(len(sessions)) % 5 > 0]


def _longer_faults(faults: pd.DataFrame) -> pd.DataFrame:
    return faults.assign(end_s=faults["begin_s"] + 2 * (faults["end_s"] - faults["begin_s"]))


def _more_abnormal(sessions: pd.DataFrame) -> pd.DataFrame:
    return sessions.assign(end=np.where(np.arange(len(sessions)) % 20 == 0, "abnormal", "target"))


def _as_if_warm(runs: Mapping[str, Tables]) -> dict[str, Tables]:
    return {COLD: {name: runs[ORDINARY][name] for name in ("sessions", "session_steps")}}


PERTURBATIONS: Mapping[str, Change] = {
    "1": _sessions(lambda s: _with_energy(s, s["energy_kwh"] * 1.12)),
    "2a": _sessions(lambda s: _with_energy(s, _spread(s["energy_kwh"], 1.4, 0.1))),
    "2b": _sessions(_even_energies),
    "3": _sessions(lambda s: _with_duration(s, _duration_s(s) * 1.12)),
    "4": _sessions(lambda s: _with_duration(s, _spread(_duration_s(s), 1.25, 30))),
    "5": _sessions(_shuffled_durations),
    "6a": _sessions(lambda s: _with_soc(s, arrival_soc=np.maximum(s["arrival_soc"] - 8, 0.5))),
    "6b": _sessions(
        lambda s: _with_soc(
            s, arrival_soc=np.minimum(_spread(s["arrival_soc"], 1.5, 0), s["final_soc"] - 1)
        )
    ),
    "7a": _sessions(_lower_partial_ends),
    "7b": _sessions(_ends_below_80),
    "8": _sessions(lambda s: s.assign(max_kw=s["max_kw"] * 1.4)),
    "9a": _nearer_limit(20, 1.15),
    "9b": _nearer_limit(50, 1.15),
    "9c": _nearer_limit(80, 0.75),
    "9d": _nearer_limit(95, 1.6),
    "10": _sessions(_scaled("capacity_kwh", factor=1.05, rows=1)),
    "11": _sessions(_one_endless),
    "12a": _fewer("urban"),
    "12b": _fewer("corridor"),
    "12c": _fewer("hub"),
    "13": _hanging,
    "14a": _moved("urban", (12, 16), 8, 4),
    "14b": _moved("urban", (23, 24), 8, 2),
    "14c": _moved("urban", (5, 7), 8, 3),
    "14d": _moved("urban", (8, 12), 3, 8),
    "15": _moved("corridor", (9, 21), 22, 10),
    "16a": _sessions(_fewer_before, BEFORE_HOLIDAY),
    "16b": _fewer_in_both,
    "16c": _sessions(lambda s: _with_energy(s, s["energy_kwh"] * 1.15), HOLIDAY, BEFORE_HOLIDAY),
    "17": _table("arrivals", _noisy_arrivals),
    "18a": _with_depots(14, 4),
    "18b": _with_depots(5, 50),
    "19a": _sized(8, 12, 0.6),
    "19b": _sized(40, np.inf, 1.8),
    "19c": _over_the_limit,
    "20": _sessions(_scaled("fee_cny", factor=1.25)),
    "21a": _table("tariffs", _scaled("energy_peak", "energy_sharp", factor=1.001, rows=1)),
    "21b": _table("tariffs", _scaled("energy_valley", factor=1.001, rows=1)),
    "21c": _table("tariffs", _scaled("energy_sharp", factor=1.001, rows=1)),
    "22a": _table("power", lambda power: _balanced(power, pv_kw=power["pv_kw"] * 1.3)),
    "22b": _table("power", _light_at_night),
    "22c": _table("power", lambda power: _balanced(power, pv_kw=power["pv_kw"] * 1.3), YEAR),
    "23a": _table("storage_power", _scaled("discharged_kwh", factor=0.93)),
    "23b": _table("storage", _scaled("energy_kwh", factor=0.3)),
    "24a": _table("power", _scaled("meter_kw", factor=1.02, rows=288)),
    "24b": _table("power", lambda power: _balanced(power, ac_kw=power["ac_kw"] * 1.05)),
    "25a": _table("faults", _longer_faults),
    "25b": _sessions(_more_abnormal),
    "26": _as_if_warm,
    "27a": _rate("1 s", "lost"),
    "27b": _rate("1 s", "duplicate"),
    "27c": _rate("1 s", "late"),
    "27d": _later_by_a_minute("1 s"),
    "27e": _rate("1 s", "swapped"),
    "27f": _rate("15 s", "lost"),
    "27g": _rate("15 s", "duplicate"),
    "27h": _rate("15 s", "late"),
    "27i": _later_by_a_minute("15 s"),
    "27j": _rate("15 s", "swapped"),
    "27k": _rate("5 min", "lost"),
    "27l": _rate("5 min", "duplicate"),
    "27m": _rate("5 min", "late", 1.4),
    "27n": _rate("hourly-daily", "lost"),
    "27o": _rate("hourly-daily", "duplicate"),
    "27p": _rate("hourly-daily", "late", 1.5),
}
