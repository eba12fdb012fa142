"""The times of a window's points, in four bytes each where they are milliseconds of some weeks.

Clients date records by the millisecond. Times that are no whole milliseconds, or lie too far from
each other, are kept as the floats that they are. Which points there are is decided in
`data_analysis.windows`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from data_analysis.columns import Array
from data_analysis.stores import BEFORE_ALL

REACH_MS = 2**32 - 1
"""Milliseconds that 32 bits tell apart, 49 days."""

FARTHEST_S = 1e12
"""Times beyond are not looked at as milliseconds."""


class Moments:
    """Room for the times of `capacity` points, epoch seconds, written from the front on.

    A code is 0 for `BEFORE_ALL`, else the milliseconds from a base to the time.
    """

    __slots__ = ("_base_ms", "_coded", "_data")

    def __init__(self, capacity: int) -> None:
        self._coded = True
        self._base_ms = 0
        self._data: Array = np.empty(capacity, np.uint32)

    def put(self, place: int, time: float) -> None:
        """Write one time."""
        if self._coded and -FARTHEST_S < time < FARTHEST_S:
            # What `_code` does, without a call: this is done for every record.
            time_ms = round(time * 1000)
            code = time_ms - self._base_ms
            if 0 < code <= REACH_MS and time_ms / 1000 == time:
                self._data[place] = code
                return
        other = self._code(time)
        if other is None:
            self._fit(place, np.array([time], np.float64))
        else:
            self._data[place] = other

    def put_all(self, place: int, times: Sequence[float] | Array) -> None:
        """Write times one behind the other."""
        array = np.asarray(times, np.float64)
        codes = _codes(array, self._base_ms) if self._coded else array
        if codes is None:
            self._fit(place, array)
        else:
            self._data[place : place + len(codes)] = codes

    def fill(self, place: int, end: int, time: float) -> None:
        """Write one time to every place of [place, end)."""
        self.put(place, time)
        self._data[place + 1 : end] = self._data[place]

    def floats(self, start: int, end: int) -> Array:
        """Return the times of [start, end)."""
        part = self._data[start:end]
        if not self._coded:
            return part
        times: Array = (part + np.int64(self._base_ms)) / 1000
        times[part == 0] = BEFORE_ALL
        return times

    def moved(self, start: int, end: int, capacity: int) -> "Moments":
        """Return the times of [start, end) at the front of new room."""
        other = Moments(capacity)
        if self._coded:
            other._base_ms = self._base_ms
            other._data[: end - start] = self._data[start:end]
        else:
            # The time that needed floats may have left.
            other.put_all(0, self.floats(start, end))
        return other

    def run(self, start: int, end: int, time: float) -> tuple[int, int]:
        """Return where in [start, end) the times from `time` on begin, and those after it."""
        key: Any = self._code(time)
        times = self._data[start:end]
        if key is None:
            key, times = time, self.floats(start, end)
        # A key of another type would have all times converted.
        key = times.dtype.type(key)
        first, behind = (int(np.searchsorted(times, key, side)) for side in ("left", "right"))
        return start + first, start + behind

    def _code(self, time: float) -> float | None:
        """Return what is written for a time, None where that takes another base, or floats."""
        if not self._coded:
            return time
        if time == BEFORE_ALL:
            return 0
        try:
            time_ms = round(time * 1000)
        except (OverflowError, ValueError):
            return None
        code = time_ms - self._base_ms
        return code if 0 < code <= REACH_MS and time_ms / 1000 == time else None

    def _fit(self, place: int, times: Array) -> None:
        """Write times behind others, for which there is no code."""
        known = np.concatenate((self.floats(0, place), times))
        dated = known[known != BEFORE_ALL]
        middle_s = dated.min() / 2 + dated.max() / 2
        codes = None
        if abs(middle_s) < FARTHEST_S:
            base_ms = int(middle_s * 1000) - REACH_MS // 2
            codes = _codes(known, base_ms)
        if codes is None:
            self._coded = False
            self._data = np.empty(len(self._data))
            self._data[: len(known)] = known
        else:
            self._base_ms = base_ms
            self._data[: len(codes)] = codes


def _codes(times: Array, base_ms: int) -> Array | None:
    """Return the codes of times, None where one of them has none."""
    with np.errstate(over="ignore"):
        times_ms = np.round(times * 1000)
    codes = times_ms - base_ms
    undated = times == BEFORE_ALL
    near = (codes > 0) & (codes <= REACH_MS) | undated
    if not (near & (times_ms / 1000 == times)).all():
        return None
    codes[undated] = 0
    coded: Array = codes.astype(np.uint32)
    return coded
