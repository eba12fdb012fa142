"""Whom a service calls, and of what kind they are.

Who calls them, and in which order, is in the services' own files.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Callbacks:
    """Whom to call; in the async service each may be a coroutine function.

    `result` gets `(station_id, result)`, `full_result` `(station_id, module_input, result)`.
    """

    every: Callable[..., Any] | None = None
    result: Callable[..., Any] | None = None
    full_result: Callable[..., Any] | None = None

    @property
    def handle(self) -> bool:
        """Whether somebody handles results."""
        return self.result is not None or self.full_result is not None


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Return whether calling a function, or an object like one, only makes a coroutine."""
    if inspect.iscoroutinefunction(function):
        return True
    return inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004  # its type is asked for
