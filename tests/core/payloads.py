"""One good payload of every topic of the default configuration, in its envelope."""

from copy import deepcopy
from typing import Any

HOURLY = "SCHEDULE-STATION-REALTIME-DATA"
CALENDAR = "SCHEDULE-ENVIRONMENT-CALENDAR"
OUTPUT = "MODULE-OUTPUT-LOAD_PREDICTION"

ITEMS: dict[str, dict[str, Any]] = {
    "SCHEDULE-STATION-PARAM": {
        "stationName": "north",
        "stationLng": 120.5,
        "stationLat": 30.2,
        "gunNum": 4,
        "gridCapacity": 250.0,
        "powerNum": 2,
        "normalCap": 186.8,
        "hostCode": ["52000000000088"],
    },
    "REAL-STATION-DATA": {"timestamp": "2026-03-01 11:00:15", "totalPower": 80.5},
    HOURLY: {
        "hostCode": "52000000000088",
        "sendTime": "2026-03-01 11:00:00",
        "gunPower": {
            "gunNo": ["02", "01"],
            "outputPowerPerGunAvg": [2.73, 88.48],
            "outputPowerPerGunMax": [7.0, 135.2],
        },
        "outputPowerPerStationAvg": 80.0,
        "outputPowerPerStationMax": 150.0,
    },
    CALENDAR: {"date": "2026-03-01", "isHoliday": 0, "isWeekend": 1},
    "SCHEDULE-ENVIRONMENT-WEATHER": {
        "weatherSituationYesterday": "晴",
        "weatherSituationTomorrow": "多云",
        "seasonTomorrow": "冬",
        "temperatureMaxTomorrow": 15.0,
        "temperatureMinTomorrow": 5.0,
    },
    "SCHEDULE-DEVICE-METER": {"meterId": "M1", "meterPower": 120.0, "rmeterLimitPower": 500.0},
    "SCHEDULE-DEVICE-GUN": {"hostCode": "52000000000088", "gunNo": "01", "status": 1},
    "SCHEDULE-CAR-ORDER": {
        "hostCode": "52000000000088",
        "gunNo": "01",
        "transactionSerialNo": "T1",
        "outputPower": 60.0,
        "beginSOC": 20.0,
        "soc": 45.5,
        "startChargeTime": "2026-03-01 10:30:00",
        "endChargeTime": "2070-01-01 00:00:00",
    },
    "SCHEDULE-CAR-PRICE": {
        "dialNo": "2100",
        "sendTime": "2026-03-01 00:00:00",
        "peakElectricFee": 0.8,
        "lossRate": 1,
        **{f"feeNo{number}": "02" for number in range(1, 49)},
    },
    "SCHEDULE-DEVICE-ERROR": {"hostCode": "52000000000088", "errorCode": "0000", "errorLevel": 0},
    "SCHEDULE-DEVICE-HOST-DCDC": {
        "hostCode": "52000000000088",
        "dcWorkStatus": ["00", "01"],
        "dcdcPower": [0.0, 25.5],
    },
    "SCHEDULE-DEVICE-HOST-ACDC": {"hostCode": "52000000000088", "acPower": 90.0},
    "SCHEDULE-DEVICE-STORAGE": {
        "storageCode": "0a1b2c3d4e5f60718293",
        "batteryGroupSoc": 55,
        "batteryGroupOutPower": 4.5,
    },
    "SCHEDULE-DEVICE-PV": {"hostCode": "52000000000088", "pvPreDcPower": [0.0, 5.5]},
    OUTPUT: {"module": "load_prediction", "output": {"load_forecast": [1.0]}, "timestamp": 5.0},
}
"""An item of each topic without its station."""

WRAPPERS = {
    HOURLY: "realTimeData",
    CALENDAR: "calendar",
    "SCHEDULE-ENVIRONMENT-WEATHER": "weather",
    "SCHEDULE-CAR-PRICE": "fee",
    "SCHEDULE-DEVICE-PV": "photovoltaicMessage",
    OUTPUT: "results",
}
"""Keys of the lists that wrap items; the items of other topics come alone, or in a bare list."""


def item(topic: str, station_id: Any = "A", **more: Any) -> dict[str, Any]:
    """Return an item of a station."""
    key = "station_id" if topic == OUTPUT else "stationId"
    return {**({} if topic == CALENDAR else {key: station_id}), **deepcopy(ITEMS[topic]), **more}


def wrapped(topic: str, items: list[Any]) -> Any:
    """Return items in the envelope of their topic."""
    return {WRAPPERS[topic]: items} if topic in WRAPPERS else items
