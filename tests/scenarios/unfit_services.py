"""Services that a story cannot be lived with: each breaks its word at one place.

Services that can, and whose work is wrong, are in `broken_services.py`.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from data_analysis import AsyncDataAnalysisService


def nothing(**_options: Any) -> None:
    """A factory that forgets to return what it made."""


class NotAwaited:
    """Plain methods where coroutines are awaited."""

    def __init__(self, **_options: Any) -> None:
        """Takes anything."""

    def start(self, callback: Callable[..., Any]) -> None:
        """Returns nothing that could be awaited."""

    def stop(self) -> None:
        """Likewise."""


class StartHangs(AsyncDataAnalysisService):
    """Waits for a model that never loads."""

    async def start(self, callback: Callable[..., Any]) -> None:  # type: ignore[override]  # narrower
        await asyncio.Event().wait()


class StopHangs(AsyncDataAnalysisService):
    """Looks again and again for an end that never comes."""

    async def stop(self) -> None:
        while True:
            await asyncio.sleep(1)


class _Wrapped(AsyncDataAnalysisService):
    """Calls back through `spoil`."""

    async def start(self, callback: Callable[..., Any]) -> None:  # type: ignore[override]  # narrower
        async def wrapped(station: str, module_input: dict[str, Any]) -> Any:
            callback(station, module_input)
            await self.spoil()

        await super().start(callback=wrapped)

    async def spoil(self) -> None:
        """What happens instead of an answer."""


class NeverFinishes(_Wrapped):
    """Its callbacks wait for ever."""

    async def spoil(self) -> None:
        await asyncio.Event().wait()


class Raises(_Wrapped):
    """Its callbacks fail."""

    async def spoil(self) -> None:
        raise ValueError("no model")


class Exits(_Wrapped):
    """Its callbacks end the program."""

    async def spoil(self) -> None:
        raise SystemExit(7)
