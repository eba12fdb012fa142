"""Types of module inputs under the default configuration, in the list form.

Names are those of the wire; units follow what published editions of the system say. Whatever has no
data, or was not sent, is None. The array form has read-only NumPy arrays in place of the lists of
windows and hourly series. Nothing here is needed at run time; a test compares it with what
`DataDispatcher` gives.
"""

from typing import Any, TypedDict


class DataQuality(TypedDict):
    """Which of a module's topics have data, in the order of the configuration."""

    available_topics: list[str]
    missing_topics: list[str]
    total_topics: int
    availability_ratio: float
    """From 0 to 1; 0.0 for a module that needs no topic."""


class ModuleInput(TypedDict):
    """What the input of every module has."""

    stationId: str
    _data_quality: DataQuality


class ParamFields(TypedDict):
    """SCHEDULE-STATION-PARAM."""

    stationTemp: float | None
    """Degrees Celsius."""
    lat: float | None
    lng: float | None
    stationName: str | None
    stationLng: float | None
    stationLat: float | None
    gunNum: int | None
    gridCapacity: float | None
    """kW; 0.0 is unknown."""
    meterId: str | None
    powerNum: int | None
    normalCap: float | None
    """kW."""
    hostCode: list[str] | str | None


class StationDataFields(TypedDict):
    """REAL-STATION-DATA: the newest point, and seven days of 15 seconds, oldest first."""

    timestamp: str | float | None
    timestamp_window: list[str | float | None]
    totalPower: float | None
    """kW."""
    totalPower_window: list[float | None]


class HourlyFields(TypedDict):
    """SCHEDULE-STATION-REALTIME-DATA: 168 hours, oldest first; [hour] or [hour][gun], in kW.

    `gunNo` is the axis of guns. The host of each gun stands beside it in `hostCode`, or, where
    other topics of the module have a field of that name, under the name qualified by the topic.
    """

    sendTime: list[str] | list[None]
    gunNo: list[str] | None
    outputPowerPerGunAvg: list[list[float | None]] | list[None]
    outputPowerPerGunMax: list[list[float | None]] | list[None]
    outputPowerPerStationAvg: list[float | None]
    outputPowerPerStationMax: list[float | None]


class CalendarFields(TypedDict):
    """SCHEDULE-ENVIRONMENT-CALENDAR: parallel lists, one value per day; 1 is yes.

    A working day in exchange for a holiday is 0 in both.
    """

    date: list[str] | None
    isHoliday: list[int] | None
    isWeekend: list[int] | None


class WeatherFields(TypedDict):
    """SCHEDULE-ENVIRONMENT-WEATHER; temperatures in degrees Celsius."""

    weatherSituationYesterday: str | None
    weatherSituationTomorrow: str | None
    seasonTomorrow: str | None
    temperatureMaxTomorrow: float | None
    temperatureMinTomorrow: float | None


class MeterFields(TypedDict):
    """SCHEDULE-DEVICE-METER, but for `meterId`; kW, kvar and kWh."""

    meterPower: float | None
    rmeterLimitPower: float | None
    activePower: float | None
    """Below zero the station feeds the grid."""
    reactivePower: float | None
    totalActiveEnergy: float | None


class CarOrder(TypedDict):
    """One open order at one second; A, V, kW, percent and kWh."""

    stationId: str | None
    hostCode: str | None
    gunNo: str | int | None
    transactionSerialNo: str | None
    terminalMaxOutElectric: float | None
    terminalRequireElectric: float | None
    terminalRequireVoltage: float | None
    outputPower: float | None
    beginSOC: float | None
    soc: float | None
    batteryNominalTotalCapacity: float | None
    carProducerCode: str | None
    startChargeTime: str | None
    endChargeTime: str | None
    """2070-01-01 00:00:00 while the order is open."""


class CarOrderFields(TypedDict):
    """SCHEDULE-CAR-ORDER: all orders of the newest complete second."""

    car_order: list[CarOrder] | None


class CarPrice(TypedDict):
    """A tariff; fees in CNY per kWh."""

    stationId: str | None
    hostCode: str | None
    dialNo: str | None
    sendTime: str | None
    feeNo: list[str | None]
    """One code per half hour: 00 sharp, 01 peak, 02 flat, 03 valley, 04 other."""
    sharpElectricFee: float | None
    peakElectricFee: float | None
    flatElectricFee: float | None
    ebbElectricFee: float | None
    otherElectricFee: float | None
    sharpServerFee: float | None
    peakServerFee: float | None
    flatServerFee: float | None
    ebbServerFee: float | None
    otherServerFee: float | None
    lossRate: float | None


class CarPriceFields(TypedDict):
    """SCHEDULE-CAR-PRICE: the newest tariff."""

    car_price: CarPrice | None


class ErrorFields(TypedDict):
    """SCHEDULE-DEVICE-ERROR, but for `hostCode`; 0 is no error, code 0000 none."""

    hostError: int | None
    acError: int | None
    dcError: int | None
    terminalError: int | None
    storageError: int | None
    errorCode: str | None
    errorLevel: int | None
    errorDesc: str | None


