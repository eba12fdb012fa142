"""What holds for records as they went out: they say the truth, on time.

Only records that the imperfection layer left alone. Their values are as meters show them: rounded,
with noise of 0.5 % of the value (standard deviation), and tolerances leave room for that.
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from station_sim.validation.invariants import Invariant, rows_where
from station_sim.validation.saved_run import SavedRun

NOISE = 0.03
"""Six standard deviations of a meter's noise."""

ROUNDING_KW = 0.15
MODULE_ROUNDING_KW = 0.05
MODULES = 20
GRID_MS = 300_000

CADENCE_MS: Mapping[str, int] = {
    "REAL-STATION-DATA": 15_000,
    "SCHEDULE-STATION-REALTIME-DATA": 3_600_000,
    "SCHEDULE-DEVICE-METER": 300_000,
    "SCHEDULE-DEVICE-GUN": 15_000,
    "SCHEDULE-CAR-ORDER": 1_000,
    "SCHEDULE-DEVICE-HOST-DCDC": 1_000,
    "SCHEDULE-DEVICE-HOST-ACDC": 1_000,
    "SCHEDULE-DEVICE-STORAGE": 15_000,
}
"""How far apart a device's records of a topic are, at least."""

OPEN_END = "2070-01-01 00:00:00"
"""When an order ends that is still open."""

DEVICE_KEYS = ("transactionSerialNo", "storageCode", "hostCode", "gunNo")


def modules_add_up(run: SavedRun) -> Iterator[pd.DataFrame]:
    """The modules of a host give together what the host gives to its guns."""
    records = fields(run, "SCHEDULE-DEVICE-HOST-DCDC", "hostCode", "dcdcPower")
    if records.empty:
        return
    records = records.assign(
        modules=records["dcdcPower"].map(len), modules_kw=records["dcdcPower"].map(sum)
    )
    yield rows_where(records["modules"] != MODULES, records, "hostCode", "modules")
    hosts = run.table("hosts")[["station_id", "host", "host_code"]]
    truth = run.table("host_power").merge(hosts, on=["station_id", "host"])
    truth = truth.rename(columns={"host_code": "hostCode", "time_s": "at_s"})
    both = records.merge(truth, on=["station_id", "hostCode", "at_s"])
    room = NOISE * both["dc_kw"] + MODULES * MODULE_ROUNDING_KW
    wrong = (both["modules_kw"] - both["dc_kw"]).abs() > room
    yield rows_where(wrong, both, "hostCode", "modules_kw", "dc_kw")


def records_tell_the_truth(run: SavedRun) -> Iterator[pd.DataFrame]:
    """Powers on the wire are the true ones, as a meter shows them."""
    guns = run.table("guns")[["station_id", "gun", "gun_no", "host_code"]]
    names = {"gun_no": "gunNo", "host_code": "hostCode", "time_s": "at_s"}
    if run.has("gun_power"):
        truth = run.table("gun_power").merge(guns, on=["station_id", "gun"]).rename(columns=names)
        for topic in ("SCHEDULE-DEVICE-GUN", "SCHEDULE-CAR-ORDER"):
            records = fields(run, topic, "hostCode", "gunNo", "outputPower")
            yield _untrue(records, truth, ["hostCode", "gunNo"], "outputPower", "kw", topic)
    truth = run.table("power").rename(columns=names)
    for topic, field in (
        ("SCHEDULE-DEVICE-METER", "meterPower"),
        ("REAL-STATION-DATA", "totalPower"),
    ):
        column = "meter_kw" if field == "meterPower" else "guns_kw"
        yield _untrue(fields(run, topic, field), truth, [], field, column, topic)


def records_on_grid(run: SavedRun) -> Iterator[pd.DataFrame]:
    """Records of a device are due at whole multiples of its topic's cadence apart.

    An order's last record is due when it ends, which may be between two of them.
    """
    for topic, cadence_ms in CADENCE_MS.items():
        records = run.records(topic)
        if records.empty:
            continue
        records = records[~records["value"].map(_is_ended_order)]
        device = records["value"].map(_device)
        due = records["due_ms"].astype("int64")
        first = due.groupby(device).transform("min")
        yield rows_where(
            (due - first) % cadence_ms != 0,
            records,
            "topic",
            "device",
            station_id=records["key"].fillna(""),
            at_s=due / 1000,
            topic=topic,
            device=device,
        )


def fields(run: SavedRun, topic: str, *names: str) -> pd.DataFrame:
    """Fields of a topic's records with `station_id` and due time `at_s`; those that have them all.

    Only at whole five minutes, where the tables hold the truth.
    """
    records = run.records(topic)
    if not records.empty:
        records = records[records["due_ms"] % GRID_MS == 0]
    rows = [
        {"station_id": value["stationId"], "at_s": due_ms / 1000} | {n: value[n] for n in names}
        for due_ms, value in zip(records["due_ms"], records["value"], strict=True)
        if isinstance(value, dict) and all(name in value for name in ("stationId", *names))
    ]
    frame = pd.DataFrame(rows, columns=["station_id", "at_s", *names])
    texts = [name for name in ("station_id", "hostCode", "gunNo") if name in frame.columns]
    return frame.astype({"at_s": float, **dict.fromkeys(texts, "str")})


def _untrue(
    records: pd.DataFrame,
    truth: pd.DataFrame,
    device: list[str],
    field: str,
    column: str,
    topic: str,
) -> pd.DataFrame:
    both = records.merge(truth, on=["station_id", "at_s", *device])
    told, true = both[field], both[column]
    wrong = (told - true).abs() > NOISE * true.abs() + ROUNDING_KW
    return rows_where(
        wrong, both, *device, "topic", "told_kw", "true_kw", topic=topic, told_kw=told, true_kw=true
    )


def _is_ended_order(value: object) -> bool:
    return isinstance(value, dict) and value.get("endChargeTime", OPEN_END) != OPEN_END


def _device(value: object) -> str:
    if not isinstance(value, dict):
        return ""
    return "/".join(str(value[key]) for key in ("stationId", *DEVICE_KEYS) if key in value)


WIRE_INVARIANTS = (
    Invariant(
        "module-sums",
        "the modules of a host give together what the host gives",
        modules_add_up,
        ("hosts", "host_power"),
    ),
    Invariant(
        "records-true",
        "power on the wire is the true one, as a meter shows it",
        records_tell_the_truth,
        ("guns", "power"),
    ),
    Invariant(
        "record-grid",
        "records of a device are due at multiples of their topic's cadence",
        records_on_grid,
        (),
    ),
)
