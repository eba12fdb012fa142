"""An hourly push of one station: items in, checked and side by side; items out as they came.

In columns, for a push is kept until the next one: a few objects that hold hundreds of items cost
less than these, to read as for the collector of garbage to pass by. How a push is shown is in
`data_analysis.topics.hourly`.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from operator import is_, itemgetter
from types import EllipsisType
from typing import Any

import numpy as np

from data_analysis.columns import fresh
from data_analysis.messages import STATION_KEY
from data_analysis.topics.tables import Table, floats_of, table_of
from data_analysis.topics.times import HOUR_SECONDS, SEND_TIME_KEY, seconds_of_all

HOST_KEY = "hostCode"
POWER_KEY = "gunPower"
GUN_KEY = "gunNo"
GUN_SERIES = ("outputPowerPerGunAvg", "outputPowerPerGunMax")
STATION_SERIES = ("outputPowerPerStationAvg", "outputPowerPerStationMax")

_NOTHING: frozenset[type] = frozenset((type(None), EllipsisType))
_MISSING: frozenset[type] = frozenset((EllipsisType,))
_STRINGS: frozenset[type] = frozenset((str,))
_LISTS: frozenset[type] = frozenset((list,))
_DICTS: frozenset[type] = frozenset((dict,))
_NAMES: frozenset[type] = frozenset((str, int))
_NUMBERS: frozenset[type] = frozenset((int, float, type(None)))
_OF_GUNS = frozenset((GUN_KEY, *GUN_SERIES))
_TEXTS = frozenset((STATION_KEY, HOST_KEY, SEND_TIME_KEY))

_NO_POWER: dict[str, Any] = {GUN_KEY: []}
_POWER: dict[str, Any] = {}
"""Stands in the fields for what is in the columns of `powers`."""

Item = dict[str, Any]
"""One hour of one host."""

Columns = dict[str, Any]
"""By key, a tuple of one value for each item: Ellipsis where an item does not have the key. Series
of guns may be tables. Until they are those of a station, numbers of stations may be arrays."""


@dataclass(frozen=True, slots=True)
class Push:
    """Items, one at least.

    `seconds` are their times, local from 1970, None where no item has a readable one. `powers` are
    the columns of `gunPower`, whose lists are tuples, or rows of tables.
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
        values: Sequence[Any] | None = columns.get(key)
        if values is None:
            return [None] * self.count
        # There are always lists of guns, and tables have no gaps.
        if key != GUN_KEY and type(values) is tuple and EllipsisType in set(map(type, values)):
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
        seconds = seconds_of_all(self.values(SEND_TIME_KEY))
        known = [each for each in seconds if each is not None]
        if not known:
            return self
        if seconds == sorted(known):
            return Push(known, self.fields, self.powers)
        timed = {at: each for at, each in enumerate(seconds) if each is not None}
        places = sorted(timed, key=timed.__getitem__)
        fields, powers = _picked(self.fields, places), _picked(self.powers, places)
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


def read_pushes(
    groups: Sequence[Sequence[Item]], listed: Sequence[Item] | None = None
) -> list[Push | None]:
    """Return the push of each group of items, in the order given.

    None for a group without items; for all groups, if there is a value that is not of its kind.
    There is one number, or None, for every gun in each series that there is.

    Args:
        groups: the items of each.
        listed: the same items in the order in which they were made, where that is known. Neighbours
            in memory are read in half the time that it takes to read them here and there.
    """
    grouped = [*chain.from_iterable(groups)]
    items = grouped if listed is None or len(listed) != len(grouped) else listed
    columns = _read(items)
    if columns is None:
        return [None] * len(groups)
    if not all(map(is_, items, grouped)):
        at = dict(zip(map(id, items), range(len(items)), strict=True))
        places = [*map(at.__getitem__, map(id, grouped))]
        columns = _picked(columns[0], places), _picked(columns[1], places)
    bounds = [*accumulate(map(len, groups), initial=0)]
    parts = zip(*[_cut(each, bounds) for each in columns], strict=True)
    return [Push(None, *part) if group else None for group, part in zip(groups, parts, strict=True)]


