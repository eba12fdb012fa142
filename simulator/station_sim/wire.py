"""One connection of the virtual network: a `Wire` for each direction and a `Transport` at each end.

A wire keeps the order of what is sent through it and draws a delay for each message from a stream
of its own; a transport is what asyncio's protocols write to. Rules (partition, hold) are the
network's; a wire asks.
"""

import asyncio
import errno
import random
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, Protocol

from station_sim.links import Link

HIGH_WATER_BYTES = 4 * 1024 * 1024
"""A writer is told to pause beyond this: about what the buffers of two kernels hold of a stream."""

RETRANSMIT_MAX_S = 1.0
"""After a partition is repaired, TCP's retransmission timer decides when bytes flow again."""

_END = b""
"""What travels in place of bytes when no more will come."""


class _Reset:
    """What travels when the writer has gone without a farewell; nothing comes after it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __len__(self) -> int:
        return 0


_Message = bytes | _Reset


class Rules(Protocol):
    """What a wire needs of its network."""

    def link(self, source: str, target: str) -> Link:
        """What the way between two hosts is like now."""
        ...

    def rng(self, wire_name: str) -> random.Random:
        """The stream of delays of one wire."""
        ...

    def is_blocked(self, source: str, target: str) -> bool:
        """True while a rule stops messages on this way."""
        ...

    def forget(self, key: int) -> None:
        """Both ends of connection `key` have closed."""
        ...


class Wire:
    """One direction of one connection: messages in order, each with its delay."""

    def __init__(self, rules: Rules, name: str, source: str, target: str, key: int) -> None:
        self.rules = rules
        self.name = name
        self.source = source
        self.target = target
        self.key = key
        self.bytes_under_way = 0
        self._rng = rules.rng(name)
        self._sent_at = 0.0
        self._last_at = 0.0
        self._stopped: deque[_Message] = deque()
        self._receiver: Transport | None = None

    def lead_to(self, receiver: "Transport") -> None:
        """Say who gets what is sent."""
        self._receiver = receiver

    def send(self, data: _Message) -> None:
        """Put a message under way; an empty one says that no more will come."""
        self.bytes_under_way += len(data)
        if self._stopped or self.rules.is_blocked(self.source, self.target):
            self._stopped.append(data)
        else:
            self._deliver(data, self._sending_s(data))

    def _sending_s(self, data: _Message) -> float:
        """How long a message is under way, the time included until the link is free for it."""
        assert self._receiver is not None, "a wire leads to a transport before it is used"
        link = self.rules.link(self.source, self.target)
        delay_s = link.latency.draw_s(self._rng)
        if link.bytes_per_s is None:
            return delay_s
        now_s = self._receiver.loop.time()
        self._sent_at = max(self._sent_at, now_s) + link.sending_s(len(data))
        return self._sent_at - now_s + delay_s

    def resume(self, *, retransmit: bool) -> None:
        """The way is free again: what was stopped goes on, in order."""
        delay_s = self._rng.random() * RETRANSMIT_MAX_S if retransmit else 0.0
        while self._stopped:
            self._deliver(self._stopped.popleft(), delay_s)

    def _deliver(self, data: _Message, delay_s: float) -> None:
        assert self._receiver is not None, "a wire leads to a transport before it is used"
        receiver = self._receiver
        arrives_at = receiver.loop.time() + delay_s
        if arrives_at > self._last_at:
            self._last_at = arrives_at
        receiver.loop.call_at(self._last_at, receiver.arrived, data, context=receiver.context)

    def taken(self, size_bytes: int) -> None:
        """The receiver took bytes over: there is room for more."""
        assert self._receiver is not None
        self.bytes_under_way -= size_bytes
        self._receiver.peer.drained()


class Transport(asyncio.Transport):
    """One end of a connection."""

    peer: "Transport"

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        wire: Wire,
        context: Context,
        local: tuple[str, int],
        remote: tuple[str, int],
    ) -> None:
        super().__init__({"sockname": local, "peername": remote})
        self.loop = loop
        self.wire = wire
        self.context = context
        self._protocol: Any = None
        self._closing = False
        self._ended_writing = False
        self._lost = False
        self._reading = True
        self._unread: deque[_Message] = deque()
        self._is_silent = False
        self._writer_paused = False
        self._high_water = HIGH_WATER_BYTES
        self._low_water = HIGH_WATER_BYTES // 4

    def face(self, peer: "Transport") -> None:
        """Join two ends: what one writes, the other reads."""
        self.peer, peer.peer = peer, self
        self.wire.lead_to(peer)
        peer.wire.lead_to(self)

    def begin(self, factory: Callable[[], Any]) -> Any:
        """Make the protocol and tell it that it is connected; returns the protocol."""
        self._protocol = self.context.run(factory)
        self.context.run(self._protocol.connection_made, self)
        return self._protocol

    def accept(self, factory: Callable[[], Any]) -> None:
        """`begin` at the side that listens; of its trouble the other side sees a reset."""
        self._protocol = asyncio.Protocol()
        try:
            self.begin(factory)
        except Exception as error:
            self._fail(error)

    # -- writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; ignored once closing, as a closed socket's transport does."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data must be bytes-like, got {type(data).__name__}")
        if self._ended_writing and not self._closing:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing or not data:
            return
        self.wire.send(bytes(data))
        self._pause_if_full()

    def _pause_if_full(self) -> None:
        if self.wire.bytes_under_way > self._high_water and not self._writer_paused:
            self._writer_paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Any) -> None:
        """Send all as one message."""
        self.write(b"".join(list_of_data))

    def drained(self) -> None:
        """Something that was sent from here was taken."""
        if self._writer_paused and self.wire.bytes_under_way <= self._low_water:
            self._writer_paused = False
            if not self._lost:
                self.context.run(self._protocol.resume_writing)

    def get_write_buffer_size(self) -> int:
        """Bytes under way, or kept by a reader that is paused."""
        return self.wire.bytes_under_way

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """(low, high)"""
        return (self._low_water, self._high_water)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Pause the writer beyond `high` bytes under way, resume it at `low`.

        Raises: ValueError unless 0 <= low <= high.
        """
        if high is None:
            high = HIGH_WATER_BYTES if low is None else 4 * low
        if low is None:
            low = high // 4
        if not 0 <= low <= high:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high_water, self._low_water = high, low
        self._pause_if_full()

    def can_write_eof(self) -> bool:
        """A connection may be closed one way."""
        return True

    def write_eof(self) -> None:
        """Say that no more will come; what comes back is still read."""
        if not self._ended_writing and not self._closing:
            self._ended_writing = True
            self.wire.send(_END)

    # -- reading

    def arrived(self, data: _Message) -> None:
        """Hand over what came, or keep it while reading is paused."""
        if self._is_silent:
            return
        if isinstance(data, _Reset):
            self.break_off(ConnectionResetError(errno.ECONNRESET, data.text))
        elif self._lost or self._closing:
            self._refuse(data)
        elif self._unread or not self._reading:
            self._unread.append(data)
        else:
            self._hand_over(data)

    def _refuse(self, data: bytes) -> None:
        """Bytes for an end that has closed: they are lost, and who sent them is told so."""
        if data:
            self.wire.send(_Reset(f"{self.wire.name}: the other end has closed"))

    def _hand_over(self, data: _Message) -> None:
        assert isinstance(data, bytes), "a reset is heard at once"
        self.peer.wire.taken(len(data))
        try:
            if data:
                self._receive(data)
            elif not self._protocol.eof_received():
                self.close()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fail(error)

    def _receive(self, data: bytes) -> None:
        if not isinstance(self._protocol, asyncio.BufferedProtocol):
            self._protocol.data_received(data)
            return
        while data and not self._closing:
            buffer = memoryview(self._protocol.get_buffer(len(data)))
            size = min(len(buffer), len(data))
            if not size:
                raise RuntimeError("get_buffer() returned an empty buffer")
            buffer[:size] = data[:size]
            self._protocol.buffer_updated(size)
            data = data[size:]

    def _fail(self, error: BaseException) -> None:
        """A protocol that raises loses its connection, as with asyncio's own transports."""
        self.loop.call_exception_handler(
            {
                "message": f"the protocol of {self.wire.name} failed at what it received",
                "exception": error,
                "transport": self,
                "protocol": self._protocol,
            }
        )
        self.abort()

    def pause_reading(self) -> None:
        """Keep what comes until `resume_reading`."""
        self._reading = False

    def resume_reading(self) -> None:
        """Hand over what was kept, in order."""
        self._reading = True
        self.loop.call_soon(self._read_kept, context=self.context)

    def _read_kept(self) -> None:
        while self._unread and self._reading and not self._closing:
            self._hand_over(self._unread.popleft())

    def is_reading(self) -> bool:
        """True unless paused or closing."""
        return self._reading and not self._closing

    # -- ending

    def close(self) -> None:
        """Send what was written, then end; the protocol hears `connection_lost(None)`."""
        if self._closing:
            return
        self._closing = True
        if any(self._unread):  # as a socket that is closed before all was read
            self.wire.send(_Reset(f"{self.wire.name}: closed with unread data"))
        elif not self._ended_writing:
            self.wire.send(_END)
        self.loop.call_soon(self._lose, None, context=self.context)

    def abort(self) -> None:
        """End at once; the other end sees a reset when it arrives."""
        if not self._lost:
            self.wire.send(_Reset(f"{self.wire.name}: reset by peer"))
        self.break_off(None)

    def break_off(self, error: Exception | None) -> None:
        """The connection is gone; the protocol hears `connection_lost(error)` soon."""
        if not self._lost:
            self._closing = True
            self.loop.call_soon(self._lose, error, context=self.context)

    def _lose(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = True
        self.peer.wire.taken(sum(map(len, self._unread)))
        self._unread.clear()
        try:
            self._protocol.connection_lost(error)
        finally:
            if self.peer.is_lost:
                self.wire.rules.forget(self.wire.key)

    def die(self, *, silently: bool) -> None:
        """The host of this end has crashed: its program hears and says nothing any more.

        The other end sees a reset when it arrives; if `silently`, only once `wake_host` was called.
        """
        if self._lost:
            return
        self._lost = self._closing = True
        self._unread.clear()
        self.context = Context()  # what arrives is answered by the host, no more by the program
        self._is_silent = silently
        if not silently:
            self.wire.send(_Reset(f"{self.wire.name}: its host {self.wire.source} has crashed"))
        if self.peer.is_lost:
            self.wire.rules.forget(self.wire.key)

    def wake_host(self) -> None:
        """The host of this dead end is back, and knows nothing of a connection: what it was sent
        meanwhile, and what comes, is answered with a reset."""
        if self._is_silent:
            self._is_silent = False
            self._refuse(b"lost" if self.peer.wire.bytes_under_way else b"")

    def is_closing(self) -> bool:
        """True from the first close on."""
        return self._closing

    @property
    def is_lost(self) -> bool:
        """True once the protocol has heard `connection_lost`."""
        return self._lost

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection to another protocol."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that hears from this connection."""
        return self._protocol  # type: ignore[no-any-return]  # whatever was given
