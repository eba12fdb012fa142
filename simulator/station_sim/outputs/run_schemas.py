"""The tables that a run leaves, and their columns. Data only; what fills them is others'."""

import pyarrow as pa

PERIOD_CODES = {"sharp": "00", "peak": "01", "flat": "02", "valley": "03", "other": "04"}

_TEXTS = (
    *("station_id", "name", "site_type", "region", "end", "part", "code", "dial_no"),
    *("gun_no", "host_code", "storage_code", "transaction_no", "vehicle_class"),
)
_WHOLES = (
    *("station_index", "guns", "hosts", "storage_units", "arrived", "left", "charging_guns"),
    *("gun", "host", "pile", "unit", "place", "level", "status"),
)


def _schema(columns: str) -> pa.Schema:
    return pa.schema([(name, _kind(name)) for name in ("station_id", *columns.split())])


def _kind(name: str) -> pa.DataType:
    if name in _TEXTS:
        return pa.string()
    if name in _WHOLES:
        return pa.int32()
    if name == "soft":
        return pa.bool_()
    return pa.list_(pa.string()) if name == "codes" else pa.float64()


TABLES = {
    "stations": _schema(
        "station_index name site_type longitude latitude grid_capacity_kva grid_limit_kw guns hosts"
        " storage_units storage_kwh storage_kw pv_kwp rated_kw years busyness frailty arrived left"
    ),
    "guns": _schema("gun gun_no host host_code pile rated_kw current_limit_a"),
    "hosts": _schema("host host_code rated_kw"),
    "storage": _schema("unit storage_code host_code energy_kwh power_kw years"),
    "sessions": _schema(
        "transaction_no gun vehicle_class capacity_kwh peak_kw max_kw arrival_soc stop_soc"
        " final_soc plugged_s power_on_s power_off_s unplugged_s end energy_kwh kwh_sharp kwh_peak"
        " kwh_flat kwh_valley kwh_other fee_cny"
    ),
    "session_steps": _schema("transaction_no time_s soc energy_kwh power_kw limit_kw"),
    "faults": _schema("part place begin_s end_s level code soft"),
    "arrivals": _schema("hour_s arrived left expected"),
    "power": _schema(
        "time_s meter_kw meter_max_kw meter_kwh pv_kw auxiliaries_kw storage_kw guns_kw dc_kw ac_kw"
        " outdoor_c charging_guns"
    ),
    "gun_power": _schema("gun time_s kw status"),
    "host_power": _schema("host time_s dc_kw ac_kw"),
    "storage_power": _schema("unit time_s kw soc charged_kwh discharged_kwh"),
    "tariffs": _schema(
        "begin_s end_s region dial_no codes energy_sharp energy_peak energy_flat energy_valley"
        " energy_other service_sharp service_peak service_flat service_valley service_other"
    ),
}
