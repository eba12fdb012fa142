"""Series of guns that are floats throughout: numbers side by side instead of objects.

A week of a station is a thousand floats, of which each look at one costs more than copying it. What
else a series may be is in `data_analysis.topics.pushes`.
"""

import marshal
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import Any

import numpy as np

from data_analysis.columns import Array

_MARSHAL_VERSION = 2
"""That of floats in eight bytes; later ones refer to what has come before."""

_LIST_CODE, _FLOAT_CODE = b"[g"
_HEAD = np.dtype([("code", np.uint8), ("count", "<i4")])
_FLOAT = np.dtype([("code", np.uint8), ("value", "<f8")])
_HEAD_BYTES = _HEAD.itemsize
_NOTHING: Array = np.empty(0, np.uint8)


class Table:
    """Rows of floats, which never change; equal to what has the same rows, also as tuples.

    Args:
        numbers: those of all rows, one row behind the other.
        counts: how many each row has.
    """

    __slots__ = ("counts", "numbers")

    def __init__(self, numbers: Array, counts: Array) -> None:
        numbers.flags.writeable = False
        self.numbers = numbers
        self.counts = counts

    def __len__(self) -> int:
        return len(self.counts)

    def __eq__(self, other: object) -> bool:
        if type(other) is not Table:
            return self.rows() == other
        same_counts = np.array_equal(self.counts, other.counts)
        return same_counts and np.array_equal(self.numbers, other.numbers)

    __hash__ = None  # type: ignore[assignment]  # as other containers

    def lists(self) -> list[list[float]]:
        """Return the rows as new lists."""
        if self._even:
            lists: list[list[float]] = self.array().tolist()
            return lists
        numbers = iter(self.numbers.tolist())
        return [[*islice(numbers, count)] for count in self.counts.tolist()]

    def rows(self) -> tuple[tuple[float, ...], ...]:
        """Return the rows as tuples."""
        return tuple(map(tuple, self.lists()))

    def array(self) -> Array:
        """Return the rows, all of the same length, as those of a read-only array."""
        return self.numbers.reshape(len(self.counts), self.counts[0])

    @property
    def _even(self) -> bool:
        return bool((self.counts == self.counts[0]).all())

    def picked(self, places: Sequence[int]) -> "Table":
        """Return the rows of these places, in their order."""
        at = np.array(places)
        counts = self.counts[at]
        if self._even:
            return Table(self.array()[at].ravel(), counts)
        starts = (self.counts.cumsum() - self.counts)[at]
        within = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
        return Table(self.numbers[np.repeat(starts, counts) + within], counts)

    def split(self, bounds: Iterable[int]) -> list["Table"]:
        """Return the rows between each two bounds; they share nothing with this table."""
        ends = [0, *self.counts.cumsum().tolist()]
        return [
            Table(self.numbers[ends[start] : ends[end]].copy(), self.counts[start:end].copy())
            for start, end in pairwise(bounds)
        ]


def table_of(lists: tuple[Any, ...], counts: Array) -> Table | None:
    """Return lists, one at least, as a table, None unless they are lists of so many floats each.

    Marshalled, a list is a code, a length and its values, and a float a code and eight bytes. That
    tells what there is and converts it in one pass over the objects, where looks at their types and
    lengths and a conversion of each take three times as long.
    """
    written = _written(lists)
    sizes = _HEAD_BYTES + counts * _FLOAT.itemsize
    if len(written) != sizes.sum():
        return None
    heads, floats = _parted(written, sizes)
    if (heads["code"] != _LIST_CODE).any() or (heads["count"] != counts).any():
        return None
    numbers = _floats(floats)
    return None if numbers is None else Table(numbers, counts)


def _parted(written: Array, sizes: Array) -> tuple[Array, Array]:
    """Return the heads of lists that are marshalled in so many bytes each, and what they hold."""
    if (sizes == sizes[0]).all():
        rows = written.reshape(len(sizes), sizes[0])
        heads, floats = np.ascontiguousarray(rows[:, :_HEAD_BYTES]), rows[:, _HEAD_BYTES:].ravel()
    else:
        at = (sizes.cumsum() - sizes)[:, np.newaxis] + np.arange(_HEAD_BYTES)
        among = np.ones(len(written), bool)
        among[at] = False
        heads, floats = written[at], written[among]
    return heads.view(_HEAD)[:, 0], floats


def floats_of(values: tuple[Any, ...]) -> Array | None:
    """Return values as an array, None unless all are floats."""
    written = _written(values)
    return _floats(written) if len(written) == len(values) * _FLOAT.itemsize else None


def _written(values: tuple[Any, ...]) -> Array:
    """Return values as they are marshalled, without the tuple's head; nothing if one cannot be."""
    try:
        return np.frombuffer(marshal.dumps(values, _MARSHAL_VERSION), np.uint8, -1, _HEAD_BYTES)
    except ValueError:
        return _NOTHING


def _floats(written: Array) -> Array | None:
    marshalled = written.view(_FLOAT)
    return marshalled["value"].copy() if (marshalled["code"] == _FLOAT_CODE).all() else None
