"""What stands in front of a window that is shorter than its size, in the list form.

A window without any point is all None whatever the choice: see `data_analysis.inputs`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def pad(values: list[Any], size: int, padding: str) -> list[Any]:
    """Return `values`, oldest first, at the length `size`; longer ones are returned as they are.

    `padding`: "none" puts None in front, "zero" zeros, "forward" repeats the first value, "linear"
    stretches the values over the whole length by interpolation and, where one is not a number,
    does as "forward".
    """
    if len(values) >= size:
        return values
    if not values:
        return [None] * size
    return _PADDINGS[padding](values, size)


def _none(values: list[Any], size: int) -> list[Any]:
    return [None] * (size - len(values)) + values


def _zero(values: list[Any], size: int) -> list[Any]:
    return [0] * (size - len(values)) + values


def _forward(values: list[Any], size: int) -> list[Any]:
    return [values[0]] * (size - len(values)) + values


def _linear(values: list[Any], size: int) -> list[Any]:
    if len(values) < 2 or not all(type(value) in (int, float) for value in values):
        return _forward(values, size)
    stretched = np.interp(
        np.linspace(0, len(values) - 1, size), np.arange(len(values)), np.array(values, float)
    )
    result: list[Any] = stretched.tolist()
    return result


_PADDINGS: Mapping[str, Callable[[list[Any], int], list[Any]]] = {
    "none": _none,
    "zero": _zero,
    "forward": _forward,
    "linear": _linear,
}