class DcdcHost(TypedDict):
    """A host's DC modules, one value per module; kW, A and V."""

    stationId: str | None
    hostCode: str | None
    dcWorkStatus: list[str] | list[int] | None
    dcdcPower: list[float] | None
    dcOutputPower: list[float] | None
    dcOutputCurrent: list[float] | None
    dcOutputVoltage: list[float] | None


class DcdcFields(TypedDict):
    """SCHEDULE-DEVICE-HOST-DCDC: the newest of every host, by its code."""

    device_host_dcdc: list[DcdcHost] | None


class AcdcHost(TypedDict):
    """A host's AC side; kW, A and V."""

    stationId: str | None
    hostCode: str | None
    acPower: float | None
    acCurrent: float | None
    acVoltage: float | None
    acWorkStatus: int | None
    """0 stopped, 1 running, 2 fault."""


class AcdcFields(TypedDict):
    """SCHEDULE-DEVICE-HOST-ACDC: the newest of every host, by its code."""

    device_host_acdc: list[AcdcHost] | None


class StorageUnit(TypedDict):
    """A battery unit; percent, A, kW and degrees Celsius."""

    stationId: str | None
    storageCode: str | None
    hostCode: str | None
    batteryGroupSoc: float | None
    batteryGroupSoh: float | None
    batteryGroupElectric: float | None
    batteryGroupOutPower: float | None
    """Above zero the unit discharges, below zero it is charged."""
    maxTemperature: float | None
    minTemperature: float | None


class StorageFields(TypedDict):
    """SCHEDULE-DEVICE-STORAGE: the newest of every unit, by its code."""

    device_storage: list[StorageUnit] | None


class PvFields(TypedDict):
    """SCHEDULE-DEVICE-PV; kW."""

    hostCode: str | None
    pvPreDcPower: list[float] | None
    """The forecast over the day."""
    pvRealDcPower: float | None


class HourlyHosts(TypedDict):
    """The host of each gun of `gunNo`, where no other topic has the name."""

    hostCode: list[str | None] | None


SharedHosts = TypedDict(
    "SharedHosts",
    {
        "SCHEDULE-STATION-PARAM.hostCode": list[str] | str | None,
        "SCHEDULE-STATION-REALTIME-DATA.hostCode": list[str | None] | None,
    },
)
"""`hostCode` of both topics that have it; the bare name is the first one's."""

SharedMeters = TypedDict(
    "SharedMeters",
    {"SCHEDULE-STATION-PARAM.meterId": str | None, "SCHEDULE-DEVICE-METER.meterId": str | None},
)
"""`meterId` of both topics that have it; the bare name is the first one's."""

ErrorHosts = TypedDict("ErrorHosts", {"SCHEDULE-DEVICE-ERROR.hostCode": str | None})


class LoadPredictionInput(
    ModuleInput, ParamFields, StationDataFields, HourlyFields, CalendarFields, SharedHosts
):
    """Input of `load_prediction`."""


class OperationOptimizationInput(
    ModuleInput, ParamFields, CarOrderFields, CarPriceFields, DcdcFields, StorageFields
):
    """Input of `operation_optimization`; the newest output's fields are there as `<module>_...`."""

    load_prediction_output_window: list[Any]


class ElectricityPriceInput(
    ModuleInput,
    ParamFields,
    HourlyFields,
    CalendarFields,
    MeterFields,
    CarOrderFields,
    CarPriceFields,
    StorageFields,
    SharedHosts,
    SharedMeters,
):
    """Input of `electricity_price`; the newest outputs' fields are there as `<module>_...`."""

    pv_prediction_output_window: list[Any]
    evaluation_model_output_window: list[Any]
    SOH_model_output_window: list[Any]


class StationGuidanceInput(ModuleInput, CarOrderFields):
    """Input of `station_guidance`; the newest outputs' fields are there as `<module>_...`."""

    load_prediction_output_window: list[Any]
    evaluation_model_output_window: list[Any]


class ThermalManagementInput(
    ModuleInput, HourlyFields, HourlyHosts, CarPriceFields, DcdcFields, AcdcFields, StorageFields
):
    """Input of `thermal_management`; the newest outputs' fields are there as `<module>_...`."""

    load_prediction_output_window: list[Any]
    operation_optimization_output_window: list[Any]


class EvaluationModelInput(
    ModuleInput,
    StationDataFields,
    HourlyFields,
    HourlyHosts,
    CarOrderFields,
    CarPriceFields,
    DcdcFields,
    AcdcFields,
    StorageFields,
):
    """Input of `evaluation_model`."""


class SohModelInput(
    ModuleInput, ParamFields, HourlyFields, CalendarFields, ErrorFields, SharedHosts, ErrorHosts
):
    """Input of `SOH_model`."""


class PvPredictionInput(ModuleInput, WeatherFields, PvFields):
    """Input of `pv_prediction`."""
