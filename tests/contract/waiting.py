"""Waiting for a condition, with a deadline; there are no fixed sleeps in the contract."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

LOOK_AGAIN_AFTER_S = 0.02


async def eventually(
    look: Callable[[], Awaitable[Found]],
    *,
    deadline_s: float = 20.0,
    what: Callable[[], str] | str = "the condition",
) -> Found:
    """Look until what is found is true; return it. Raises `AssertionError` after `deadline_s`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadline_s
    while True:
        found = await look()
        if found:
            return found
        if loop.time() > deadline:
            raise AssertionError(
                f"no {what if isinstance(what, str) else what()} in {deadline_s} s"
            )
        await asyncio.sleep(LOOK_AGAIN_AFTER_S)
