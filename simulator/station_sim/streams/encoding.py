"""JSON from columns: a record's bytes by filling a template, numbers written a column at a time.

orjson writes a whole array at once, which is split at its commas; so a record costs one `%`. Texts
go through orjson too.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from station_sim.streams.noise import Ints

Column = list[bytes]
MS_PER_DAY, UTC_PLUS_8_MS = 86_400_000, 8 * 3_600_000
SENTINEL = b'"2070-01-01 00:00:00"'
"""When an open order ends."""


def records(fields: dict[str, bytes | Column], count: int) -> list[bytes]:
    """`count` JSON objects; a field is the JSON that all have, or a column of each one's.

    A field whose name is empty is a fragment of several fields.
    """
    parts, columns = [], []
    for name, column in fields.items():
        head = f'"{name}":'.encode() if name else b""
        if isinstance(column, bytes):
            parts.append((head + column).replace(b"%", b"%%"))
        else:
            parts.append(head + b"%b")
            columns.append(column)
    template = b"{" + b",".join(parts) + b"}"
    if not columns:
        return [template.replace(b"%%", b"%")] * count
    return list(map(template.__mod__, zip(*columns, strict=True)))


def fixed(value: Any) -> bytes:
    """A value as JSON, in no more memory than it needs: orjson reserves at least 1 KiB."""
    return bytes(memoryview(orjson.dumps(value)))


def fragment(value: dict[str, Any]) -> bytes:
    """Fields that do not change, as JSON without the braces."""
    return orjson.dumps(value)[1:-1]


def numbers(values: npt.NDArray[Any]) -> Column:
    """Each number as JSON."""
    if not len(values):
        return []
    return _array(values)[1:-1].split(b",")


def rows(values: npt.NDArray[Any]) -> Column:
    """Each row of a matrix as a JSON list."""
    if not len(values):
        return []
    return [b"[%b]" % row for row in _array(values)[2:-2].split(b"],[")]


def picked(choices: Sequence[bytes], which: Ints) -> Column:
    """For each record one of a few pieces of JSON."""
    return [choices[index] for index in which.tolist()]


def times(epoch_ms: Ints) -> Column:
    """`"YYYY-MM-DD HH:MM:SS"` in Asia/Shanghai (UTC+8 since 1991), whole seconds."""
    days, rest_ms = np.divmod(epoch_ms + UTC_PLUS_8_MS, MS_PER_DAY)
    clock = _clock()
    if len(days) and days[0] == days[-1] == days.max() == days.min():
        day = _day(int(days[0]))
        return [day + clock[second] for second in (rest_ms // 1000).tolist()]
    names = {day: _day(day) for day in set(days.tolist())}
    return [
        names[day] + clock[second]
        for day, second in zip(days.tolist(), (rest_ms // 1000).tolist(), strict=True)
    ]


def _array(values: npt.NDArray[Any]) -> bytes:
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)


@lru_cache(maxsize=64)
def _day(day: int) -> bytes:
    return b'"' + str(np.datetime64(day, "D")).encode() + b" "


@lru_cache(maxsize=1)
def _clock() -> Column:
    """The seconds of a day, from `00:00:00`."""
    return [
        b'%02d:%02d:%02d"' % (second // 3600, second // 60 % 60, second % 60)
        for second in range(86_400)
    ]
