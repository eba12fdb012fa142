"""What clients compute in threads, computed at once: a virtual world has no threads for it.

Computing takes no time there, so nobody can tell the difference. How a function is replaced is in
`seams.py`.
"""

import asyncio
from typing import Any

from aiokafka.conn import BaseSaslAuthenticator

from station_sim.seams import Seams


def compute_at_once(seams: Seams) -> None:
    """Let aiokafka make its SASL tokens without a thread, until the world ends."""
    seams.replace(BaseSaslAuthenticator, "step", _step)


def _step(authenticator: Any, payload: bytes | None) -> "asyncio.Future[Any]":
    """The next token, as a future that is done."""
    token = asyncio.get_running_loop().create_future()
    token.set_result(authenticator._step(payload))
    return token
