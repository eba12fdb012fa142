"""Module inputs, assembled the slow and obvious way from raw items. Nothing of the library is used.

One list of points per station and topic, kept in order of time; everything else is made anew for
every input.
"""

from datetime import datetime, timedelta
from typing import Any

CALENDAR = "SCHEDULE-ENVIRONMENT-CALENDAR"
HOURLY = "SCHEDULE-STATION-REALTIME-DATA"
ORDER = "SCHEDULE-CAR-ORDER"
PRICE = "SCHEDULE-CAR-PRICE"
PARAM = "SCHEDULE-STATION-PARAM"
DEVICES = {
    "SCHEDULE-DEVICE-HOST-DCDC": ("device_host_dcdc", "hostCode"),
    "SCHEDULE-DEVICE-HOST-ACDC": ("device_host_acdc", "hostCode"),
    "SCHEDULE-DEVICE-STORAGE": ("device_storage", "storageCode"),
}
GUN_FIELDS = ("outputPowerPerGunAvg", "outputPowerPerGunMax")
PREFIX = "MODULE-OUTPUT-"


class NaiveInputs:
    """Points as `(time, arrival, value)`; `detail` and `dependencies` are a configuration's."""

    def __init__(self, detail: Any, dependencies: Any, expire_s: float) -> None:
        self.detail = detail
        self.dependencies = dependencies
        self.expire_s = expire_s
        self.points: dict[tuple[str, str], list[tuple[float, float, Any]]] = {}
        self.calendar: tuple[float, Any] | None = None

    def put(self, topic: str, items: dict[str, list[Any]], time: float, now: float) -> None:
        """Take a record: the items of each station; a calendar's under any name."""
        for station, own in items.items():
            if topic == CALENDAR:
                if self.calendar is None or time >= self.calendar[0]:
                    self.calendar = (time, own)
            elif topic == HOURLY:
                hours = sorted(own, key=lambda item: item["sendTime"])
                self._place(station, topic, hours, time, now, 1)
            elif topic == PRICE:
                newest = sorted(own, key=lambda tariff: tariff["sendTime"])[-1]
                self._place(station, topic, newest, time, now, 1)
            else:
                for item in own:
                    self._put(station, topic, item, time, now)

    def _put(self, station: str, topic: str, item: Any, time: float, now: float) -> None:
        held = self._live(station, topic, now)
        if topic in DEVICES:
            key = DEVICES[topic][1]
            same = [point for point in held if point[2][key] == item[key]]
            if not same or ((time, item) != (same[0][0], same[0][2]) and time >= same[0][0]):
                held[:] = [point for point in held if point not in same] + [(time, now, item)]
        elif topic == ORDER:
            seconds = sorted({int(point[0]) for point in held} | {int(time)})[-2:]
            if int(time) in seconds and (time, item) not in [(at, each) for at, _, each in held]:
                held.append((time, now, item))
                held.sort(key=lambda point: point[0])
                held[:] = [point for point in held if int(point[0]) in seconds]
        else:
            entry = self.detail.get(topic, {"window_size": 1})
            self._place(station, topic, self._point(topic, item), time, now, entry["window_size"])

    def _point(self, topic: str, item: Any) -> Any:
        if topic.startswith(PREFIX):
            return item["output"]
        return {name: item.get(name) for name in self.detail[topic]["fields"]}

    def _place(
        self, station: str, topic: str, value: Any, time: float, now: float, size: int
    ) -> None:
        held = self._live(station, topic, now)
        known = (time, value) in [(at, each) for at, _, each in held]
        if not known and (len(held) < size or time >= held[0][0]):
            held.append((time, now, value))
            held.sort(key=lambda point: point[0])
            del held[:-size]

    def _live(self, station: str, topic: str, now: float) -> list[tuple[float, float, Any]]:
        held = self.points.setdefault((station, topic), [])
        limit = self.detail.get(topic, {}).get("expire_seconds", self.expire_s)
        if limit is not None:
            oldest = now - limit
            if topic in DEVICES:
                held[:] = [point for point in held if point[1] >= oldest]
            elif held and max(point[1] for point in held) < oldest:
                held.clear()
        return held

    def all_inputs(self, station: str, now: float) -> dict[str, Any]:
        """Return `{module: input}`."""
        modules = dict.fromkeys(name for entry in self.detail.values() for name in entry["modules"])
        for module, needed in self.dependencies.items():
            modules.update(dict.fromkeys((module, *needed)))
        return {module: self._input(station, module, now) for module in modules}

    def _input(self, station: str, module: str, now: float) -> dict[str, Any]:
        topics = [name for name, entry in self.detail.items() if module in entry["modules"]]
        parts = {topic: self._fields(station, topic, now) for topic in topics}
        shown: dict[str, Any] = {"stationId": station}
        for topic, (_, fields) in parts.items():
            for name, value in fields.items():
                bare = name.removesuffix("_window")
                shared = sum(bare in other for _, other in parts.values()) > 1
                if shared:
                    shown[f"{topic}.{name}"] = value
                owner = next(each for each, (_, other) in parts.items() if bare in other)
                if owner == topic:
                    shown[name] = value
        for dependency in self.dependencies.get(module, ()):
            held = self._live(station, PREFIX + dependency.upper(), now)
            shown[f"{dependency}_output_window"] = [held[-1][2] if held else None]
            for name, value in (held[-1][2] if held else {}).items():
                shown[f"{dependency}_{name}"] = value
        available = [topic for topic, (has_data, _) in parts.items() if has_data]
        shown["_data_quality"] = {
            "available_topics": available,
            "missing_topics": [topic for topic in topics if topic not in available],
            "total_topics": len(topics),
            "availability_ratio": len(available) / len(topics) if topics else 0.0,
        }
        return shown

    def _fields(self, station: str, topic: str, now: float) -> tuple[bool, dict[str, Any]]:
        held = self._live(station, topic, now)
        entry = self.detail[topic]
        names = entry["fields"]
        if topic == CALENDAR:
            days = self.calendar and self.calendar[1]
            return bool(days), {
                name: [day.get(name) for day in days] if days else None for name in names
            }
        if topic == HOURLY:
            return bool(held), _hours(held[-1][2] if held else [], entry["window_size"])
        if topic == ORDER:
            return bool(held), {"car_order": self._orders(held, names, now)}
        if topic in DEVICES:
            column, key = DEVICES[topic]
            devices = sorted((point[2] for point in held), key=lambda device: device[key])
            projected = [{name: each.get(name) for name in names} for each in devices]
            return bool(held), {column: projected or None}
        if topic == PRICE:
            return bool(held), {"car_price": _tariff(held[-1][2], names) if held else None}
        shown: dict[str, Any] = {}
        values = [point[2] for point in held]
        for name in names:
            if name != "stationId":
                shown[name] = values[-1][name] if values else None
                if entry["window_size"] > 1 and topic != PARAM:
                    padding = [None] * (entry["window_size"] - len(values))
                    shown[f"{name}_window"] = padding + [value[name] for value in values]
        return bool(held), shown

    def _orders(self, held: list[Any], names: list[str], now: float) -> Any:
        if not held:
            return None
        seconds = sorted({int(point[0]) for point in held})
        quiet = now - max(point[1] for point in held) >= 2
        second = seconds[-1] if quiet or len(seconds) == 1 else seconds[-2]
        orders = [point[2] for point in held if int(point[0]) == second]
        return [{name: order.get(name) for name in names} for order in orders]


