"""What holds between guns and grid at every saved instant: balances, limits, signs, time."""

from collections.abc import Iterator, Mapping

import pandas as pd

from station_sim.validation.energy_targets import HOURS_PER_POINT, ROUND_TRIP
from station_sim.validation.invariants import Invariant, rows_where
from station_sim.validation.saved_run import SavedRun

POWER_TOLERANCE_KW = 0.01
REGISTER_TOLERANCE = 0.15
"""Five-minute instants of a day integrate to this share of its turnover; more days err less, by
the square root of their number."""

STORAGE_BAND = (10.0, 95.0)
SOC_TOLERANCE = 0.05
OVERLOAD_S = 1800.0
"""How long a transformer may give more than 0.8 of its kVA (an estimate)."""

GRID_S = 300.0

NEVER_NEGATIVE: Mapping[str, tuple[str, ...]] = {
    "power": ("pv_kw", "auxiliaries_kw", "guns_kw", "dc_kw", "ac_kw"),
    "gun_power": ("kw",),
    "host_power": ("dc_kw", "ac_kw"),
    "storage_power": ("soc", "charged_kwh", "discharged_kwh"),
    "sessions": ("energy_kwh", "fee_cny", "max_kw", "arrival_soc", "capacity_kwh"),
    "session_steps": ("power_kw", "limit_kw", "energy_kwh", "soc"),
    "tariffs": ("energy_peak", "energy_flat", "energy_valley", "service_flat"),
    "arrivals": ("arrived", "left", "expected"),
}


def meter_is_the_balance(run: SavedRun) -> Iterator[pd.DataFrame]:
    """The meter shows hosts and auxiliaries, less what PV and storage give."""
    power = run.table("power")
    balance = power["ac_kw"] + power["auxiliaries_kw"] - power["pv_kw"] - power["storage_kw"]
    wrong = ~((power["meter_kw"] - balance).abs() <= POWER_TOLERANCE_KW)
    yield rows_where(
        wrong, power, "meter_kw", "balance_kw", at_s=power["time_s"], balance_kw=balance
    )


def register_counts_the_meter(run: SavedRun) -> Iterator[pd.DataFrame]:
    """Over a run, the meter's register advances by its power."""
    power = run.table("power").sort_values(["station_id", "time_s"])
    by_station = power.groupby("station_id")
    counted = by_station["meter_kwh"].last() - by_station["meter_kwh"].first()
    drawn = (by_station["meter_kw"].sum() - by_station["meter_kw"].last()) * HOURS_PER_POINT
    turnover = power["meter_kw"].abs().groupby(power["station_id"]).sum() * HOURS_PER_POINT
    wrong = (counted - drawn).abs() > REGISTER_TOLERANCE / run.days**0.5 * turnover + 1
    frame = pd.DataFrame({"at_s": run.end_s, "register_kwh": counted, "power_kwh": drawn})
    yield frame[wrong].reset_index()


def sums_of_devices(run: SavedRun) -> Iterator[pd.DataFrame]:
    """A station's powers are the sums of its guns', its hosts' and its storage units'."""
    for table, columns in (
        ("gun_power", {"kw": "guns_kw"}),
        ("host_power", {"dc_kw": "dc_kw", "ac_kw": "ac_kw"}),
        ("storage_power", {"kw": "storage_kw"}),
    ):
        if run.has(table):
            yield from _sums(run, table, columns)


def _sums(run: SavedRun, table: str, columns: Mapping[str, str]) -> Iterator[pd.DataFrame]:
    sums = run.table(table).groupby(["station_id", "time_s"])[list(columns)].sum()
    station = run.table("power").set_index(["station_id", "time_s"])
    for part, whole in columns.items():
        both = pd.DataFrame({"sum_kw": sums[part], "station_kw": station[whole]}).dropna()
        wrong = both[(both["sum_kw"] - both["station_kw"]).abs() > POWER_TOLERANCE_KW]
        frame = wrong.reset_index().rename(columns={"time_s": "at_s"})
        yield frame.assign(of=f"{table}.{part}")


def hosts_keep_limits(run: SavedRun) -> Iterator[pd.DataFrame]:
    """A host gives at most what it is built for, and takes more than it gives."""
    hosts = run.table("hosts")[["station_id", "host", "rated_kw"]]
    power = run.table("host_power").merge(hosts, on=["station_id", "host"])
    over = power["dc_kw"] > power["rated_kw"] + POWER_TOLERANCE_KW
    gain = power["dc_kw"] > power["ac_kw"] + POWER_TOLERANCE_KW
    yield rows_where(over | gain, power, "host", "dc_kw", "ac_kw", "rated_kw", at_s=power["time_s"])


