"""The job: ten numeric fields per point, a window per station, the mean of one field.

Windows are kept as somebody keeps them who knows NumPy: a block of floats per station, of which a
callback gets views.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

FIELDS = (
    "totalPower",
    "activePowerPhaseAKw",
    "activePowerPhaseBKw",
    "activePowerPhaseCKw",
    "lineToLineVoltageAB",
    "lineToLineVoltageBC",
    "lineToLineVoltageCA",
    "batteryStateOfChargePct",
    "cabinetTemperatureDegC",
    "meterEnergyImportKwh",
)

Result = dict[str, Any]


def callback(station_id: str, inputs: Mapping[str, Any], quality: Mapping[str, Any]) -> Result:
    """What the user of a service writes."""
    return {"station_id": station_id, "mean": float(inputs["totalPower"].mean())}


class Station:
    """One station's block of `len(FIELDS)` rows; the window is always one slice of it."""

    __slots__ = ("block", "end", "times")

    def __init__(self, window: int, capacity: int) -> None:
        self.block = np.full((len(FIELDS), capacity), np.nan)
        self.end = 0
        self.times: deque[str] = deque(maxlen=window)


class Windows:
    """Windows of all stations: points in, results out.

    With an eighth of slack behind a window, its points are moved to the front once in a while and
    not with each. A view holds during the call only.
    """

    def __init__(self, window: int) -> None:
        self.check = 0.0
        self.outputs = 0
        self.points = 0
        self._window = window
        self._capacity = window + max(16, window // 8)
        self._row = itemgetter(*FIELDS)
        self._stations: dict[str, Station] = {}

    def add(self, point: Mapping[str, Any]) -> Result:
        """Append a point and call back."""
        station_id = point["stationId"]
        station = self._stations.get(station_id)
        if station is None:
            station = self._stations[station_id] = Station(self._window, self._capacity)
        block, end, times = station.block, station.end, station.times
        if end == self._capacity:
            kept = self._window - 1
            block[:, :kept] = block[:, end - kept : end]
            end = kept
        block[:, end] = self._row(point)
        end += 1
        station.end = end
        times.append(point["sendTime"])
        self.points += 1
        start = end - len(times)
        inputs = dict(zip(FIELDS, block[:, start:end], strict=False))
        quality = {"points": end - start, "first": times[0], "last": times[-1]}
        result = callback(station_id, inputs, quality)
        self.outputs += 1
        self.check += result["mean"]
        return result


def points_of(value: Any, payload: str) -> Sequence[Mapping[str, Any]]:
    """Return the points of one decoded record."""
    items: Sequence[Mapping[str, Any]] = value["realTimeData"] if payload == "batch" else (value,)
    return items
