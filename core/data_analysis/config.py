"""The default configuration: data only, no logic.

A service reads this module unless it is given `config=`, a module or any object with the same
names. What the values may be is decided in `data_analysis.settings` and
`data_analysis.kafka.options`. Fields, windows and module lists follow the API reference where it
gives them, else the 2025-11 and 2026-02 editions of the system.
"""

from typing import Any

_HOUR_SECONDS = 3600
_DAY_SECONDS = 24 * _HOUR_SECONDS

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
        "modules": ["load_prediction", "operation_optimization", "electricity_price", "SOH_model"],
        "window_size": 1,
        "expire_seconds": None,
    },
    "REAL-STATION-DATA": {
        "fields": [
            "stationId",
            "timestamp",
            "totalPower",
        ],
        "frequency": "15秒",
        "modules": ["load_prediction", "evaluation_model"],
        "window_size": 7 * 24 * 60 * 4,
    },
    "SCHEDULE-STATION-REALTIME-DATA": {
        "fields": [
            "stationId",
            "hostCode",
            "sendTime",
            "gunNo",
            "outputPowerPerGunAvg",
            "outputPowerPerGunMax",
            "outputPowerPerStationAvg",
            "outputPowerPerStationMax",
        ],
        "frequency": "每小时推送7天",
        "modules": [
            "load_prediction",
            "electricity_price",
            "thermal_management",
            "evaluation_model",
            "SOH_model",
        ],
        "window_size": 7 * 24,
        "expire_seconds": 2 * _HOUR_SECONDS,
    },
    "SCHEDULE-ENVIRONMENT-CALENDAR": {
        "fields": [
            "date",
            "isHoliday",
            "isWeekend",
        ],
        "frequency": "每年",
        "modules": ["load_prediction", "electricity_price", "SOH_model"],
        "window_size": 1,
        "expire_seconds": None,
    },
    "SCHEDULE-ENVIRONMENT-WEATHER": {
        "fields": [
            "stationId",
            "weatherSituationYesterday",
            "weatherSituationTomorrow",
            "seasonTomorrow",
            "temperatureMaxTomorrow",
            "temperatureMinTomorrow",
        ],
        "frequency": "每天",
        "modules": ["pv_prediction"],
        "window_size": 1,
        "expire_seconds": 26 * _HOUR_SECONDS,
    },
    "SCHEDULE-DEVICE-METER": {
        "fields": [
            "stationId",
            "meterId",
            "meterPower",
            "rmeterLimitPower",
            "activePower",
            "reactivePower",
            "totalActiveEnergy",
        ],
        "frequency": "5分钟",
        "modules": ["electricity_price"],
        "window_size": 1,
    },
    "SCHEDULE-DEVICE-GUN": {
        "fields": [
            "stationId",
            "hostCode",
            "gunNo",
            "status",
            "gunStatus",
            "outputPower",
            "outputCurrent",
            "outputVoltage",
        ],
        "frequency": "15秒",
        "modules": [],
        "window_size": 1,
    },
    "SCHEDULE-CAR-ORDER": {
        "fields": [
            "stationId",
            "hostCode",
            "gunNo",
            "transactionSerialNo",
            "terminalMaxOutElectric",
            "terminalRequireElectric",
            "terminalRequireVoltage",
            "outputPower",
            "beginSOC",
            "soc",
            "batteryNominalTotalCapacity",
            "carProducerCode",
            "startChargeTime",
            "endChargeTime",
        ],
        "frequency": "有订单时1秒",
        "modules": [
            "operation_optimization",
            "electricity_price",
            "station_guidance",
            "evaluation_model",
        ],
        "window_size": 2,
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
    "SCHEDULE-DEVICE-ERROR": {
        "fields": [
            "stationId",
            "hostCode",
            "hostError",
            "acError",
            "dcError",
            "terminalError",
            "storageError",
            "errorCode",
            "errorLevel",
            "errorDesc",
        ],
        "frequency": "发生故障时",
        "modules": ["SOH_model"],
        "window_size": 1,
    },
    "SCHEDULE-DEVICE-HOST-DCDC": {
        "fields": [
            "stationId",
            "hostCode",
            "dcWorkStatus",
            "dcdcPower",
            "dcOutputPower",
            "dcOutputCurrent",
            "dcOutputVoltage",
        ],
        "frequency": "充电时1秒，空闲时15秒",
        "modules": ["operation_optimization", "thermal_management", "evaluation_model"],
        "window_size": 1,
    },
    "SCHEDULE-DEVICE-HOST-ACDC": {
        "fields": [
            "stationId",
            "hostCode",
            "acPower",
            "acCurrent",
            "acVoltage",
            "acWorkStatus",
        ],
        "frequency": "充电时1秒，空闲时15秒",
        "modules": ["thermal_management", "evaluation_model"],
        "window_size": 1,
    },
    "SCHEDULE-DEVICE-STORAGE": {
        "fields": [
            "stationId",
            "storageCode",
            "hostCode",
            "batteryGroupSoc",
            "batteryGroupSoh",
            "batteryGroupElectric",
            "batteryGroupOutPower",
            "maxTemperature",
            "minTemperature",
        ],
        "frequency": "15秒",
        "modules": [
            "operation_optimization",
            "electricity_price",
            "thermal_management",
            "evaluation_model",
        ],
        "window_size": 1,
    },
    "SCHEDULE-DEVICE-PV": {
        "fields": [
            "stationId",
            "hostCode",
            "pvPreDcPower",
            "pvRealDcPower",
        ],
        "frequency": "每天",
        "modules": ["pv_prediction"],
        "window_size": 1,
        "expire_seconds": 26 * _HOUR_SECONDS,
    },
}
"""Every topic: `fields`, `frequency`, `modules`, `window_size` in points, and, where they are not
the service's, `expire_seconds` (None: never) and `padding`.

What a field means, and its unit and sign, is in `data_analysis.types`.
"""

MODULE_DEPENDENCIES: dict[str, list[str]] = {
    "electricity_price": ["pv_prediction", "evaluation_model", "SOH_model"],
    "station_guidance": ["load_prediction", "evaluation_model"],
    "thermal_management": ["load_prediction", "operation_optimization"],
    "operation_optimization": ["load_prediction"],
}
