"""The columns that targets and invariants read from each table of a saved run. Data only.

A table may have more of them. `_s` are story seconds, `_ms` story milliseconds; a null stands for
what had not happened when the run ended.
"""

from collections.abc import Mapping

PERIODS = ("sharp", "peak", "flat", "valley")
FIFTH_PERIOD = "other"
"""Code 04, which some regions have (Zhejiang: the deep valley); its columns may be absent."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "stations": (
        "station_id",
        "site_type",
        "longitude",
        "latitude",
        "grid_capacity_kva",
        "grid_limit_kw",
        "guns",
        "pv_kwp",
        "rated_kw",
    ),
    "guns": ("station_id", "gun", "gun_no", "host", "host_code", "rated_kw"),
    "hosts": ("station_id", "host", "host_code", "rated_kw"),
    "storage": ("station_id", "unit", "storage_code", "energy_kwh", "power_kw"),
    "sessions": (
        "station_id",
        "transaction_no",
        "gun",
        "capacity_kwh",
        "peak_kw",
        "max_kw",
        "arrival_soc",
        "final_soc",
        "plugged_s",
        "power_on_s",
        "power_off_s",
        "unplugged_s",
        "end",
        "energy_kwh",
        *(f"kwh_{period}" for period in PERIODS),
        "fee_cny",
    ),
    "session_steps": (
        "station_id",
        "transaction_no",
        "time_s",
        "soc",
        "energy_kwh",
        "power_kw",
        "limit_kw",
    ),
    "faults": ("station_id", "part", "place", "begin_s", "end_s", "level", "code", "soft"),
    "arrivals": ("station_id", "hour_s", "arrived", "left", "expected"),
    "power": (
        "station_id",
        "time_s",
        "meter_kw",
        "meter_max_kw",
        "meter_kwh",
        "pv_kw",
        "auxiliaries_kw",
        "storage_kw",
        "guns_kw",
        "dc_kw",
        "ac_kw",
    ),
    "gun_power": ("station_id", "gun", "time_s", "kw"),
    "host_power": ("station_id", "host", "time_s", "dc_kw", "ac_kw"),
    "storage_power": (
        "station_id",
        "unit",
        "time_s",
        "kw",
        "soc",
        "charged_kwh",
        "discharged_kwh",
    ),
    "tariffs": (
        "station_id",
        "begin_s",
        "end_s",
        "region",
        "codes",
        *(f"{part}_{period}" for part in ("energy", "service") for period in PERIODS),
    ),
    "ledger/counts": ("topic", "cadence", "due"),
    "records": ("due_ms", "timestamp_ms", "key", "value", "fate"),
}
