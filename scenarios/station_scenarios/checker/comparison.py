"""Compares a module input with naive windows (semantics 7 to 9).

Every callback: the newest value of every field, the length of every window and its newest
`TAIL_POINTS`. Whole windows: whenever asked to look `deep`ly, which the caller does for records
that did not go to the end, for every `DEEP_EVERY`-th callback of a station, and for its last one.

A window's form is told by its type: a list is padded to its size, an array is as long as it holds
points.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from station_scenarios.checker.naive import NaiveWindow, Row
from station_scenarios.checker.plan import Plan, TopicPlan

TAIL_POINTS = 16
DEEP_EVERY = 64

_MISSING = object()

Windows = Mapping[str, NaiveWindow]
ModuleInput = Mapping[str, Any]


def topic_difference(
    plan: TopicPlan, window: NaiveWindow, given: ModuleInput, *, deep: bool
) -> str | None:
    """What is wrong with one topic's fields in an input; None when nothing is."""
    newest = window.rows[-1] if window.rows else None
    for position, field in enumerate(plan.fields):
        expected = None if newest is None else newest[position]
        for key in field.keys:
            value = given.get(key, _MISSING)
            if value is not expected and not _same(value, expected):
                return f"{key} is {_show(value)}, expected {_show(expected)}"
        if plan.shows_windows:
            for key in field.window_keys:
                wrong = _window_difference(given.get(key), window, position, deep)
                if wrong:
                    return f"{key} {wrong}"
    return None


def newest_values(plan: TopicPlan, given: ModuleInput) -> Row:
    """The newest point of a topic as the input shows it, to recognise a record by."""
    return tuple(_plain(given.get(field.keys[0])) if field.keys else None for field in plan.fields)


def quality_difference(plan: Plan, windows: Windows, given: ModuleInput) -> str | None:
    """What is wrong with `_data_quality` (semantics 9)."""
    available = [topic.name for topic in plan.topics if len(windows[topic.name])]
    quality = given.get("_data_quality")
    if isinstance(quality, dict) and quality.get("available_topics") == available:
        missing = [topic.name for topic in plan.topics if not len(windows[topic.name])]
        total = len(plan.topics)
        expected = {
            "available_topics": available,
            "missing_topics": missing,
            "total_topics": total,
            "availability_ratio": len(available) / total if total else 0.0,
        }
        if quality == expected:
            return None
    return f"_data_quality is {_show(quality)}, expected available_topics {available}"


def _window_difference(given: Any, window: NaiveWindow, position: int, deep: bool) -> str | None:
    if given is None:
        return "is missing"
    held, is_array = len(window), isinstance(given, np.ndarray)
    length = held if is_array else window.size_points
    if len(given) != length:
        return f"has {len(given)} points, expected {length}"
    count = length if deep else min(TAIL_POINTS, length)
    rows = window.rows[held - count :] if count < held else window.rows
    expected = [None] * (count - len(rows)) + [row[position] for row in rows]
    tail = given if count == length else given[length - count :]
    if is_array:
        return None if _same_column(tail, expected) else _first_difference(tail, expected)
    return None if tail == expected else _first_difference(tail, expected)


def _same_column(column: Any, expected: list[object]) -> bool:
    """A column of numbers may hold NaN where there was no value; numbers compare by value."""
    return bool(column.tolist() == expected) or all(
        _same_in_array(value, wanted)
        for value, wanted in zip(column.tolist(), expected, strict=True)
    )


def _same_in_array(value: Any, wanted: object) -> bool:
    if wanted is None:
        return value is None or value != value
    return bool(value == wanted)


def _first_difference(tail: Any, expected: list[object]) -> str:
    values = tail.tolist() if isinstance(tail, np.ndarray) else list(tail)
    for back, (value, wanted) in enumerate(zip(reversed(values), reversed(expected), strict=True)):
        if not _same(value, wanted) and not _same_in_array(value, wanted):
            return f"has {_show(value)} {back} points before its end, expected {_show(wanted)}"
    return "differs in the type of a value"


def _same(value: Any, expected: object) -> bool:
    value = _plain(value)
    if expected is None:
        return value is None or value != value
    return type(value) is type(expected) and bool(value == expected)


def _plain(value: Any) -> Any:
    """A NumPy scalar or array as the Python value it stands for."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _show(value: object) -> str:
    if value is _MISSING:
        return "missing"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