def transformers_keep_limits(run: SavedRun) -> Iterator[pd.DataFrame]:
    """Never more than the transformer's kVA, nor more than 0.8 of it for over half an hour."""
    limits = run.table("stations")[["station_id", "grid_capacity_kva", "grid_limit_kw"]]
    limits = limits.rename(columns={"grid_capacity_kva": "kva", "grid_limit_kw": "limit_kw"})
    power = run.table("power").merge(limits, on="station_id")
    power = power.sort_values(["station_id", "time_s"]).assign(at_s=power["time_s"])
    power = power[power["kva"] > 0]
    shown = ["station_id", "at_s", "meter_max_kw", "limit_kw", "kva"]
    yield power[power["meter_max_kw"] > power["kva"] + POWER_TOLERANCE_KW][shown]
    over = power["meter_kw"] > power["limit_kw"] + POWER_TOLERANCE_KW
    spells = (over != over.groupby(power["station_id"]).shift()).cumsum()
    inside = power[over]
    lasted = inside.groupby(spells[over])["at_s"].transform(lambda times: times - times.iloc[0])
    yield inside[lasted > OVERLOAD_S][[*shown, "meter_kw"]]


def storage_in_band(run: SavedRun) -> Iterator[pd.DataFrame]:
    """A unit's state of charge stays between 10 and 95 %, its power below what it is built for."""
    units = run.table("storage")[["station_id", "unit", "power_kw"]]
    power = run.table("storage_power").merge(units, on=["station_id", "unit"])
    lower, upper = STORAGE_BAND[0] - SOC_TOLERANCE, STORAGE_BAND[1] + SOC_TOLERANCE
    outside = ~power["soc"].between(lower, upper)
    outside |= power["kw"].abs() > power["power_kw"] + POWER_TOLERANCE_KW
    yield rows_where(outside, power, "unit", "soc", "kw", "power_kw", at_s=power["time_s"])


def storage_keeps_books(run: SavedRun) -> Iterator[pd.DataFrame]:
    """A unit stores what it takes and gives what it stored, each less half of its losses."""
    units = run.table("storage")[["station_id", "unit", "energy_kwh"]]
    power = run.table("storage_power").merge(units, on=["station_id", "unit"])
    power = power.sort_values(["station_id", "unit", "time_s"])
    changes = power.groupby(["station_id", "unit"])[["soc", "charged_kwh", "discharged_kwh"]].diff()
    one_way = ROUND_TRIP**0.5
    stored = changes["charged_kwh"] * one_way - changes["discharged_kwh"] / one_way
    expected = stored / power["energy_kwh"] * 100
    wrong = (changes["soc"] - expected).abs() > SOC_TOLERANCE
    yield rows_where(
        wrong,
        power,
        "unit",
        "soc",
        "change",
        "expected_change",
        at_s=power["time_s"],
        change=changes["soc"],
        expected_change=expected,
    )


def nothing_negative(run: SavedRun) -> Iterator[pd.DataFrame]:
    """What cannot be negative is not."""
    for table, columns in NEVER_NEGATIVE.items():
        if not run.has(table):
            continue
        frame = run.table(table)
        for column in columns:
            yield rows_where(
                frame[column] < 0,
                frame,
                "column",
                "value",
                at_s=_instants(frame),
                column=f"{table}.{column}",
                value=frame[column],
            )


def _instants(frame: pd.DataFrame) -> "pd.Series[float]":
    names = ("time_s", "plugged_s", "hour_s", "begin_s")
    return frame[next(name for name in names if name in frame.columns)]


def instants_on_grid(run: SavedRun) -> Iterator[pd.DataFrame]:
    """Instants of power are whole five minutes, each there once, none missing."""
    for table, device in (
        ("power", []),
        ("gun_power", ["gun"]),
        ("host_power", ["host"]),
        ("storage_power", ["unit"]),
    ):
        if not run.has(table):
            continue
        frame = run.table(table).sort_values(["station_id", *device, "time_s"])
        gaps = frame.groupby(["station_id", *device])["time_s"].diff()
        wrong = (frame["time_s"] % GRID_S != 0) | (gaps.notna() & (gaps != GRID_S))
        yield rows_where(
            wrong,
            frame,
            "table",
            "since_last_s",
            at_s=frame["time_s"],
            table=table,
            since_last_s=gaps,
        )


ENERGY_INVARIANTS = (
    Invariant(
        "meter-balance",
        "meter = AC chargers + auxiliaries - PV - storage discharge",
        meter_is_the_balance,
        ("power",),
    ),
    Invariant(
        "meter-register",
        "the meter's register counts its power",
        register_counts_the_meter,
        ("power",),
    ),
    Invariant(
        "device-sums",
        "a station's power is the sum of its devices'",
        sums_of_devices,
        ("power",),
    ),
    Invariant(
        "host-limits",
        "no host gives more than it is built for, or than it takes",
        hosts_keep_limits,
        ("hosts", "host_power"),
    ),
    Invariant(
        "grid-limits",
        "no station takes more than its transformer gives, or 0.8 of it for over 30 minutes",
        transformers_keep_limits,
        ("stations", "power"),
    ),
    Invariant(
        "storage-band",
        "storage stays within 10 to 95 % and its rated power",
        storage_in_band,
        ("storage", "storage_power"),
    ),
    Invariant(
        "storage-soc",
        "a storage unit's state of charge follows what it takes and gives",
        storage_keeps_books,
        ("storage", "storage_power"),
    ),
    Invariant(
        "nothing-negative",
        "nothing is negative that cannot be",
        nothing_negative,
        (),
    ),
    Invariant(
        "time-grid",
        "instants stand on their grid, each once, none missing",
        instants_on_grid,
        ("power",),
    ),
)
