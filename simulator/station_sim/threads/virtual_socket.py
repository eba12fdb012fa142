"""One socket in virtual time: TCP through the world's network, blocking or not.

A virtual socket is a `socket.socket` to `isinstance` and holds an `End` once it is connected. What
a socket cannot be here (datagrams, TLS, another process's) is refused. How code comes to get one
is in `sockets.py`.
"""

import errno
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from station_sim.errors import VirtualTimeError
from station_sim.listeners import Address
from station_sim.threads.connecting import Connecting, number_of
from station_sim.threads.ends import Connected, End, Watched
from station_sim.threads.listening import BACKLOG_MAX, Listening

if TYPE_CHECKING:
    from station_sim.threads.sockets import Sockets

BUFFER_BYTES = 131_072
"""What a socket says that its buffers are."""


class VirtualSocket(socket.socket):
    """A TCP socket of the virtual network; see `socket` for what each method does."""

    current: ClassVar["Sockets"]
    """The sockets of the world that runs."""

    def __init__(
        self,
        family: int = -1,
        type: int = -1,  # noqa: A002  # the real one's name
        proto: int = -1,
        fileno: int | None = None,
    ) -> None:
        self.world = VirtualSocket.current
        if fileno is not None:
            _refuse("socket.socket(fileno=...)", "there are neither TLS nor inherited sockets")
        self._family = socket.AF_INET if family in (-1, 0) else family
        self._type = socket.SOCK_STREAM if type in (-1, 0) else type
        self._proto = max(proto, 0)
        if self._type & 0xF != socket.SOCK_STREAM:
            _refuse(f"socket.socket(type={self._type})", "the virtual network has streams only")
        self._timeout = socket.getdefaulttimeout()
        if self._type & getattr(socket, "SOCK_NONBLOCK", 0):
            self._timeout = 0.0
        self._io_refs = 0
        self._closed = False
        self._options: dict[tuple[int, int], Any] = {}
        self._watched = Watched()
        self._end: End | None = None
        self._connecting = Connecting(self.world, self.adopt, self._watched.changed)
        self._bound: Address | None = None
        self._listening: Listening | None = None
        self._descriptor = self.world.add(self)

    # -- what it is

    @property
    def family(self) -> Any:
        return _named_constant(socket.AddressFamily, self._family)

    @property
    def type(self) -> Any:
        return socket.SOCK_STREAM

    @property
    def proto(self) -> int:
        return self._proto

    @property
    def timeout(self) -> float | None:
        return self._timeout

    def fileno(self) -> int:
        return self._descriptor

    def __repr__(self) -> str:
        return f"<virtual socket {self._descriptor}{' [closed]' if self._closed else ''}>"

    def getsockname(self) -> Any:
        self._check_open()
        if isinstance(self._end, Connected):
            return self._end.transport.get_extra_info("sockname")
        if self._bound is not None:
            return self._bound.getsockname()
        return ("0.0.0.0", 0) if self._end is None else ""

    def getpeername(self) -> Any:
        end = self._connected()
        return end.transport.get_extra_info("peername") if isinstance(end, Connected) else ""

    # -- settings

    def settimeout(self, value: float | None) -> None:
        if value is not None and value < 0:
            raise ValueError("Timeout value out of range")
        self._timeout = None if value is None else float(value)

    def gettimeout(self) -> float | None:
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        self._timeout = None if flag else 0.0

    def getblocking(self) -> bool:
        return self._timeout != 0

    def setsockopt(self, level: int, optname: int, value: Any = None, *_length: int) -> None:
        self._check_open()
        self._options[level, optname] = value

    def getsockopt(self, level: int, optname: int, buflen: int = 0) -> Any:
        self._check_open()
        if level == socket.SOL_SOCKET and optname == socket.SO_ERROR:
            return self._take_error()
        if level == socket.SOL_SOCKET and optname == socket.SO_TYPE:
            return int(socket.SOCK_STREAM)
        default = BUFFER_BYTES if optname in (socket.SO_SNDBUF, socket.SO_RCVBUF) else 0
        return self._options.get((level, optname), default)

    def _take_error(self) -> int:
        error = self._connecting.take_error()
        if error is None and self._end is not None:
            error, self._end.error = self._end.error, None
        return number_of(error)

    # -- connecting

    def connect(self, address: Any) -> None:
        code = self._connect_begun(address)
        if code == errno.EINPROGRESS and self._timeout != 0:
            self._until(lambda: not self._connecting.is_under_way, "socket.socket.connect")
            code = self._connecting.outcome()
        if code:
            raise OSError(code, f"{os.strerror(code)}: {_told(address)}")

    def connect_ex(self, address: Any) -> int:
        try:
            self.connect(address)
        except OSError as error:
            if error.errno is None:
                return errno.EAGAIN  # it took too long
            return error.errno
        return 0

    def _connect_begun(self, address: Any) -> int:
        """Begin to connect, or say how it went: an error's number or 0."""
        self._check_open()
        if self._end is not None:
            return errno.EISCONN
        return self._connecting.begin(address[0], address[1])

    def adopt(self, end: End) -> None:
        """Be connected by this end."""
        self._end = end
        end.watch(self._watched.changed)

    # -- listening

    def bind(self, address: Any) -> None:
        self._check_open()
        if self._bound is not None:
            raise OSError(errno.EINVAL, "bound already")
        self._bound = self.world.network.address(address[0], int(address[1]))

    def listen(self, backlog: int = BACKLOG_MAX) -> None:
        self._check_open()
        if self._listening is None:
            if self._bound is None:
                self.bind(("", 0))
            assert self._bound is not None
            self._listening = Listening(
                self.world.network, self._bound, backlog, self._watched.changed
            )

    def accept(self) -> tuple[socket.socket, Any]:
        self._check_open()
        listening = self._listening
        if listening is None:
            raise OSError(errno.EINVAL, "listen first")
        self._until(lambda: listening.has_some, "socket.socket.accept")
        accepted = VirtualSocket(self._family, self._type, self._proto)
        accepted.adopt(listening.take())
        return accepted, accepted.getpeername()

    # -- reading

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        if bufsize < 0:
            raise ValueError("negative buffersize in recv")
        end = self._connected()
        waiting = self._timeout if not flags & getattr(socket, "MSG_DONTWAIT", 0) else 0.0
        if bufsize:
            self._until(lambda: end.is_readable, "socket.socket.recv", waiting)
        return end.take(bufsize, peek=bool(flags & socket.MSG_PEEK))

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        data = self.recv(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        return self.recv(bufsize, flags), None

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        return self.recv_into(buffer, nbytes, flags), None

    # -- writing

    def send(self, data: Any, flags: int = 0) -> int:
        with memoryview(data) as view:
            return self._send(bytes(view), "socket.socket.send")

    def sendall(self, data: Any, flags: int = 0) -> None:
        with memoryview(data) as view:
            self._send(bytes(view), "socket.socket.sendall")

    def sendmsg(self, buffers: Any, *ancillary: Any) -> int:
        if any(ancillary):
            _refuse("socket.socket.sendmsg(ancdata)", "sockets pass nothing but bytes")
        return self._send(b"".join(bytes(each) for each in buffers), "socket.socket.sendmsg")

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        return int(self._sendfile_use_send(file, offset, count))  # type: ignore[attr-defined]  # private

    def _send(self, data: bytes, what: str) -> int:
        """All of it goes at once when there is room for some: buffers are generous here."""
        end = self._connected()
        self._until(lambda: end.is_writable, what)
        if end.error is not None:
            error, end.error = end.error, None
            raise error
        if end.is_shut:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        if data:
            end.send(data)
        return len(data)

    # -- ending

    def shutdown(self, how: int) -> None:
        end = self._connected()
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            end.finish()
        if how in (socket.SHUT_WR, socket.SHUT_RDWR) and not end.is_shut:
            end.shut()

    def _real_close(self, *_socket_class: Any) -> None:
        if self._descriptor < 0:
            return
        self.world.discard(self._descriptor)
        self._descriptor = -1
        self._connecting.close()
        if self._end is not None:
            self._end.close()
        if self._listening is not None:
            self._listening.close()
        self._watched.changed()

    def detach(self) -> int:
        _refuse("socket.socket.detach", "a virtual descriptor is no use without its socket")

    def dup(self) -> "VirtualSocket":
        _refuse("socket.socket.dup", "a virtual socket is its only descriptor")

    def sendto(self, *_args: Any) -> int:
        _refuse("socket.socket.sendto", "the virtual network has streams only")

    def recvmsg(self, *_args: Any) -> Any:
        _refuse("socket.socket.recvmsg", "sockets pass nothing but bytes: use recv")

    # -- waiting

    def watch(self, tell: Callable[[], object]) -> None:
        """Have `tell` called at every change of what is ready."""
        self._watched.watch(tell)

    def unwatch(self, tell: Callable[[], object]) -> None:
        """No longer."""
        self._watched.unwatch(tell)

    @property
    def is_readable(self) -> bool:
        """Whether `recv` or `accept` would not wait."""
        if self._end is not None:
            return self._end.is_readable
        listening = self._listening
        return (listening is not None and listening.has_some) or self._connecting.has_failed

    @property
    def is_writable(self) -> bool:
        """Whether `send` would not wait, or a connection has been refused."""
        if self._end is not None:
            return self._end.is_writable
        return self._connecting.has_failed

    def _until(self, ready: Callable[[], bool], what: str, timeout_s: float | None = -1.0) -> None:
        """Wait until `ready()`, as long as this socket's timeout says.

        Raises: BlockingIOError when it may not wait; TimeoutError; OSError when closed meanwhile.
        """
        timeout_s = self._timeout if timeout_s == -1.0 else timeout_s
        scheduler = self.world.scheduler
        if ready():
            return
        if timeout_s == 0:
            scheduler.looked()
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        deadline = None if timeout_s is None else scheduler.loop.time() + timeout_s
        while not ready():
            left = None if deadline is None else deadline - scheduler.loop.time()
            if left is not None and left <= 0:
                raise TimeoutError("timed out")
            wait = scheduler.wait(what)
            self.watch(wait.wake)
            try:
                scheduler.suspend(wait, left)
            finally:
                self.unwatch(wait.wake)
            self._check_open()

    def _check_open(self) -> None:
        if self._descriptor < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def _connected(self) -> End:
        self._check_open()
        if self._end is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self._end


def _named_constant(kind: Any, value: int) -> Any:
    try:
        return kind(value)
    except ValueError:
        return value


def _told(address: Any) -> str:
    return f"{address[0]}:{address[1]}"


def _refuse(called: str, reason: str) -> NoReturn:
    raise VirtualTimeError(f"{called}: {reason}; connect to a named host of the virtual network")