def _tariff(item: Any, names: list[str]) -> Any:
    codes = [item.get(f"feeNo{number}") for number in range(1, 49)]
    return {name: codes if name == "feeNo" else item.get(name) for name in names}


def _hours(items: list[Any], size: int) -> dict[str, Any]:
    series = ("sendTime", *GUN_FIELDS, "outputPowerPerStationAvg", "outputPowerPerStationMax")
    if not items:
        return {"hostCode": None, "gunNo": None, **{name: [None] * size for name in series}}
    newest = max(datetime.fromisoformat(item["sendTime"]) for item in items)
    marks = [str(newest - timedelta(hours=back)) for back in reversed(range(size))]
    inside = sorted(
        (item for item in items if item["sendTime"] in marks), key=lambda item: item["sendTime"]
    )
    guns: list[tuple[str, str]] = []
    for item in inside:
        for gun in item["gunPower"]["gunNo"]:
            if (item["hostCode"], gun) not in guns:
                guns.append((item["hostCode"], gun))
    shown: dict[str, Any] = {
        "hostCode": [host for host, _ in guns],
        "gunNo": [gun for _, gun in guns],
        "sendTime": marks,
    }
    for name in GUN_FIELDS:
        table = {
            (item["sendTime"], item["hostCode"], gun): value
            for item in inside
            for gun, value in zip(item["gunPower"]["gunNo"], item["gunPower"][name], strict=True)
        }
        shown[name] = [[table.get((mark, *gun), 0.0) for gun in guns] for mark in marks]
    for name in series[-2:]:
        given: dict[str, Any] = {}
        for item in inside:
            given.setdefault(item["sendTime"], None)
            if item.get(name) is not None:
                given[item["sendTime"]] = item[name]
        shown[name] = [given.get(mark, 0.0) for mark in marks]
    return shown
