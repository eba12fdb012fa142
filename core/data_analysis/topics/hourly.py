"""SCHEDULE-STATION-REALTIME-DATA: an hourly push of the last hours of many stations.

A push replaces the station's window as a whole. The window is `window_size` hourly marks backwards
from the push's newest sendTime. Its gun axis is every gun of these hours, a gun being known by host
and number, in the order of their first appearance; hosts of the same hour share the mark. What the
push does not have for an hour or a gun is 0.0, in the series of guns and of the station alike.

A station of whose items none has a readable sendTime keeps them in the order of the record, without
marks and without hours between; else an item without one is refused.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from data_analysis.latest import Latest, SeriesView
from data_analysis.messages import Message
from data_analysis.refusals import Reason
from data_analysis.settings import TopicSettings
from data_analysis.stores import Store, View
from data_analysis.topics.family import Shown
from data_analysis.topics.general import GeneralTopic
from data_analysis.topics.times import HOUR_SECONDS, SEND_TIME_KEY, hour_marks, local_seconds

HOST_KEY = "hostCode"
POWER_KEY = "gunPower"
GUN_KEY = "gunNo"
GUN_SERIES = _AVERAGE, _LARGEST = ("outputPowerPerGunAvg", "outputPowerPerGunMax")
STATION_SERIES = ("outputPowerPerStationAvg", "outputPowerPerStationMax")

_NUMBERS = frozenset((int, float, type(None)))
_NAMES = frozenset((str, int))
_NO_POWER: dict[str, Any] = {}


class Hour(NamedTuple):
    """One item of a push, checked: one hour of one host.

    `seconds` is local time from 1970, None in a push without times; `guns` are the numbers of its
    guns, `power` maps the names of series to one value per gun.
    """

    seconds: int | None
    host: Any
    guns: Sequence[Any]
    power: dict[str, Any]
    item: dict[str, Any]


class HourlyTopic(GeneralTopic):
    """Hours of a station; a row has one value per column and, last, the hours themselves."""

    sifts = True

    def sift(self, message: Message) -> None:
        """Leave one payload per station: its hours in the order of time."""
        for station_id, items in list(message.stations.items()):
            hours: list[Hour] = []
            for item in items:
                hour = _hour(item)
                if isinstance(hour, Hour):
                    hours.append(hour)
                else:
                    message.reasons.append(hour)
            timed = [hour for hour in hours if hour.seconds is not None]
            if timed:
                message.reasons.extend([Reason.BAD_TIME] * (len(hours) - len(timed)))
                timed.sort(key=_seconds)
                hours = timed
            if hours:
                message.stations[station_id] = [hours]
            else:
                del message.stations[station_id]

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function from hours to the row."""
        columns, size = self.columns(topic), topic.window_size
        return lambda hours: _row(hours, columns, size)

    def store(self, topic: TopicSettings) -> Store:
        """Return room for one push."""
        return Latest(SeriesView)

    def adapted(self, store: Any, before: TopicSettings, after: TopicSettings) -> Store:
        """Return the same push, laid out anew."""
        if len(store):
            store = store.changed(self.reader(after)(store.view().newest[-1]))
        adapted: Store = store
        return adapted

    def shown(self, column: str, topic: TopicSettings) -> Shown:
        """Return the axis of guns as it is, everything else as a series."""
        return Shown.POINT if column in (GUN_KEY, HOST_KEY) else Shown.SERIES

    def points(self, station_id: str, topic: TopicSettings, view: View) -> list[Any]:
        """Return the items of the window as they came, in the order of time."""
        return [hour.item for row in view.rows() for hour in _kept(row[-1], topic.window_size)]


def _seconds(hour: Hour) -> int:
    assert hour.seconds is not None
    return hour.seconds


