"""A small run made of nothing but tables, which meets every target and keeps every invariant.

Its charges follow a power curve by one-percent steps, so that what belongs together does. It is
drawn from one generator: the same arguments make the same tables.
"""

import json
from datetime import datetime
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from station_sim.validation.columns import PERIODS
from station_sim.validation.saved_run import SavedRun
from station_sim.validation.sun import elevations_deg

Tables = dict[str, pd.DataFrame]

URBAN = (
    *(4.9, 3.0, 2.1, 1.9, 2.7, 5.0, 5.2, 3.8, 3.0, 2.9, 3.3, 4.4),
    *(6.2, 6.4, 6.0, 5.3, 4.4, 3.7, 3.4, 3.3, 3.6, 4.1, 5.0, 6.4),
)
CORRIDOR = (
    *(0.5, 0.7, 0.2, 0.2, 0.1, 0.9, 1.9, 2.1, 3.8, 5.6, 4.9, 7.3),
    *(7.4, 6.4, 6.2, 7.7, 7.2, 8.1, 8.9, 6.5, 4.4, 5.1, 2.5, 1.4),
)
RATES = {"urban": 4.3, "corridor": 5.2, "hub": 7.9, "depot": 4.0}
CURVE = (
    (0, 10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95, 100),
    (0.95, 0.95, 0.94, 0.93, 0.91, 0.82, 0.72, 0.61, 0.48, 0.38, 0.31, 0.23, 0.15),
)
STATIONS, DAYS = 40, 2
START = "2026-03-01T00:00:00+08:00"
DAY_S = 86_400
INSTANTS_S = np.arange(0, DAYS * DAY_S, 300.0)
FLAT = 0.66
ENERGY_PRICE = dict(zip(PERIODS, (1.4025, 1.122, 0.66, 0.2508), strict=True))
SERVICE_FEE = dict(zip(PERIODS, (0.38, 0.38, 0.38, 0.3), strict=True))
CODES = ["03"] * 16 + ["02"] * 4 + ["01"] * 4 + ["02"] * 4 + ["01"] * 10 + ["02"] * 10
ETA = 0.85**0.5


def synthetic_run(tables: Tables, **facts: Any) -> SavedRun:
    """The tables as a run that `targets` and `invariants` can read."""
    return SavedRun.of(
        {"profile": "synthetic", "seed": 0, "start": START, "days": DAYS, **facts}, tables
    )


class WatchedRun(SavedRun):
    """A run that notes in `read` which of its tables are asked for."""

    read: set[str]

    def has(self, name: str) -> bool:
        """As a run's."""
        self.read.add(name)
        return super().has(name)

    def table(self, name: str) -> pd.DataFrame:
        """As a run's."""
        self.read.add(name)
        return super().table(name)


def watched_run(tables: Tables) -> WatchedRun:
    """The tables as a run that notes what is read of it."""
    run = WatchedRun.of({"profile": "synthetic", "seed": 0, "start": START, "days": DAYS}, tables)
    run.read = set()
    return run


def make_tables(
    *,
    rates: dict[str, float] = RATES,
    site_types: tuple[str, ...] = ("urban", "corridor", "hub", "depot"),
    warmth: float = 1.0,
    size: float = 0.91,
    only_sessions: bool = False,
) -> Tables:
    """Tables of two days of 40 stations.

    `rates` are sessions per gun and day; `warmth` scales what batteries accept, `size` how large
    they are. With `only_sessions` there is no more than stations, guns and charges.
    """
    rng = np.random.default_rng(1)
    stations, guns, hosts = _sites(site_types)
    sessions, steps = _charges(rng, guns, rates, warmth, size)
    tables = {"stations": stations, "guns": guns, "sessions": sessions, "session_steps": steps}
    if only_sessions:
        return tables
    tables |= _powers(stations, guns, hosts, sessions, steps)
    tables["arrivals"] = _arrivals(rng, stations)
    tables["faults"] = _faults(guns)
    tables["tariffs"] = _tariffs(stations)
    tables["ledger/counts"] = _ledger()
    return tables | _records(tables)


