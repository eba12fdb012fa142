"""The default configuration: data only, no logic.

A service reads this module unless it is given `config=`, a module or any object with the same
names. What the values may be is decided in `data_analysis.settings` and
`data_analysis.kafka.options`. Fields, windows and module lists follow the API reference where it
gives them, else the 2025-11 and 2026-02 editions of the system.
"""

from typing import Any

_DAY_SECONDS = 24 * 3600

STATION_TIMEZONE = "Asia/Shanghai"
"""Zone of every local time on the wire (`sendTime`, `timestamp`)."""

KAFKA_CONFIG: dict[str, Any] = {
    "consumer": {
        "bootstrap_servers": ["localhost:9092"],
        "group_id": "data_analysis_group",
        "auto_offset_reset": "latest",
        "enable_auto_commit": True,
        "max_poll_records": 500,
        "session_timeout_ms": 30000,
    },
    "producer": {
        "bootstrap_servers": ["localhost:9092"],
        "acks": "all",
        "retries": 3,
        "max_in_flight_requests_per_connection": 5,
        "compression_type": "gzip",
    },
}

OFFSET_COMMIT_CONFIG: dict[str, Any] = {
    "commit_interval_seconds": 5.0,
    "commit_batch_size": 100,
    "max_commit_retries": 3,
    "commit_retry_delay": 1.0,
}

TOPIC_DETAIL: dict[str, dict[str, Any]] = {
    "SCHEDULE-STATION-PARAM": {
        "fields": [
            "stationId",
            "stationTemp",
            "lat",
            "lng",
            "stationName",
            "stationLng",
            "stationLat",
            "gunNum",
            "gridCapacity",
            "meterId",
            "powerNum",
            "normalCap",
            "hostCode",
        ],
        "frequency": "新建站或配置更改时",
        "modules": [
            "load_prediction",
            "operation_optimization",
            "electricity_price",
            "SOH_model",
        ],
        "window_size": 1,
        "expire_seconds": None,
    },
    "REAL-STATION-DATA": {
        "fields": ["stationId", "timestamp", "totalPower"],
        "frequency": "15秒",
        "modules": ["load_prediction", "evaluation_model"],
        "window_size": 7 * 24 * 60 * 4,
    },
    "SCHEDULE-ENVIRONMENT-CALENDAR": {
        "fields": ["date", "isHoliday", "isWeekend"],
        "frequency": "每年",
        "modules": ["load_prediction", "electricity_price", "SOH_model"],
        "window_size": 1,
        "expire_seconds": None,
    },
    "SCHEDULE-CAR-PRICE": {
        "fields": [
            "stationId",
            "hostCode",
            "dialNo",
            "sendTime",
            "feeNo",
            "sharpElectricFee",
            "peakElectricFee",
            "flatElectricFee",
            "ebbElectricFee",
            "otherElectricFee",
            "sharpServerFee",
            "peakServerFee",
            "flatServerFee",
            "ebbServerFee",
            "otherServerFee",
            "lossRate",
        ],
        "frequency": "每月",
        "modules": [
            "operation_optimization",
            "electricity_price",
            "thermal_management",
            "evaluation_model",
        ],
        "window_size": 1,
        "expire_seconds": 35 * _DAY_SECONDS,
    },
}

MODULE_DEPENDENCIES: dict[str, list[str]] = {
    "electricity_price": ["pv_prediction", "evaluation_model", "SOH_model"],
    "station_guidance": ["load_prediction", "evaluation_model"],
    "thermal_management": ["load_prediction", "operation_optimization"],
    "operation_optimization": ["load_prediction"],
}