def _hour(item: dict[str, Any]) -> Hour | Reason:
    seconds = local_seconds(item.get(SEND_TIME_KEY))
    host = item.get(HOST_KEY)
    if host is not None and type(host) not in _NAMES:
        return Reason.BAD_ITEM
    for name in STATION_SERIES:
        if type(item.get(name)) not in _NUMBERS:
            return Reason.BAD_ITEM
    power = item.get(POWER_KEY)
    if power is None:
        return Hour(seconds, host, (), _NO_POWER, item)
    if type(power) is not dict or not _sound(power):
        return Reason.BAD_ITEM
    return Hour(seconds, host, power[GUN_KEY], power, item)


def _sound(power: dict[str, Any]) -> bool:
    """Return whether there is one number, or None, for every gun in each series that there is."""
    guns = power.get(GUN_KEY)
    if type(guns) is not list or not _NAMES.issuperset(map(type, guns)):
        return False
    count = len(guns)
    for values in (power.get(_AVERAGE), power.get(_LARGEST)):
        if values is not None and not (
            type(values) is list and len(values) == count and _NUMBERS.issuperset(map(type, values))
        ):
            return False
    return True


def _kept(hours: Sequence[Hour], size: int) -> Sequence[Hour]:
    """Return the hours that a window of this size reaches."""
    newest = hours[-1].seconds
    if newest is None:
        return hours[-size:]
    oldest = newest - size * HOUR_SECONDS
    return [hour for hour in hours if _seconds(hour) > oldest]


class _Placed(NamedTuple):
    """An hour, its place in the window and those of its guns on the axis."""

    place: int
    columns: Sequence[int]
    hour: Hour


def _row(hours: Sequence[Hour], columns: Sequence[str], size: int) -> Sequence[Any]:
    newest = hours[-1].seconds
    kept = _kept(hours, size)
    if newest is None:
        marks = [hour.item.get(SEND_TIME_KEY) for hour in kept]
        places: Iterable[int] = range(len(kept))
    else:
        marks = list(hour_marks(newest, size))
        places = [size - 1 - (newest - _seconds(hour)) // HOUR_SECONDS for hour in kept]
    axis: dict[tuple[Any, Any], int] = {}
    placed = [
        _Placed(place, guns, hour)
        for place, guns, hour in zip(places, _on_axis(kept, axis), kept, strict=True)
    ]
    row: list[Any] = []
    for column in columns:
        if column == SEND_TIME_KEY:
            row.append(marks)
        elif column == GUN_KEY:
            row.append([gun for _, gun in axis])
        elif column == HOST_KEY:
            row.append([host for host, _ in axis])
        elif column in GUN_SERIES:
            row.append(_gun_series(placed, column, len(axis), len(marks)))
        else:
            row.append(_station_series(placed, column, len(marks)))
    row.append(hours)
    return row


def _on_axis(hours: Sequence[Hour], axis: dict[tuple[Any, Any], int]) -> Iterable[list[int]]:
    """Put the guns of each hour on the axis; return their places there."""
    # Guns come in any order, but hosts have few of them.
    orders: dict[tuple[Any, ...], list[int]] = {}
    for hour in hours:
        order = (hour.host, *hour.guns)
        places = orders.get(order)
        if places is None:
            places = [axis.setdefault((hour.host, gun), len(axis)) for gun in hour.guns]
            orders[order] = places
        yield places


def _gun_series(placed: Sequence[_Placed], column: str, guns: int, size: int) -> list[list[Any]]:
    """Return one list per hour with one value per gun."""
    nothing = [0.0] * guns
    series = [nothing] * size
    for place, columns, hour in placed:
        values = hour.power.get(column)
        if values:
            powers = series[place]
            if powers is nothing:
                powers = series[place] = nothing.copy()
            for at, value in zip(columns, values, strict=True):
                powers[at] = value
    return series


def _station_series(placed: Sequence[_Placed], column: str, size: int) -> list[Any]:
    """Return one value per hour; of hosts of the same hour, the last that has one gives it."""
    series: list[Any] = [0.0] * size
    given = [False] * size
    for place, _, hour in placed:
        value = hour.item.get(column)
        if value is not None or not given[place]:
            series[place], given[place] = value, True
    return series
