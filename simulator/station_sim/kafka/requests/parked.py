"""Requests whose answer may have to wait: a response at once, or a future of one.

Who waits for what is decided in `rebalance.py`; a connection that is lost meanwhile cancels the
future, and the answer that comes later is dropped. An answer may be held back for a while as well.
"""

import asyncio
from collections.abc import Callable
from typing import Any


def parked(ask: Callable[[Callable[[Any], None]], None]) -> Any:
    """Return the response that `ask` gives to its argument, or a future if it gives it later."""
    answers: list[Any] = []
    waiting: list[asyncio.Future[Any]] = []

    def reply(response: Any) -> None:
        if not waiting:
            answers.append(response)
        elif not waiting[0].done():
            waiting[0].set_result(response)

    ask(reply)
    if answers:
        return answers[0]
    waiting.append(asyncio.get_running_loop().create_future())
    return waiting[0]


async def answered_late(response: Any, delay_ms: int) -> Any:
    """`response`, when the delay is over."""
    await asyncio.sleep(delay_ms / 1000)
    return response
