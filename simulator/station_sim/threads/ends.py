"""What a virtual socket holds: one end of a connection, or of a pair, with the bytes that came.

Here live the bytes, the end of the stream and its errors, and who wants to be told of a change.
What users call is in `sockets.py`; the network's side of it is `station_sim.wire.Transport`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

RECEIVE_BUFFER_BYTES = 1024 * 1024
"""Beyond this an end reads nothing more from its connection until somebody takes some."""

PAIR_BUFFER_BYTES = 212_992
"""What one end of a pair may have sent without the other's reading it (Linux's default)."""


class Watched:
    """Something whose changes wake those who wait for it."""

    def __init__(self) -> None:
        self._watchers: dict[Callable[[], object], None] = {}

    def watch(self, tell: Callable[[], object]) -> None:
        """Have `tell` called at every change."""
        self._watchers[tell] = None

    def unwatch(self, tell: Callable[[], object]) -> None:
        """No longer; unknown ones are ignored."""
        self._watchers.pop(tell, None)

    def changed(self) -> None:
        """Tell everybody, first come, first told."""
        if self._watchers:
            for tell in list(self._watchers):
                tell()


class End(Watched):
    """One end of a stream: what came, and whether more can go."""

    def __init__(self) -> None:
        super().__init__()
        self.received = bytearray()
        self.at_end = False
        self.error: OSError | None = None
        self.is_shut = False
        """No more may be sent from here."""

    @property
    def is_readable(self) -> bool:
        """Whether reading would not wait."""
        return bool(self.received) or self.at_end or self.error is not None

    @property
    def is_writable(self) -> bool:
        """Whether writing would not wait."""
        return self.is_shut or self.error is not None or self.has_room

    @property
    def has_room(self) -> bool:
        """Whether the way is free for more."""
        raise NotImplementedError

    def take(self, size: int, *, peek: bool = False) -> bytes:
        """At most `size` bytes of what came; b"" at the end. Raises what broke the connection."""
        if self.error is not None:
            error, self.error, self.at_end = self.error, None, True
            self.received.clear()
            raise error
        data = bytes(self.received[:size])
        if not peek:
            del self.received[:size]
            self.taken()
        return data

    def put(self, data: bytes) -> None:
        """What came from the other side."""
        self.received += data
        self.changed()

    def finish(self) -> None:
        """Nothing more will come."""
        self.at_end = True
        self.changed()

    def taken(self) -> None:
        """Somebody read."""

    def send(self, data: bytes) -> None:
        """Put bytes under way."""
        raise NotImplementedError

    def shut(self) -> None:
        """Send no more."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the connection up."""
        raise NotImplementedError


class Writing(Protocol):
    """What an end needs of its transport (`station_sim.wire.Transport`)."""

    def write(self, data: bytes) -> None: ...
    def write_eof(self) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def get_extra_info(self, name: str) -> Any: ...


class Connected(End, asyncio.Protocol):
    """The end of a connection of the network."""

    transport: Writing

    def __init__(self) -> None:
        super().__init__()
        self._is_full = False
        self._is_paused = False
        self._is_lost = False

    # -- asyncio's protocol

    def connection_made(self, transport: Any) -> None:
        """Called by the network."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by the network."""
        self.put(data)
        if len(self.received) > RECEIVE_BUFFER_BYTES and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """The other side sends no more; this one may."""
        self.finish()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the network."""
        self._is_lost = self.is_shut = True
        self.error = error if isinstance(error, OSError) else None
        self.finish()

    def pause_writing(self) -> None:
        """Enough is under way."""
        self._is_full = True

    def resume_writing(self) -> None:
        """There is room again."""
        self._is_full = False
        self.changed()

    # -- the socket's side

    @property
    def has_room(self) -> bool:
        return not self._is_full

    def taken(self) -> None:
        if self._is_paused and len(self.received) <= RECEIVE_BUFFER_BYTES // 2:
            self._is_paused = False
            self.transport.resume_reading()

    def send(self, data: bytes) -> None:
        self.transport.write(data)

    def shut(self) -> None:
        self.is_shut = True
        if not self._is_lost:
            self.transport.write_eof()
        self.changed()

    def close(self) -> None:
        """As a kernel does: what was sent arrives, but unread bytes mean a reset."""
        self.is_shut = True
        if self.received:
            self.transport.abort()
        else:
            self.transport.close()


class Paired(End):
    """One end of `socket.socketpair`: its bytes arrive at once."""

    peer: "Paired"

    @property
    def has_room(self) -> bool:
        return len(self.peer.received) < PAIR_BUFFER_BYTES

    def taken(self) -> None:
        self.peer.changed()

    def send(self, data: bytes) -> None:
        self.peer.put(data)

    def shut(self) -> None:
        self.is_shut = True
        self.peer.finish()

    def close(self) -> None:
        self.peer.is_shut = True
        self.shut()


def paired() -> tuple[Paired, Paired]:
    """Two ends that read what the other sends."""
    one, other = Paired(), Paired()
    one.peer, other.peer = other, one
    return one, other
