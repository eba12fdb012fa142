"""Waiting for a condition, with a deadline; there are no fixed sleeps in the contract."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

LOOK_AGAIN_AFTER_S = 0.02
LOOK_AGAIN_AFTER_S_MAX = 0.2
SLOWER_EACH_TIME = 1.3


async def eventually(
    look: Callable[[], Awaitable[Found]],
    *,
    deadline_s: float = 20.0,
    what: Callable[[], str] | str = "the condition",
) -> Found:
    """Look until what is found is true, less often as time goes by; return it. Raises
    `AssertionError` after `deadline_s`.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadline_s
    pause_s = LOOK_AGAIN_AFTER_S
    while True:
        found = await look()
        if found:
            return found
        if loop.time() > deadline:
            raise AssertionError(
                f"no {what if isinstance(what, str) else what()} in {deadline_s} s"
            )
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * SLOWER_EACH_TIME, LOOK_AGAIN_AFTER_S_MAX)
