"""SCHEDULE-STATION-REALTIME-DATA: an hourly push of the last hours of many stations.

A push replaces the station's window as a whole. The window is `window_size` hourly marks backwards
from the push's newest sendTime. Its gun axis is every gun of these hours, a gun being known by host
and number, in the order of their first appearance; hosts of the same hour share the mark. What the
push does not have for an hour or a gun is 0.0, in the series of guns and of the station alike.

A station of whose items none has a readable sendTime keeps them in the order of the record, without
marks and without hours between; else an item without one is refused.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence, Set
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from data_analysis.columns import fresh
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
GUN_SERIES = ("outputPowerPerGunAvg", "outputPowerPerGunMax")
STATION_SERIES = ("outputPowerPerStationAvg", "outputPowerPerStationMax")

_NOTHING: type = type(None)
_NUMBERS: frozenset[type] = frozenset((int, float, _NOTHING))
_NAMES: frozenset[type] = frozenset((str, int))
_HOSTS = _NAMES | {_NOTHING}
_NO_POWER: dict[str, Any] = {}

Item = dict[str, Any]
"""One hour of one host."""


class Push(NamedTuple):
    """The items of a push, checked, in the order of time.

    `seconds` are their times, local from 1970, None in a push without times.
    """

    seconds: Sequence[int] | None
    items: Sequence[Item]

    def last(self, size: int) -> "Push":
        """Return what a window of this size reaches."""
        if self.seconds is None:
            return Push(None, self.items[-size:])
        first = bisect_right(self.seconds, self.seconds[-1] - size * HOUR_SECONDS)
        return Push(self.seconds[first:], self.items[first:])


class HourlyTopic(GeneralTopic):
    """Hours of a station; a row has one value per column and, last, the push itself."""

    sifts = True

    def sift(self, message: Message) -> None:
        """Leave one payload per station: its push."""
        for station_id, items in list(message.stations.items()):
            # Looked at side by side first: a bad item is rare.
            good = items if _sound(items) else [item for item in items if _sound([item])]
            message.reasons.extend([Reason.BAD_ITEM] * (len(items) - len(good)))
            push = _in_order(good)
            message.reasons.extend([Reason.BAD_TIME] * (len(good) - len(push.items)))
            if push.items:
                message.stations[station_id] = [push]
            else:
                del message.stations[station_id]

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function from a push to the row."""
        columns, size = self.columns(topic), topic.window_size
        return lambda push: _row(push, columns, size)

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
        if not view.count:
            return []
        push: Push = view.newest[-1]
        return [fresh(item) for item in push.last(topic.window_size).items]


def _in_order(items: Sequence[Item]) -> Push:
    """Return items in the order of time; without those that have none, unless no item has one."""
    seconds = [local_seconds(item.get(SEND_TIME_KEY)) for item in items]
    timed = [each for each in seconds if each is not None]
    if not timed:
        return Push(None, items)
    if len(timed) < len(items):
        items = [item for item, each in zip(items, seconds, strict=True) if each is not None]
    in_order = sorted(timed)
    if in_order != timed:
        pairs = sorted(zip(timed, items, strict=True), key=itemgetter(0))
        items = [item for _, item in pairs]
    return Push(in_order, items)


def _sound(items: Sequence[Item]) -> bool:
    """Return whether every value of these items is of its kind.

    There is one number, or None, for every gun in each series that there is.
    """
    powers = [power for item in items if (power := item.get(POWER_KEY)) is not None]
    if not _all(powers, {dict}) or not _all([item.get(HOST_KEY) for item in items], _HOSTS):
        return False
    guns = [power.get(GUN_KEY) for power in powers]
    return (
        _all(guns, {list})
        and _all(chain.from_iterable(guns), _NAMES)
        and all(_all([item.get(name) for item in items], _NUMBERS) for name in STATION_SERIES)
        and all(_fit([power.get(name) for power in powers], guns) for name in GUN_SERIES)
    )


def _fit(series: Sequence[Any], guns: Sequence[list[Any]]) -> bool:
    """Return whether each is None, or has a number for each gun."""
    return (
        _all(series, {list, _NOTHING})
        and _all(chain.from_iterable(filter(None, series)), _NUMBERS)
        and not any(
            values is not None and len(values) != len(own)
            for values, own in zip(series, guns, strict=True)
        )
    )


def _all(values: Iterable[Any], kinds: Set[type]) -> bool:
    return kinds >= set(map(type, values))


def _row(push: Push, columns: Sequence[str], size: int) -> Sequence[Any]:
    seconds, items = push.last(size)
    if seconds is None:
        marks = [item.get(SEND_TIME_KEY) for item in items]
        places: Sequence[int] = range(len(items))
    else:
        newest = seconds[-1]
        marks = list(hour_marks(newest, size))
        places = [size - 1 - (newest - each) // HOUR_SECONDS for each in seconds]
    hosts = [item.get(HOST_KEY) for item in items]
    powers = [item.get(POWER_KEY) or _NO_POWER for item in items]
    axis, orders = _axis(hosts, [power.get(GUN_KEY, ()) for power in powers])
    row: list[Any] = []
    for column in columns:
        if column == SEND_TIME_KEY:
            row.append(marks)
        elif column == GUN_KEY:
            row.append([gun for _, gun in axis])
        elif column == HOST_KEY:
            row.append([host for host, _ in axis])
        elif column in GUN_SERIES:
            values = [power.get(column) for power in powers]
            row.append(_gun_series(places, orders, values, len(axis), len(marks)))
        else:
            row.append(_station_series(places, [item.get(column) for item in items], len(marks)))
    row.append(push)
    return row


_Gun = tuple[Any, Any]
"""Host and number."""


def _axis(
    hosts: Sequence[Any], guns: Sequence[Sequence[Any]]
) -> tuple[Sequence[_Gun], Sequence[Sequence[int]]]:
    """Return the guns in the order of their first appearance, and where those of each hour are."""
    # Guns come in any order, but hosts have few of them.
    known: dict[tuple[Any, ...], Sequence[int]] = {}
    axis: dict[_Gun, int] = {}
    orders = []
    for host, own in zip(hosts, guns, strict=True):
        order = (host, *own)
        places = known.get(order)
        if places is None:
            places = known[order] = [axis.setdefault((host, gun), len(axis)) for gun in own]
        orders.append(places)
    return list(axis), orders


def _gun_series(
    places: Sequence[int],
    orders: Sequence[Sequence[int]],
    values: Sequence[Sequence[Any] | None],
    guns: int,
    size: int,
) -> list[list[Any]]:
    """Return one list per hour with one value per gun."""
    nothing = [0.0] * guns
    series = [nothing] * size
    for place, order, powers in zip(places, orders, values, strict=True):
        if powers:
            hour = series[place]
            if hour is nothing:
                hour = series[place] = nothing.copy()
            for at, power in zip(order, powers, strict=True):
                hour[at] = power
    return series


def _station_series(places: Sequence[int], values: Sequence[Any], size: int) -> list[Any]:
    """Return one value per hour; of hosts of the same hour, the last that has one gives it."""
    series: list[Any] = [0.0] * size
    given = [False] * size
    for place, value in zip(places, values, strict=True):
        if value is not None or not given[place]:
            series[place], given[place] = value, True
    return series
