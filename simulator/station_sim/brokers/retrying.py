"""Patience with a broker: an attempt is repeated until it succeeds or its time is over.

A topic just made has no leader for a moment, a broker just started no coordinator. Which errors
pass is Kafka's own classification (`KafkaError.retriable`); every retry has a deadline.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaError

from station_sim.errors import LabError

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.25

T = TypeVar("T")


class NotYetError(Exception):
    """What was asked for is not there yet; the text says what is missing."""


async def retry(attempt: Callable[[], Awaitable[T]], *, what: str, within_s: float) -> T:
    """The result of `attempt()`, repeated while it fails with an error that may pass.

    `what` names the attempt in the error: "make topics T". Raises `LabError` when the error is
    one that stays, or after `within_s` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    pause_s = FIRST_PAUSE_S
    last: Exception | None = None
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                return await attempt()
        except TimeoutError as error:
            last = last or error
        except (KafkaError, NotYetError, OSError) as error:
            if isinstance(error, KafkaError) and not error.retriable:
                raise LabError(f"could not {what}: {_one_line(error)}") from error
            last = error
        if loop.time() >= deadline:
            raise LabError(f"could not {what} within {within_s:g} s: {_one_line(last)}") from last
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _one_line(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return " ".join(str(error).split()) or type(error).__name__
