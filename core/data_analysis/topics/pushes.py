"""An hourly push of one station: items in, checked and side by side; items out as they came.

In columns, for a push is kept until the next one: a few objects that hold hundreds of items cost
less than these, to read as for the collector of garbage to pass by. How a push is shown is in
`data_analysis.topics.hourly`.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from types import EllipsisType
from typing import Any

from data_analysis.columns import fresh
from data_analysis.topics.times import HOUR_SECONDS, SEND_TIME_KEY, local_seconds

HOST_KEY = "hostCode"
POWER_KEY = "gunPower"
GUN_KEY = "gunNo"
GUN_SERIES = ("outputPowerPerGunAvg", "outputPowerPerGunMax")
STATION_SERIES = ("outputPowerPerStationAvg", "outputPowerPerStationMax")

_NOTHING: frozenset[type] = frozenset((type(None), EllipsisType))
_LISTS: frozenset[type] = frozenset((list,))
_DICTS: frozenset[type] = frozenset((dict,))
_NAMES: frozenset[type] = frozenset((str, int))
_NUMBERS: frozenset[type] = frozenset((int, float, type(None)))
_OF_GUNS = frozenset((GUN_KEY, *GUN_SERIES))

_NO_POWER: dict[str, Any] = {GUN_KEY: []}
_POWER: dict[str, Any] = {}
"""Stands in the fields for what is in the columns of `powers`."""

Item = dict[str, Any]
"""One hour of one host."""

Columns = dict[str, tuple[Any, ...]]
"""By key, one value for each item: Ellipsis where an item does not have the key."""


@dataclass(frozen=True, slots=True)
class Push:
    """Items, one at least.

    `seconds` are their times, local from 1970, None where no item has a readable one. `powers` are
    the columns of `gunPower`, whose lists are tuples.
    """

    seconds: Sequence[int] | None
    fields: Columns
    powers: Columns

    @property
    def count(self) -> int:
        """How many items there are."""
        return len(self.powers[GUN_KEY])

    def values(self, key: str) -> Sequence[Any]:
        """Return one value for each item, None where it has none."""
        if key == POWER_KEY:
            return [item.get(key) for item in self.items()]
        columns = self.powers if key in _OF_GUNS else self.fields
        values = columns.get(key)
        if values is None:
            return [None] * self.count
        if EllipsisType in map(type, values):
            return [None if each is ... else each for each in values]
        return values

    def items(self) -> list[Item]:
        """Return new items as those that came."""
        items = _items(self.fields)
        for item, power in zip(items, _items(self.powers), strict=True):
            if item.get(POWER_KEY) is not None:
                lists = {key: [*each] for key, each in power.items() if _is_series(key, each)}
                item[POWER_KEY] = power | lists
        return items

    def in_order(self) -> "Push":
        """Return the items in the order of time; without those that have none, unless none has."""
        seconds = [*map(local_seconds, self.values(SEND_TIME_KEY))]
        timed = {at: each for at, each in enumerate(seconds) if each is not None}
        places = sorted(timed, key=timed.__getitem__)
        if not places:
            return self
        fields, powers = self.fields, self.powers
        if places != [*range(self.count)]:
            fields, powers = _picked(fields, places), _picked(powers, places)
        return Push([timed[at] for at in places], fields, powers)

    def last(self, size: int) -> "Push":
        """Return what a window of this size reaches."""
        if self.seconds is None:
            first, seconds = max(0, self.count - size), None
        else:
            first = bisect_right(self.seconds, self.seconds[-1] - size * HOUR_SECONDS)
            seconds = self.seconds[first:]
        if not first:
            return self
        places = range(first, self.count)
        return Push(seconds, _picked(self.fields, places), _picked(self.powers, places))


def read_push(items: Sequence[Item]) -> Push | None:
    """Return items, in the order given, if there are any and every value is of its kind.

    There is one number, or None, for every gun in each series that there is.
    """
    fields = _columns(items)
    given = fields.get(POWER_KEY, (...,) * len(items))
    powers = _columns([each if type(each) is dict else _NO_POWER for each in given])
    if (
        not _all(given, _DICTS | _NOTHING)
        or not _all(fields.get(HOST_KEY, ()), _NAMES | _NOTHING)
        or not all(_all(fields.get(name, ()), _NUMBERS | _NOTHING) for name in STATION_SERIES)
        or not _sound(powers)
    ):
        return None
    fields[POWER_KEY] = tuple([_POWER if type(each) is dict else each for each in given])
    known: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    powers[GUN_KEY] = tuple([known.setdefault(each, each) for each in map(tuple, powers[GUN_KEY])])
    for name in powers.keys() & set(GUN_SERIES):
        powers[name] = tuple([tuple(each) if type(each) is list else each for each in powers[name]])
    return Push(None, fields, powers)


def _columns(items: Iterable[Item]) -> Columns:
    shapes = dict.fromkeys(map(tuple, items))
    return {key: _column(items, key) for key in dict.fromkeys(chain.from_iterable(shapes))}


def _column(items: Iterable[Item], key: str) -> tuple[Any, ...]:
    try:
        return tuple(map(itemgetter(key), items))
    except KeyError:
        return tuple([item.get(key, ...) for item in items])


def _sound(powers: Columns) -> bool:
    """Return whether guns are lists of names, and series of as many numbers."""
    guns = powers.get(GUN_KEY, (None,))
    if not _all(guns, _LISTS) or not _all(chain.from_iterable(guns), _NAMES):
        return False
    for name in powers.keys() & set(GUN_SERIES):
        series = powers[name]
        if not _all(series, _LISTS | _NOTHING):
            return False
        lists = [each for each in series if type(each) is list]
        counts = [len(own) for own, each in zip(guns, series, strict=True) if type(each) is list]
        if [*map(len, lists)] != counts or not _all(chain.from_iterable(lists), _NUMBERS):
            return False
    return True


def _is_series(key: str, value: Any) -> bool:
    return key in _OF_GUNS and type(value) is tuple


def _all(values: Iterable[Any], kinds: Set[type]) -> bool:
    return kinds >= set(map(type, values))


def _picked(columns: Columns, places: Iterable[int]) -> Columns:
    return {key: tuple([values[at] for at in places]) for key, values in columns.items()}


def _items(columns: Columns) -> list[Item]:
    rows = zip(*columns.values(), strict=True)
    return [
        {key: fresh(value) for key, value in zip(columns, row, strict=True) if value is not ...}
        for row in rows
    ]
