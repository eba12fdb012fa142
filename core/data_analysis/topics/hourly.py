"""SCHEDULE-STATION-REALTIME-DATA: an hourly push of the last hours of many stations.

A push replaces the station's window as a whole. The window is `window_size` hourly marks backwards
from the push's newest sendTime. Its gun axis is every gun of these hours, a gun being known by host
and number, in the order of their first appearance; hosts of the same hour share the mark. What the
push does not have for an hour or a gun is 0.0, in the series of guns and of the station alike.

A station of whose items none has a readable sendTime keeps them in the order of the record, without
marks and without hours between; else an item without one is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np

from data_analysis.columns import Array
from data_analysis.latest import Latest, SeriesView
from data_analysis.messages import Message
from data_analysis.refusals import Reason
from data_analysis.settings import TopicSettings
from data_analysis.stores import Store, View
from data_analysis.topics.family import Shown
from data_analysis.topics.general import GeneralTopic
from data_analysis.topics.pushes import GUN_KEY, GUN_SERIES, HOST_KEY, Push, read_pushes
from data_analysis.topics.tables import Table
from data_analysis.topics.times import HOUR_SECONDS, SEND_TIME_KEY, hour_marks


class HoursView(SeriesView):
    """A push as it is shown; series of guns are kept as tables or as tuples, one for each hour."""

    __slots__ = ()

    def values(self, column: int) -> list[Any]:
        """Return one series as a new list."""
        series = self.newest[column]
        if type(series) is Table:
            return series.lists()
        return [*map(list, series)] if type(series) is tuple else super().values(column)

    def _array(self, value: Any) -> Array:
        return value.array() if type(value) is Table else super()._array(value)


class HourlyTopic(GeneralTopic):
    """Hours of a station; a row has one value per column and, last, the push itself."""

    sifts = True

    def sift(self, message: Message) -> None:
        """Leave one payload per station: its push."""
        groups = [*message.stations.items()]
        # All are looked at side by side first: a bad item is rare.
        pushes = read_pushes([items for _, items in groups], message.listed)
        for (station_id, items), push in zip(groups, pushes, strict=True):
            if push is None:
                (push,) = read_pushes([items])
            if push is None:
                good = [item for item in items if read_pushes([[item]])[0]]
                message.reasons.extend([Reason.BAD_ITEM] * (len(items) - len(good)))
                (push,) = read_pushes([good])
            if push is None:
                del message.stations[station_id]
            else:
                ordered = push.in_order()
                message.reasons.extend([Reason.BAD_TIME] * (push.count - ordered.count))
                message.stations[station_id] = [ordered]
        # What was read first is let go first, for the same reason as it is read in that order.
        groups.clear()
        message.listed = None

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function from a push to the row."""
        columns, size = self.columns(topic), topic.window_size
        return lambda push: _row(push, columns, size)

    def store(self, topic: TopicSettings) -> Store:
        """Return room for one push."""
        return Latest(HoursView)

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
        return push.last(topic.window_size).items()


def _row(push: Push, columns: Sequence[str], size: int) -> Sequence[Any]:
    shown = push.last(size)
    if shown.seconds is None:
        marks = [*shown.values(SEND_TIME_KEY)]
        places: Sequence[int] = range(len(marks))
    else:
        newest = shown.seconds[-1]
        marks = list(hour_marks(newest, size))
        places = (size - 1 - (newest - np.array(shown.seconds)) // HOUR_SECONDS).tolist()
    guns = [*zip(shown.values(HOST_KEY), shown.values(GUN_KEY), strict=True)]
    layout = _Layout(places, guns, len(marks))
    row: list[Any] = []
    for column in columns:
        if column == SEND_TIME_KEY:
            row.append(marks)
        elif column == GUN_KEY:
            row.append([gun for _, gun in layout.axis])
        elif column == HOST_KEY:
            row.append([host for host, _ in layout.axis])
        elif column in GUN_SERIES:
            row.append(layout.of_guns(shown.values(column)))
        else:
            row.append(layout.of_station(shown.values(column)))
    row.append(push)
    return row


Gun = tuple[Any, Any]
"""Host and number."""

Guns = tuple[Any, Sequence[Any]]
"""A host, and the numbers of guns in the order of their values."""


class _Layout:
    """Where the values of items go: into which hour, and to which guns of all.

    Args:
        places: the hour of each item.
        guns: of each item.
        size: how many hours there are.
    """

    def __init__(self, places: Sequence[int], guns: Sequence[Guns], size: int) -> None:
        self.axis: dict[Gun, int] = {}
        self._places = places
        self._guns = guns
        self._size = size
        self._alone = len({*places}) == len(places)
        self._kinds = dict.fromkeys(guns)
        for host, own in self._kinds:
            for gun in own:
                self.axis.setdefault((host, gun), len(self.axis))

    def of_guns(self, values: Any) -> Table | tuple[tuple[Any, ...], ...]:
        """Return a series of guns: one row per hour with one value per gun."""
        if type(values) is not Table:
            return self._rows(values)
        targets = self._targets
        if targets is None:
            return self._rows(values.rows())
        width = len(self.axis)
        numbers = np.zeros(self._size * width)
        numbers[targets] = values.numbers
        return Table(numbers, np.full(self._size, width))

    def of_station(self, values: Sequence[Any]) -> list[Any]:
        """Return one value per hour; of hosts of the same hour, the last that has one gives it."""
        if self._alone and len(values) == self._size:
            return [*values]
        series: list[Any] = [0.0] * self._size
        given = [False] * self._size
        for place, value in zip(self._places, values, strict=True):
            if value is not None or not given[place]:
                series[place], given[place] = value, True
        return series

    @cached_property
    def _targets(self) -> Array | None:
        """The place of each value in a table of all hours and guns; None where some share one."""
        if any(len({*own}) < len(own) for _, own in self._kinds):
            return None
        if not self._alone:
            hosts = [host for host, _ in self._guns]
            if len({*zip(self._places, hosts, strict=True)}) < len(hosts):
                return None
        width = len(self.axis)
        columns = [[self.axis[host, gun] for gun in own] for host, own in self._kinds]
        numbers = dict(zip(self._kinds, range(len(columns)), strict=True))
        kinds = np.array([*map(numbers.__getitem__, self._guns)])
        starts = np.array(self._places) * width
        if len({*map(len, columns)}) == 1:
            grid: Array = starts[:, np.newaxis] + np.array(columns, np.intp)[kinds]
            return grid.ravel()
        counts = np.array([*map(len, columns)])[kinds]
        every = [np.array(each, np.intp) for each in columns]
        targets: Array = np.repeat(starts, counts) + np.concatenate([every[each] for each in kinds])
        return targets

    def _rows(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], ...]:
        """Return what `of_guns` does, of values of any kind, or more than one for a gun."""
        series: list[tuple[Any, ...]] = [(0.0,) * len(self.axis)] * self._size
        arrange = {own: _arranger(own, self.axis) for own in self._kinds if own[1]}
        for place, own, powers in zip(self._places, self._guns, values, strict=True):
            if powers:
                series[place] = arrange[own](powers + series[place])
        return tuple(series)


def _arranger(guns: Guns, axis: Mapping[Gun, int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Return what puts values of these guns, and behind them those of the whole axis, in order.

    That is the order of the axis, and a value of these guns goes before one behind them.
    """
    host, own = guns
    at = {(host, gun): place for place, gun in enumerate(own)}
    places = [at.get(gun, len(own) + place) for gun, place in axis.items()]
    return itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
