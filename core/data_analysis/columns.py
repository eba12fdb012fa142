"""How the values of one field are stored: what went in comes out equal and of the same type.

Floats and integers are kept as numbers, a mix of both and of None as floats with a code per value,
local times as seconds, everything else as Python objects. Which points belong to a window is
decided in `data_analysis.windows`.
"""

from collections.abc import Sequence
from itertools import chain, count
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from data_analysis.listings import Listings, Texts
from data_analysis.stamps import LAST, LENGTH, StampTexts, seconds_of

FLOAT, INTEGER, NONE = 0, 1, 2
"""Codes of a mixed column: what the value at this place was."""

EXACT_INTEGER = 2**53
"""Integers up to here are floats without loss."""

Array = npt.NDArray[Any]

CONTAINERS = (dict, list)
_CONTAINERS = frozenset(CONTAINERS)

LONG = 1024
"""Values of numbers or times from which on a list of them is kept for the next look."""

_LISTINGS: Listings[int] = Listings()
"""By the identity of the column, which lets go of its list when it ends."""

_TEXTS = Texts()

_NO_STAMP = LAST + 1
_STAMP_TEXTS = StampTexts({_NO_STAMP: None})
_SHOWING = Lock()


def fresh(value: Any) -> Any:
    """Return a container's copy, so that a callback that edits its input edits nothing else."""
    if type(value) is dict:
        return {key: fresh(each) for key, each in value.items()}
    if type(value) is list:
        kinds = set(map(type, value))
        if _CONTAINERS.isdisjoint(kinds):
            return value.copy()
        # The usual table: lists of numbers.
        if kinds == {list} and _CONTAINERS.isdisjoint(map(type, chain.from_iterable(value))):
            return [each.copy() for each in value]
        return [fresh(each) for each in value]
    return value


def read_only(values: Sequence[Any]) -> Array:
    """Return a read-only array of floats, None as NaN; of objects where a value is no number.

    Lists of numbers, of equal length, become the rows of one array of floats.
    """
    try:
        if any(type(value) is str for value in values):
            raise TypeError
        array: Array = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        return objects(values)
    array.flags.writeable = False
    return array


def objects(values: Sequence[Any]) -> Array:
    """Return a read-only array of these objects, one for each."""
    array: Array = np.empty(len(values), object)
    for place, value in enumerate(values):
        array[place] = fresh(value)
    array.flags.writeable = False
    return array


class Column:
    """Room for `capacity` values of one field; the arrays are never replaced, only filled.

    `takes` is the type that may be written into `data` as it is: float, int, `object` for anything,
    or None for a mixed column, which needs `codes` as well; `str` is for `Stamps`. `shown` is what
    readers of arrays get, read-only, None before the first of them. `nested` is true once lists or
    dicts were written, which are copied for who reads them.
    """

    __slots__ = ("codes", "data", "listed", "nested", "shown", "takes")

    def __init__(self, takes: type | None, capacity: int) -> None:
        self.takes = takes
        self.nested = False
        self.listed = False
        self.data: Array = np.empty(capacity, _STORED.get(takes, takes))
        self.codes: Array | None = np.empty(capacity, np.uint8) if takes is None else None
        self.shown: Array | None = _read_only(self.data)

    def __del__(self) -> None:
        if self.listed:
            _LISTINGS.drop(id(self))

    def show(self) -> Array:
        """Return `shown`, which some columns make for the first who asks."""
        assert self.shown is not None
        return self.shown

    def put(self, place: int, value: object) -> bool:
        """Write one value; False if a value of this kind has no place here."""
        if self.takes is object:
            if type(value) is str:
                value = _TEXTS.shared(value)
            elif type(value) in CONTAINERS:
                self.nested = True
            self.data[place] = value
        elif self.takes is None:
            return self._put_mixed(place, value)
        elif type(value) is self.takes:
            try:
                self.data[place] = value
            except OverflowError:
                return False
        else:
            return False
        return True

    def put_all(self, place: int, values: Sequence[object]) -> bool:
        """Write values one behind the other; False if one of them has no place here."""
        kinds = set(map(type, values))
        if self.takes is object and kinds == {str}:
            values = [_TEXTS.shared(value) for value in values]  # type: ignore[arg-type]  # texts
        elif self.takes not in (float, int):
            return all(map(self.put, count(place), values))
        elif kinds != {self.takes}:
            return False
        try:
            self.data[place : place + len(values)] = values
        except OverflowError:
            return False
        return True

    def values(self, start: int, end: int) -> list[Any]:
        """Return the values in [start, end) as they went in."""
        if end - start >= LONG and self.takes in _LISTED:
            self.listed = True
            return _LISTINGS.read(id(self), start, end, self._made)
        values = self._made(start, end)
        if self.nested:
            return [fresh(value) for value in values]
        if self.codes is None:
            return values
        for place in np.flatnonzero(self.codes[start:end]).tolist():
            values[place] = None if self.codes[start + place] == NONE else int(values[place])
        return values

    def _made(self, start: int, end: int) -> list[Any]:
        values: list[Any] = self.data[start:end].tolist()
        return values

    def copy_from(self, other: "Column", start: int, end: int, place: int) -> None:
        """Take over the places [start, end) of a column of the same kind, from `place` on."""
        assert self.takes is other.takes
        if place == 0 and other.listed:
            self.listed = True
            _LISTINGS.move(id(other), id(self), start, end)
        self.data[place : place + end - start] = other.data[start:end]
        self.nested = self.nested or other.nested
        if self.codes is not None and other.codes is not None:
            self.codes[place : place + end - start] = other.codes[start:end]

    def _put_mixed(self, place: int, value: object) -> bool:
        assert self.codes is not None
        if value is None:
            self.data[place], self.codes[place] = np.nan, NONE
        elif type(value) is float:
            self.data[place], self.codes[place] = value, FLOAT
        elif type(value) is int and -EXACT_INTEGER <= value <= EXACT_INTEGER:
            self.data[place], self.codes[place] = value, INTEGER
        else:
            return False
        return True


