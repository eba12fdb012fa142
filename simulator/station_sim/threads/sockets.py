"""All sockets of a world, and how code that asks for a `socket.socket` gets a virtual one.

What such a socket does is in `virtual_socket.py`; names and `select` are in `names.py` and
`selecting.py`.
"""

import socket
from typing import Any

from station_sim.errors import VirtualTimeError
from station_sim.network import Network
from station_sim.seams import Seams
from station_sim.threads.ends import paired
from station_sim.threads.scheduler import Scheduler
from station_sim.threads.virtual_socket import VirtualSocket

FIRST_DESCRIPTOR = 1 << 20
"""Virtual descriptors count from here, beyond those of the operating system."""


class Sockets:
    """All virtual sockets of one world, by descriptor."""

    def __init__(self, scheduler: Scheduler, network: Network) -> None:
        self.scheduler = scheduler
        self.network = network
        self._open: dict[int, VirtualSocket] = {}
        self._next = FIRST_DESCRIPTOR

    def add(self, sock: "VirtualSocket") -> int:
        """Give a socket its descriptor."""
        self._next += 1
        self._open[self._next] = sock
        return self._next

    def discard(self, descriptor: int) -> None:
        """It is closed."""
        self._open.pop(descriptor, None)

    def of(self, place: Any) -> "VirtualSocket":
        """The socket of a descriptor, or of something with a `fileno`.

        Raises: VirtualTimeError for what is none of this world's.
        """
        descriptor = place if isinstance(place, int) else place.fileno()
        found = self._open.get(descriptor)
        if found is None:
            if descriptor < 0:
                raise ValueError(f"Invalid file descriptor: {descriptor}")
            raise VirtualTimeError(
                f"select: {place!r} is no socket of this world: files and real sockets live in "
                "real time"
            )
        return found


def replace_sockets(seams: Seams, sockets: Sockets) -> None:
    """Let every new socket be a virtual one until the world ends."""
    VirtualSocket.current = sockets
    seams.replace(socket.socket, "__new__", _make)
    seams.replace(socket, "socketpair", _socketpair)


def _make(kind: Any, *_args: Any, **_options: Any) -> Any:
    virtual = kind if issubclass(kind, VirtualSocket) else _virtual_child(kind)
    return _NEW(virtual)


_NEW: Any = socket.socket.__new__
"""Makes a bare object; what makes it a socket is its `__init__`."""

_children: dict[Any, Any] = {socket.socket: VirtualSocket}


def _virtual_child(kind: Any) -> Any:
    """A subclass of `socket.socket`, made virtual."""
    if kind not in _children:
        _children[kind] = type(kind.__name__, (kind, VirtualSocket), {})
    return _children[kind]


def _socketpair(
    family: int | None = None, kind: int = socket.SOCK_STREAM, proto: int = 0
) -> tuple[socket.socket, socket.socket]:
    if family is None:
        family = getattr(socket, "AF_UNIX", socket.AF_INET)
    pair = VirtualSocket(family, kind, proto), VirtualSocket(family, kind, proto)
    for sock, end in zip(pair, paired(), strict=True):
        sock.adopt(end)
    return pair
