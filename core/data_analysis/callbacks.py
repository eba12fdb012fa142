"""Whom a service calls. Who calls them, and in which order, is in the services' own files."""

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
