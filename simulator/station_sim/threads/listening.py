"""The listening side of a virtual socket: connections that wait to be accepted."""

import errno
from collections import deque
from collections.abc import Callable
from typing import Any

from station_sim.listeners import Address
from station_sim.network import Network
from station_sim.threads.ends import Connected

BACKLOG_MAX = 128
"""So many connections wait to be accepted at most; more are reset."""


class Listening:
    """Listens at an address; `changed` is called when a connection has come."""

    def __init__(
        self, network: Network, bound: Address, backlog: int, changed: Callable[[], object]
    ) -> None:
        self._limit = min(max(backlog, 1), BACKLOG_MAX)
        self._changed = changed
        self._waiting: deque[Connected] = deque()
        self._server = network.listen(self._make, bound.host, bound.port)

    def _make(self) -> Connected:
        if len(self._waiting) >= self._limit:
            raise ConnectionResetError(errno.ECONNRESET, "the backlog is full")
        return _Incoming(self._arrived)

    def _arrived(self, end: Connected) -> None:
        self._waiting.append(end)
        self._changed()

    @property
    def has_some(self) -> bool:
        """Whether `take` would not wait."""
        return bool(self._waiting)

    def take(self) -> Connected:
        """The connection that has waited longest. Raises: IndexError without one."""
        return self._waiting.popleft()

    def close(self) -> None:
        """Listen no more, and give up what was not accepted."""
        self._server.close()
        for end in self._waiting:
            end.close()


class _Incoming(Connected):
    """An end that has yet to be accepted: it says when it is connected."""

    def __init__(self, arrived: Callable[[Connected], None]) -> None:
        super().__init__()
        self._arrived = arrived

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._arrived(self)
