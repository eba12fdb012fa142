"""A virtual socket's attempts to connect, which go on while nobody waits for them."""

import asyncio
import errno
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING

from station_sim.threads.ends import Connected

if TYPE_CHECKING:
    from station_sim.threads.sockets import Sockets


class Connecting:
    """Connects one socket; `connected` is told the end, and `changed` called when it is over."""

    def __init__(
        self,
        world: "Sockets",
        connected: Callable[[Connected], object],
        changed: Callable[[], object],
    ) -> None:
        self._world = world
        self._connected = connected
        self._changed = changed
        self._attempt: asyncio.Task[None] | None = None
        self._error: OSError | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether an attempt has not ended yet."""
        return self._attempt is not None

    @property
    def has_failed(self) -> bool:
        """Whether the last attempt failed, and nobody has asked why."""
        return self._error is not None

    def begin(self, host: str, port: int) -> int:
        """Begin an attempt, or say how the last one went: an error's number or 0."""
        if self._attempt is not None:
            return errno.EALREADY
        if self._error is not None:
            return self.outcome()
        self._attempt = self._world.scheduler.loop.create_task(
            self._connect(host, port), name=f"connect to {host}:{port}", context=copy_context()
        )
        return errno.EINPROGRESS

    async def _connect(self, host: str, port: int) -> None:
        end = Connected()
        try:
            await self._world.network.connect(lambda: end, host, port)
        except OSError as error:
            self._error = error
        else:
            self._connected(end)
        finally:
            self._attempt = None
            self._changed()

    def take_error(self) -> OSError | None:
        """How the last attempt failed; it is told once."""
        error, self._error = self._error, None
        return error

    def outcome(self) -> int:
        """The number of that error, or 0."""
        return number_of(self.take_error())

    def close(self) -> None:
        """Give an attempt up."""
        if self._attempt is not None:
            self._attempt.cancel()


def number_of(error: OSError | None) -> int:
    """An error's number, 0 for none."""
    return 0 if error is None else error.errno or errno.EIO