class Stamps(Column):
    """A column of local times as texts, or None: seconds in 32 bits.

    Who reads arrays gets texts, which are kept beside the seconds from the first time on.
    """

    __slots__ = ("_filled", "_texts")

    def __init__(self, capacity: int) -> None:
        super().__init__(str, capacity)
        self.shown = None
        self._filled = 0
        self._texts: Array | None = None

    def show(self) -> Array:
        """Return the texts of all values, read-only."""
        with _SHOWING:
            if self.shown is None:
                # Known before it is filled: what is written meanwhile is written there as well.
                self._texts = np.empty(len(self.data), object)
                filled = self._filled
                self._texts[:filled] = self._made(0, filled)
                self.shown = _read_only(self._texts)
        return self.shown

    def put(self, place: int, value: object) -> bool:
        """Write one time; False for another text."""
        if type(value) is str and len(value) == LENGTH:
            seconds = seconds_of(value)
            if seconds is None:
                return False
        elif value is None:
            seconds = _NO_STAMP
        else:
            return False
        self.data[place] = seconds
        # Before the look at the texts: another thread may be making them.
        self._filled = place + 1
        if self._texts is not None:
            self._texts[place] = value and _STAMP_TEXTS.shared(seconds, value)
        return True

    def copy_from(self, other: Column, start: int, end: int, place: int) -> None:
        """Take over the places [start, end) of a column of times, from `place` on."""
        super().copy_from(other, start, end, place)
        assert isinstance(other, Stamps)
        self._filled = place + end - start
        if other.shown is not None and place == 0:
            self._texts = np.empty(len(self.data), object)
            self._texts[: self._filled] = other.shown[start:end]
            self.shown = _read_only(self._texts)
        elif self._texts is not None:
            self._texts[place : self._filled] = self._made(place, self._filled)

    def _made(self, start: int, end: int) -> list[Any]:
        return _STAMP_TEXTS.of_all(self.data[start:end].tolist())


_STORED: dict[type | None, type] = {None: np.float64, str: np.uint32}
_LISTED = (float, int, str)


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def _of(takes: type | None, capacity: int) -> Column:
    return Stamps(capacity) if takes is str else Column(takes, capacity)


def like(column: Column, capacity: int) -> Column:
    """Return room for values of the same kind."""
    return _of(column.takes, capacity)


def fitting(value: object, values: Sequence[object], capacity: int) -> Column:
    """Return a column that holds `values` and has a place for `value` behind them."""
    last: type | None
    for last in (str, object) if type(value) is str else (float, int, None, str, object):
        column = _of(last, capacity)
        if all(column.put(place, each) for place, each in enumerate((*values, value))):
            return column
    raise AssertionError("a column of objects takes anything")