def _sites(site_types: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    shares = np.arange(STATIONS) * 17 % STATIONS
    places = np.searchsorted(np.array([0.70, 0.88, 0.96]) * STATIONS, shares, side="right")
    spread = np.log(3.5) / NormalDist().inv_cdf(0.9)
    sizes = [
        round(10 * np.exp(spread * NormalDist().inv_cdf((i + 0.5) / STATIONS)))
        for i in range(STATIONS)
    ]
    stations = pd.DataFrame(
        {
            "station_id": [f"CN{i:08d}" for i in range(STATIONS)],
            "site_type": [site_types[place % len(site_types)] for place in places],
            "longitude": 113.3,
            "latitude": 23.1,
            "guns": sizes,
            "pv_kwp": [100.0 if i % 3 == 0 else 0.0 for i in range(STATIONS)],
            "rated_kw": 60.0 * np.array(sizes),
            "grid_capacity_kva": 0.0,
            "grid_limit_kw": 0.0,
        }
    )
    rows = [
        {
            "station_id": station_id,
            "gun": gun + 1,
            "gun_no": f"{gun % 6 + 1:02d}",
            "host": gun // 6,
            "host_code": f"52{station_id[2:]}{gun // 6:04d}",
            "rated_kw": 60.0 if gun % 2 else 120.0,
        }
        for station_id, size in zip(stations["station_id"], sizes, strict=True)
        for gun in range(size)
    ]
    guns = pd.DataFrame(rows)
    hosts = guns[["station_id", "host", "host_code"]].drop_duplicates().reset_index(drop=True)
    return stations, guns, hosts


def _charges(
    rng: np.random.Generator,
    guns: pd.DataFrame,
    rates: dict[str, float],
    warmth: float,
    size: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    visits = _visits(rng, guns, rates)
    count = len(visits)
    arrival = 3 + 76 * rng.beta(2.2, 2.6, count)
    full = rng.random(count) < 0.33
    wanted = np.where(full, rng.uniform(97, 100, count), 38 + 56 * rng.beta(4.2, 1.7, count))
    target = np.minimum(np.maximum(wanted, arrival + 8), 100)
    kind = rng.choice(4, count, p=(0.62, 0.22, 0.06, 0.10))
    capacity = size * rng.uniform(
        np.array([43, 68, 80, 17])[kind], np.array([62, 90, 102, 45])[kind]
    )
    peak = rng.uniform(np.array([55, 90, 220, 28])[kind], np.array([92, 170, 400, 60])[kind])
    peak *= warmth * size * np.clip(rng.normal(0.70, 0.08, count), 0.4, 1)
    limits = visits["rated_kw"].to_numpy()
    edges = np.clip(np.arange(101)[None, :], arrival[:, None], target[:, None])
    gains = np.diff(edges, axis=1)
    shares = np.interp(np.arange(100) + 0.5, *CURVE)
    kw = np.minimum(limits[:, None], peak[:, None] * shares[None, :])
    kwh = gains / 100 * capacity[:, None] / 0.97
    lasts = kwh / kw * 3600
    sessions = visits.assign(
        transaction_no=[f"T{i:06d}" for i in range(count)],
        capacity_kwh=capacity,
        peak_kw=peak,
        max_kw=np.where(gains > 0, kw, 0).max(axis=1),
        arrival_soc=arrival,
        final_soc=target,
        energy_kwh=kwh.sum(axis=1),
        lasts_s=lasts.sum(axis=1),
        end=np.where(np.arange(count) % 33 == 5, "abnormal", "target"),
    )
    sessions = _plug(sessions)
    return _priced(sessions, _steps(sessions, edges, kw, kwh, lasts, limits))


def _visits(rng: np.random.Generator, guns: pd.DataFrame, rates: dict[str, float]) -> pd.DataFrame:
    sizes = guns.groupby("station_id").size()
    kinds = dict(zip(sizes.index, _sites(tuple(rates))[0]["site_type"], strict=True))
    frames = []
    for station_id, size in sizes.items():
        kind = kinds[station_id]
        shares = np.array(CORRIDOR if kind == "corridor" else URBAN)
        count = round(size * rates[kind] * DAYS)
        hours = rng.choice(24, count, p=shares / shares.sum())
        wished = np.sort(
            rng.integers(0, DAYS, count) * DAY_S + hours * 3600 + rng.uniform(0, 3600, count)
        )
        frames.append(pd.DataFrame({"station_id": station_id, "wished_s": wished}))
    visits = pd.concat(frames, ignore_index=True)
    place = visits.groupby("station_id").cumcount()
    visits["gun"] = place % visits["station_id"].map(sizes) + 1
    return visits.merge(guns[["station_id", "gun", "rated_kw"]], on=["station_id", "gun"])


def _plug(sessions: pd.DataFrame) -> pd.DataFrame:
    """Each car on the gun of its station that is free the longest; later if none is."""
    free: dict[tuple[str, int], float] = {}
    plugged = []
    for row in sessions.itertuples():
        at = max(row.wished_s, free.get((row.station_id, row.gun), 0.0))
        free[row.station_id, row.gun] = at + 40 + row.lasts_s + 120
        plugged.append(at)
    sessions = sessions.assign(plugged_s=plugged)
    sessions["power_on_s"] = sessions["plugged_s"] + 40
    sessions["power_off_s"] = sessions["power_on_s"] + sessions["lasts_s"]
    sessions["unplugged_s"] = sessions["power_off_s"] + 120
    return sessions


def _steps(
    sessions: pd.DataFrame,
    edges: np.ndarray,
    kw: np.ndarray,
    kwh: np.ndarray,
    lasts: np.ndarray,
    limits: np.ndarray,
) -> pd.DataFrame:
    """One row a step, and one at the end of each charge with power 0."""
    begins = sessions["power_on_s"].to_numpy()[:, None] + np.pad(
        np.cumsum(lasts, 1), ((0, 0), (1, 0))
    )
    sums = np.pad(np.cumsum(kwh, 1), ((0, 0), (1, 0)))
    powers = np.pad(kw, ((0, 0), (0, 1)))
    lively = np.pad(lasts > 0, ((0, 0), (0, 1)), constant_values=True)
    row, column = np.nonzero(lively)
    return pd.DataFrame(
        {
            "station_id": sessions["station_id"].to_numpy()[row],
            "transaction_no": sessions["transaction_no"].to_numpy()[row],
            "time_s": begins[row, column],
            "soc": edges[row, column],
            "energy_kwh": sums[row, column],
            "power_kw": powers[row, column],
            "limit_kw": limits[row],
        }
    )


def _priced(sessions: pd.DataFrame, steps: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    codes = np.array(CODES)[(steps["time_s"] // 1800 % 48).astype(int)]
    kwh = steps.groupby("transaction_no")["energy_kwh"].shift(-1) - steps["energy_kwh"]
    fee = pd.Series(0.0, index=sessions.index)
    for place, period in enumerate(PERIODS):
        sums = kwh[codes == f"{place:02d}"].groupby(steps["transaction_no"]).sum()
        sold = sessions["transaction_no"].map(sums).fillna(0.0)
        sessions[f"kwh_{period}"] = sold
        fee += sold * (ENERGY_PRICE[period] + SERVICE_FEE[period])
    return sessions.assign(fee_cny=fee), steps


def _powers(
    stations: pd.DataFrame,
    guns: pd.DataFrame,
    hosts: pd.DataFrame,
    sessions: pd.DataFrame,
    steps: pd.DataFrame,
) -> Tables:
    gun_power = _gun_power(guns, sessions, steps)
    by_host = gun_power.merge(guns[["station_id", "gun", "host"]], on=["station_id", "gun"])
    dc = by_host.groupby(["station_id", "host", "time_s"], as_index=False)["kw"].sum()
    host_power = dc.rename(columns={"kw": "dc_kw"})
    host_power["ac_kw"] = host_power["dc_kw"] / 0.95
    built = pd.DataFrame(
        {
            "peak": host_power.groupby(["station_id", "host"])["dc_kw"].max(),
            "guns": guns.groupby(["station_id", "host"]).size(),
        }
    )
    rated = built["peak"].clip(lower=45.0 * built["guns"])
    hosts["rated_kw"] = rated.reindex(
        pd.MultiIndex.from_frame(hosts[["station_id", "host"]])
    ).to_numpy()
    stations["rated_kw"] = stations["station_id"].map(hosts.groupby("station_id")["rated_kw"].sum())
    storage, storage_power = _storage(stations)
    power = _station_power(stations, host_power, storage_power)
    highest = power.groupby("station_id")["meter_max_kw"].max()
    stations["grid_capacity_kva"] = stations["station_id"].map(highest / 0.75).clip(lower=50)
    stations["grid_limit_kw"] = 0.8 * stations["grid_capacity_kva"]
    return {
        "hosts": hosts,
        "gun_power": gun_power,
        "host_power": host_power,
        "storage": storage,
        "storage_power": storage_power,
        "power": power,
    }


def _gun_power(guns: pd.DataFrame, sessions: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    places = {key: i for i, key in enumerate(zip(guns["station_id"], guns["gun"], strict=True))}
    kw = np.zeros((len(guns), len(INSTANTS_S)))
    bounds = dict(iter(steps.groupby("transaction_no")[["time_s", "power_kw"]]))
    for row in sessions.itertuples():
        own = bounds[row.transaction_no]
        first, behind = np.searchsorted(INSTANTS_S, (row.power_on_s, row.power_off_s))
        at = np.searchsorted(own["time_s"], INSTANTS_S[first:behind], side="right") - 1
        kw[places[row.station_id, row.gun], first:behind] = own["power_kw"].to_numpy()[at]
    return pd.DataFrame(
        {
            "station_id": np.repeat(guns["station_id"].to_numpy(), len(INSTANTS_S)),
            "gun": np.repeat(guns["gun"].to_numpy(), len(INSTANTS_S)),
            "time_s": np.tile(INSTANTS_S, len(guns)),
            "kw": kw.ravel(),
        }
    )


def _storage(stations: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every fourth station charges one unit of 150 kWh after midnight and empties it from 10 h."""
    ids = stations["station_id"][::4]
    units = pd.DataFrame(
        {"station_id": ids, "unit": 0, "storage_code": "A0", "energy_kwh": 150.0, "power_kw": 75.0}
    )
    of_day = (INSTANTS_S % DAY_S / 300).astype(int)
    charging = of_day < 31
    discharging = (of_day >= 120) & (of_day < 146)
    rest_kw = (31 * 50 * ETA * ETA - 26 * 50) * (of_day == 146)
    kw = -50.0 * charging + 50.0 * discharging + rest_kw
    kwh = kw / 12
    charged = np.concatenate(([0.0], np.cumsum(np.maximum(-kwh, 0))[:-1]))
    discharged = np.concatenate(([0.0], np.cumsum(np.maximum(kwh, 0))[:-1]))
    series = pd.DataFrame(
        {
            "unit": 0,
            "time_s": INSTANTS_S,
            "kw": kw,
            "soc": 12 + (charged * ETA - discharged / ETA) / 1.5,
            "charged_kwh": charged,
            "discharged_kwh": discharged,
        }
    )
    return units, pd.concat([series.assign(station_id=each) for each in ids], ignore_index=True)


def _station_power(
    stations: pd.DataFrame, host_power: pd.DataFrame, storage_power: pd.DataFrame
) -> pd.DataFrame:
    power = host_power.groupby(["station_id", "time_s"], as_index=False)[["dc_kw", "ac_kw"]].sum()
    stored = storage_power.set_index(["station_id", "time_s"])["kw"]
    keys = pd.MultiIndex.from_frame(power[["station_id", "time_s"]])
    sun = elevations_deg(datetime.fromisoformat(START), INSTANTS_S, 23.1, 113.3)
    yields = np.maximum(np.sin(np.radians(sun)), 0)
    yields *= 3.6 * DAYS * 12 / yields.sum()
    kwp = power["station_id"].map(stations.set_index("station_id")["pv_kwp"])
    power["pv_kw"] = kwp * power["time_s"].map(dict(zip(INSTANTS_S, yields, strict=True)))
    power["storage_kw"] = stored.reindex(keys).fillna(0.0).to_numpy()
    power["auxiliaries_kw"] = 2.0
    power["guns_kw"] = power["dc_kw"]
    power["meter_kw"] = power["ac_kw"] + 2.0 - power["pv_kw"] - power["storage_kw"]
    power["meter_max_kw"] = power["meter_kw"].clip(lower=0)
    drawn = power.groupby("station_id")["meter_kw"]
    power["meter_kwh"] = (drawn.cumsum() - power["meter_kw"]) / 12
    power["outdoor_c"] = 18.0
    return power


def _arrivals(rng: np.random.Generator, stations: pd.DataFrame) -> pd.DataFrame:
    hours = np.arange(24 * DAYS)
    frames = []
    for row in stations.itertuples():
        expected = row.guns * 4.5 * np.array(URBAN)[hours % 24] / 100
        frames.append(
            pd.DataFrame(
                {
                    "station_id": row.station_id,
                    "hour_s": 3600.0 * (hours + 1),
                    "arrived": np.cumsum(rng.poisson(expected)),
                    "left": 0,
                    "expected": np.cumsum(expected),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _faults(guns: pd.DataFrame) -> pd.DataFrame:
    begins = (np.arange(len(guns)) * 977.0) % (DAYS * DAY_S * 0.9)
    return pd.DataFrame(
        {
            "station_id": guns["station_id"],
            "part": "gun",
            "place": guns["gun"],
            "begin_s": begins,
            "end_s": begins + 0.03 * DAYS * DAY_S,
            "level": 1,
            "code": "0101",
            "soft": True,
        }
    )


def _tariffs(stations: pd.DataFrame) -> pd.DataFrame:
    prices = {f"energy_{period}": ENERGY_PRICE[period] for period in PERIODS}
    prices |= {f"service_{period}": SERVICE_FEE[period] for period in PERIODS}
    return pd.DataFrame(
        {
            "station_id": stations["station_id"],
            "begin_s": 0.0,
            "end_s": 31.0 * DAY_S,
            "dial_no": "2100",
            "region": "guangdong",
            "codes": [CODES] * len(stations),
        }
    ).assign(**prices)


def _ledger() -> pd.DataFrame:
    columns = ("cadence", "lost", "duplicate", "late", "very-late", "swapped")
    shares = (
        ("1 s", 0.003, 0.001, 0.007, 0.001, 0.005),
        ("15 s", 0.002, 0.001, 0.004, 0.001, 0.002),
        ("5 min", 0.001, 0.0005, 0.002, 0.001, 0.0),
        ("hourly-daily", 0.0005, 0.005, 0.001, 0.001, 0.0),
    )
    frame = pd.DataFrame(shares, columns=columns)
    counts = (frame[list(columns[1:])] * 1_000_000).round().astype(int)
    return counts.assign(cadence=frame["cadence"], topic="T", station_id="CN", due=1_000_000)


def _records(tables: Tables) -> Tables:
    """What the first station with two hosts said in its first hours."""
    station_id = tables["hosts"].loc[tables["hosts"]["host"] == 1, "station_id"].iloc[0]
    tables = {name: _of_station(frame, station_id) for name, frame in tables.items()}
    named = tables["gun_power"].merge(tables["guns"], on="gun")
    hosted = tables["host_power"].merge(tables["hosts"], on="host")
    topics = {
        "SCHEDULE-DEVICE-METER": [
            (row.time_s, {"meterPower": round(row.meter_kw, 1)})
            for row in tables["power"].itertuples()
        ],
        "SCHEDULE-DEVICE-GUN": [
            (row.time_s, {"hostCode": row.host_code, "gunNo": row.gun_no, "outputPower": row.kw})
            for row in named.itertuples()
        ],
        "SCHEDULE-DEVICE-HOST-DCDC": [
            (row.time_s, {"hostCode": row.host_code, "dcdcPower": [row.dc_kw / 20] * 20})
            for row in hosted.itertuples()
        ],
    }
    return {f"records/{topic}": _topic(station_id, rows) for topic, rows in topics.items()}


def _of_station(frame: pd.DataFrame, station_id: str) -> pd.DataFrame:
    if "station_id" not in frame.columns:
        return frame
    own = frame[frame["station_id"] == station_id].drop(columns="station_id")
    return own[own["time_s"] < 6 * 3600] if "time_s" in own.columns else own


def _topic(station_id: str, rows: list[tuple[float, dict[str, Any]]]) -> pd.DataFrame:
    due_ms = [round(at_s * 1000) for at_s, _ in rows]
    return pd.DataFrame(
        {
            "due_ms": due_ms,
            "timestamp_ms": due_ms,
            "key": station_id,
            "value": [json.dumps({"stationId": station_id, **value}).encode() for _, value in rows],
            "fate": "",
        }
    )
