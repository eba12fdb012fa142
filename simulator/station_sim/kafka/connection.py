"""One client connection: bytes in, frames in order, one request at a time, bytes out.

Bounds live here: how large a frame may be, how much is read ahead while a request waits, how long
nothing may be said. A frame that is no request, and a bug in a handler, close this connection and
no other.
"""

import asyncio
import logging
from collections.abc import Awaitable
from struct import Struct
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from station_sim.kafka.dispatch import BadRequestError, Call, perform, read_call, read_token
from station_sim.kafka.group_timers import Deadline, RunningLoop
from station_sim.kafka.outbox import Frame, Outbox
from station_sim.kafka.sasl.authentication import Authentication, Stage

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster
    from station_sim.kafka.node import Node

logger = logging.getLogger(__name__)

READ_AHEAD_BYTES = 1 << 20
"""What may lie unread behind a request that waits; beyond, the transport is paused.

So a connection holds no more than a frame that is not all there yet (`socket.request.max.bytes`) or
this and a read beyond it, and one answer (about `fetch.max.bytes`) behind 64 KiB unsent.
"""

_LENGTH = Struct(">i")


class Connection(asyncio.Protocol):
    """The broker's end of a connection."""

    def __init__(self, node: "Node") -> None:
        self._node = node
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._call: Call | None = None
        self._outbox: Outbox | None = None
        self._kept_back: list[Frame] = []
        self._waiting: asyncio.Future[Any] | None = None
        self._reading = True
        self._muted: asyncio.TimerHandle | None = None
        self._idle = Deadline(RunningLoop(), self._idle_too_long)
        self.client_host = ""
        self.client_port: int | None = None
        self.authentication = _authentication(node.cluster)
        self.lost = asyncio.Event()

    @property
    def held_bytes(self) -> int:
        """Bytes that wait here: of requests not yet handled, of answers not yet read."""
        unsent = 0 if self._transport is None else self._transport.get_write_buffer_size()
        return len(self._buffer) + sum(map(len, self._kept_back)) + unsent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._outbox = Outbox(transport)
        peer = transport.get_extra_info("peername")
        self.client_host = f"/{peer[0]}" if isinstance(peer, tuple) else f"/{peer or ''}"
        if isinstance(peer, tuple):
            self.client_port = peer[1]
        self._node.connections[self] = None
        self._node.cluster.tally.connections += 1
        self._is_active()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: nothing of it goes on."""
        self._transport = self._outbox = None
        self._idle.clear()
        self._node.connections.pop(self, None)
        self._buffer.clear()
        if self._muted is not None:
            self._muted.cancel()
        if self._waiting is not None:
            self._waiting.cancel()
        self.lost.set()

    @property
    def client_id(self) -> str | None:
        """What the client called itself in its latest request."""
        return None if self._call is None else self._call.context.client_id

    def data_received(self, data: bytes) -> None:
        """Take bytes; handle the requests they complete."""
        self._is_active()
        self._buffer += data
        if self._may_handle():
            self._handle_frames()
        elif len(self._buffer) > READ_AHEAD_BYTES and self._reading and self._transport:
            self._reading = False
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """The client does not read its answers: take no further request."""
        if self._outbox is not None:
            self._outbox.pause()

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._outbox is not None:
            self._outbox.resume()
        if self._may_handle():
            self._handle_frames()

    def resume(self) -> None:
        """The node goes on after a pause: send what was kept back, take what came meanwhile."""
        kept_back, self._kept_back = self._kept_back, []
        for frame in kept_back:
            if self._outbox is not None:
                self._outbox.send(frame)
        if self._may_handle():
            self._handle_frames()

    def mute(self, duration_s: float) -> None:
        """Handle no further request for so long: what throttling does to a connection."""
        if self._transport is not None:
            loop = asyncio.get_running_loop()
            self._muted = loop.call_later(duration_s, self._unmute)

    def _is_active(self) -> None:
        """Bytes went in or out: however long a request waits for its answer, it is none."""
        max_idle_ms = self._node.cluster.settings.connections_max_idle_ms
        if max_idle_ms >= 0:
            self._idle.set(max_idle_ms)

    def _idle_too_long(self) -> None:
        if self._node.is_paused:
            self._is_active()
        else:
            self.close()

    def _unmute(self) -> None:
        self._muted = None
        if self._may_handle():
            self._handle_frames()

    def close(self) -> None:
        """Send what is written, then close."""
        if self._transport is not None and self._outbox is not None:
            self._outbox.flush()
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _handle_frames(self) -> None:
        while self._may_handle() and self._is_open():
            frame = self._next_frame()
            if frame is None:
                break
            self._handle(frame)
        if not self._reading and self._may_handle() and self._transport and self._is_open():
            self._reading = True
            self._transport.resume_reading()

    def _may_handle(self) -> bool:
        return (
            self._waiting is None
            and self._outbox is not None
            and self._outbox.is_clear
            and self._muted is None
            and not self._node.is_paused
        )

    def _is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def _next_frame(self) -> bytes | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (size,) = _LENGTH.unpack_from(self._buffer)
        if not 0 <= size <= self._frame_bytes_max():
            self._refuse(f"a frame of {size} bytes")
            return None
        end = _LENGTH.size + size
        if len(self._buffer) < end:
            return None
        frame = bytes(memoryview(self._buffer)[_LENGTH.size : end])
        del self._buffer[:end]
        return frame

    def _frame_bytes_max(self) -> int:
        settings = self._node.cluster.settings
        if self.authentication is not None and self.authentication.stage is not Stage.DONE:
            return settings.sasl_server_max_receive_size
        return settings.socket_request_max_bytes

    def _handle(self, frame: bytes) -> None:
        expected = self.authentication
        is_token = expected is not None and expected.expects_raw_token
        read = read_token if is_token else read_call
        try:
            call = read(frame, node=self._node, client_host=self.client_host, connection=self)
        except BadRequestError as error:
            self._refuse(str(error))
            return
        self._call = call
        if logger.isEnabledFor(logging.DEBUG):
            context = call.context
            logger.debug("%s asks %s %d", context.client_id, call.kind.name, context.version)
        node = self._node
        try:
            answer = _perform_slowly(node, call) if node.delay_s else perform(node.cluster, call)
            if isinstance(answer, CoroutineType):
                answer = asyncio.get_running_loop().create_task(answer)
            if isinstance(answer, asyncio.Future):
                self._waiting = answer
                answer.add_done_callback(self._answered)
            else:
                self._write(call, answer)
        except Exception:
            self._failed(call)

    def _answered(self, answer: "asyncio.Future[Any]") -> None:
        call = self._call
        assert call is not None
        self._waiting = None
        if answer.cancelled():
            self.abort()
            return
        try:
            self._write(call, answer.result())
        except Exception:
            self._failed(call)
        if not self._node.is_paused:
            self._handle_frames()

    def _write(self, call: Call, response: Any) -> None:
        if response is not None and self._outbox is not None:
            self._is_active()
            frame = call.answer_with(response)
            if self._node.is_paused:
                self._kept_back.append(frame)
            else:
                self._outbox.send(frame)
        if self.authentication is not None and self.authentication.stage is Stage.FAILED:
            self.close()

    def _failed(self, call: Call) -> None:
        logger.exception(
            "the broker failed at %s version %s of client %s; its connection is closed",
            call.kind.name,
            call.context.version,
            call.context.client_id,
        )
        self.abort()

    def _refuse(self, what: str) -> None:
        logger.warning("connection of %s closed: %s", self.client_host, what)
        self._buffer.clear()
        self.abort()


def _authentication(cluster: "Cluster") -> Authentication | None:
    """What a new connection has to go through; None where everybody is welcome."""
    if not cluster.users:
        return None
    return Authentication(cluster.users, cluster.settings, now_ms=cluster.now_ms)


async def _perform_slowly(node: "Node", call: Call) -> Any:
    await asyncio.sleep(node.delay_s)
    answer = perform(node.cluster, call)
    return await answer if isinstance(answer, Awaitable) else answer
