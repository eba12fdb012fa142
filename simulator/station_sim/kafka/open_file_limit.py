"""How many connections the system allows a broker process: its limit of open files.

The limit is raised as far as this user may; what else happens when it is reached is asyncio's
doing: who connects waits until somebody leaves.
"""

import asyncio
import errno
import logging
import math
import sys
from typing import Any

if sys.platform != "win32":
    import resource

logger = logging.getLogger(__name__)

ENOUGH_FILES = 1_100
"""For a thousand connections and what a process has open anyway."""

TOLD_EVERY_S = 10.0

_EXHAUSTED = (errno.EMFILE, errno.ENFILE)


def raise_limit() -> None:
    """Allow this process as many open files as it may have; tell if they are few."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        soft = _raised(soft, hard)
    if soft != resource.RLIM_INFINITY and soft < ENOUGH_FILES:
        logger.warning(
            f"this system allows {soft} open files, too few for 1,000 connections; "
            f"raise the limit (ulimit -n {ENOUGH_FILES}, or LimitNOFILE of the service)"
        )


def _raised(soft: int, hard: int) -> int:
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # some systems allow less than they say
        return soft
    return hard


class ExhaustionTeller:
    """An exception handler for a loop: one line now and then when no connection can be had.

    asyncio reports each attempt, up to a thousand in a second. All else is handled as by default.
    """

    def __init__(self) -> None:
        self._silent_until_s = -math.inf

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle what asyncio reports."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _EXHAUSTED):
            loop.default_exception_handler(context)
        elif loop.time() >= self._silent_until_s:
            self._silent_until_s = loop.time() + TOLD_EVERY_S
            logger.warning(
                f"no further connection can be accepted: {error.strerror}; those who connect wait "
                "until another leaves. Raise the limit of open files (ulimit -n)"
            )