def _read(items: Sequence[Item]) -> tuple[Columns, Columns] | None:
    """Return the fields of items and those of their powers, None if a value is not of its kind."""
    fields = _columns(items)
    given = fields.get(POWER_KEY, (...,) * len(items))
    whole = _all(given, _DICTS)
    powers = _columns(
        given if whole else [each if type(each) is dict else _NO_POWER for each in given]
    )
    guns = _guns(powers.get(GUN_KEY, (None,)))
    if (
        guns is None
        or not (whole or _all(given, _DICTS | _NOTHING))
        or not _all(fields.get(HOST_KEY, ()), _NAMES | _NOTHING)
    ):
        return None
    for name in fields.keys() & set(STATION_SERIES):
        floats = floats_of(fields[name])
        if floats is not None:
            fields[name] = floats
        elif not _all(fields[name], _NUMBERS | _NOTHING):
            return None
    fields[POWER_KEY] = (
        (_POWER,) * len(items)
        if whole
        else tuple([_POWER if type(each) is dict else each for each in given])
    )
    for key in _TEXTS & fields.keys():
        if _all(fields[key], _STRINGS):
            fields[key] = _shared(fields[key])
    powers[GUN_KEY] = guns
    counts = np.array([*map(len, guns)], np.intp)
    for name in powers.keys() & set(GUN_SERIES):
        series = table_of(powers[name], counts) or _series(powers[name], counts.tolist())
        if series is None:
            return None
        powers[name] = series
    return fields, powers


def _columns(items: Sequence[Item]) -> Columns:
    keys = [*items[0]] if items else []
    if {len(keys)} == set(map(len, items)):
        try:
            return {key: tuple(map(itemgetter(key), items)) for key in keys}
        except KeyError:
            pass
    keys = [*dict.fromkeys(chain.from_iterable(items))]
    return {key: tuple([item.get(key, ...) for item in items]) for key in keys}


def _cut(columns: Columns, bounds: Sequence[int]) -> list[Columns]:
    """Return the columns of the items between each two bounds.

    Without the keys that none of them has; but each has a power.
    """
    cut: list[Columns] = [{} for _ in pairwise(bounds)]
    for key, values in columns.items():
        if type(values) is Table:
            parts: Sequence[Any] = values.split(bounds)
        elif isinstance(values, np.ndarray):
            parts = [tuple(values[start:end].tolist()) for start, end in pairwise(bounds)]
        else:
            parts = [values[start:end] for start, end in pairwise(bounds)]
        for own, part in zip(cut, parts, strict=True):
            if key == POWER_KEY or not _is_missing(part):
                own[key] = part
    return cut


def _guns(lists: Sequence[Any]) -> tuple[tuple[Any, ...], ...] | None:
    """Return lists of names as tuples, one object for equal ones; None if they are not."""
    if not _all(lists, _LISTS):
        return None
    try:
        guns = _shared([*map(tuple, lists)])
    except TypeError:
        return None
    # What equals a text is one, but what equals a whole number need not be.
    each_once = chain.from_iterable(set(guns))
    if not _all(each_once, _STRINGS) and not _all(chain.from_iterable(lists), _NAMES):
        return None
    return guns


def _series(series: Sequence[Any], counts: Sequence[int]) -> tuple[Any, ...] | None:
    """Return lists of so many numbers as tuples; None if they are not, or not so many."""
    if not _all(series, _LISTS | _NOTHING):
        return None
    lists = [each for each in series if type(each) is list]
    own = [count for count, each in zip(counts, series, strict=True) if type(each) is list]
    if [*map(len, lists)] != own or not _all(chain.from_iterable(lists), _NUMBERS):
        return None
    return tuple([tuple(each) if type(each) is list else each for each in series])


def _shared(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return the same values, one object for equal ones."""
    known: dict[Any, Any] = {}
    return tuple(map(known.setdefault, values, values))


def _is_series(key: str, value: Any) -> bool:
    return key in _OF_GUNS and type(value) is tuple


def _is_missing(column: Sequence[Any]) -> bool:
    return type(column) is tuple and len(column) > 0 and column[0] is ... and _all(column, _MISSING)


def _all(values: Iterable[Any], kinds: Set[type]) -> bool:
    return kinds >= set(map(type, values))


def _picked(columns: Columns, places: Sequence[int]) -> Columns:
    pick = itemgetter(*places, *places[:1])
    picked: Columns = {}
    for key, values in columns.items():
        if type(values) is Table:
            picked[key] = values.picked(places)
        elif isinstance(values, np.ndarray):
            picked[key] = values[np.array(places)]
        else:
            picked[key] = pick(values)[:-1]
    return picked


def _rows(columns: Columns) -> Mapping[str, tuple[Any, ...]]:
    """Return the columns, those of tables as tuples."""
    return {
        key: values.rows() if type(values) is Table else values for key, values in columns.items()
    }


def _items(columns: Columns) -> list[Item]:
    rows = zip(*_rows(columns).values(), strict=True)
    return [
        {key: fresh(value) for key, value in zip(columns, row, strict=True) if value is not ...}
        for row in rows
    ]
