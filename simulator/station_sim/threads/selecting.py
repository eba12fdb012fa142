"""Waiting for several virtual sockets: `selectors`, `select.select` and `select.poll`.

What is ready is reported in the order in which it was registered. `select.epoll` itself is refused
(`station_sim.guards`); `selectors.EpollSelector` is a virtual selector as all others are.
"""

import functools
import select
import selectors
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from station_sim.seams import Seams
from station_sim.threads.scheduler import Scheduler
from station_sim.threads.sockets import Sockets
from station_sim.threads.virtual_socket import VirtualSocket
from station_sim.threads.virtual_thread import Wait

MS_PER_S = 1000

_READ, _WRITE = int(selectors.EVENT_READ), int(selectors.EVENT_WRITE)

KINDS = tuple(
    getattr(selectors, name)
    for name in (
        "SelectSelector",
        "PollSelector",
        "EpollSelector",
        "DevpollSelector",
        "KqueueSelector",
    )
    if hasattr(selectors, name)  # they differ between systems
)


class Waiting:
    """Waits until something of what is watched is ready."""

    def __init__(self, scheduler: Scheduler, what: str) -> None:
        self._scheduler = scheduler
        self._what = what
        self._wait: Wait | None = None

    def changed(self) -> None:
        """Something may have become ready: look again."""
        if self._wait is not None:
            self._wait.wake()

    def until(self, look: Callable[[], list[Any]], timeout_s: float | None) -> list[Any]:
        """What `look` finds, as soon as it finds something, or nothing after the time.

        A look that may not wait lets others run, so that time moves for code that looks again and
        again.
        """
        scheduler = self._scheduler
        found = look()
        if found:
            scheduler.looked()
            return found
        if timeout_s is not None and timeout_s <= 0:
            scheduler.give_way()
            scheduler.looked()
            return look()
        loop = scheduler.loop
        deadline = None if timeout_s is None else loop.now + timeout_s
        while not found:
            left = None if deadline is None else deadline - loop.now
            if left is not None and left <= 0:
                break
            self._wait = scheduler.wait(self._what)
            try:
                scheduler.suspend(self._wait, left)
            finally:
                self._wait = None
            found = look()
        return found


class VirtualSelector(selectors._BaseSelectorImpl):
    """A selector of virtual sockets; see `selectors`."""

    sockets: ClassVar[Sockets]

    def __init__(self) -> None:
        super(selectors._BaseSelectorImpl, self).__init__()
        self._fd_to_key: dict[int, selectors.SelectorKey] = {}
        self._map = selectors._SelectorMapping(self)  # type: ignore[attr-defined]  # private
        self._registered: dict[int, VirtualSocket] = {}
        self._waiting = Waiting(VirtualSelector.sockets.scheduler, "selectors.select")
        self._sockets = VirtualSelector.sockets

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors._BaseSelectorImpl.register(self, fileobj, events, data)
        try:
            sock = self._sockets.of(key.fd)
        except BaseException:
            del self._fd_to_key[key.fd]
            raise
        self._registered[key.fd] = sock
        sock.watch(self._waiting.changed)
        self._waiting.changed()
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = selectors._BaseSelectorImpl.unregister(self, fileobj)
        self._registered.pop(key.fd).unwatch(self._waiting.changed)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self.get_key(fileobj)._replace(events=_checked(events), data=data)
        self._fd_to_key[key.fd] = key
        self._waiting.changed()
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return self._waiting.until(self._ready, timeout)

    def _ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready, registered = [], self._registered
        for descriptor, key in self._fd_to_key.items():
            sock, events = registered[descriptor], key.events
            found = _READ if events & _READ and sock.is_readable else 0
            if events & _WRITE and sock.is_writable:
                found |= _WRITE
            if found:
                ready.append((key, found))
        return ready

    def close(self) -> None:
        for sock in self._registered.values():
            sock.unwatch(self._waiting.changed)
        self._registered.clear()
        selectors._BaseSelectorImpl.close(self)

    def fileno(self) -> int:
        return -1


def _checked(events: int) -> int:
    if not events or events & ~(selectors.EVENT_READ | selectors.EVENT_WRITE):
        raise ValueError(f"Invalid events: {events!r}")
    return events


class VirtualPoll:
    """A `select.poll` of virtual sockets."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._registered: dict[int, tuple[VirtualSocket, int]] = {}
        self._waiting = Waiting(sockets.scheduler, "select.poll")

    def register(self, fd: Any, eventmask: int = select.POLLIN | select.POLLOUT) -> None:
        """Look at a socket from now on."""
        sock = self._sockets.of(fd)
        self._registered[sock.fileno()] = sock, eventmask
        sock.watch(self._waiting.changed)

    def modify(self, fd: Any, eventmask: int) -> None:
        """Look at it for other events. Raises OSError unless registered."""
        descriptor = _descriptor(fd)
        if descriptor not in self._registered:
            raise FileNotFoundError(2, "No such file or directory")
        self._registered[descriptor] = self._registered[descriptor][0], eventmask

    def unregister(self, fd: Any) -> None:
        """Look at it no more. Raises KeyError unless registered."""
        self._registered.pop(_descriptor(fd))[0].unwatch(self._waiting.changed)

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """(descriptor, events) of what is ready; `timeout` in milliseconds, negative for ever."""
        for_ever = timeout is None or timeout < 0
        timeout_s = None if for_ever or timeout is None else timeout / MS_PER_S
        return self._waiting.until(self._ready, timeout_s)

    def _ready(self) -> list[tuple[int, int]]:
        found = [
            (descriptor, _events(sock, mask)) for descriptor, (sock, mask) in self._look().items()
        ]
        return [(descriptor, events) for descriptor, events in found if events]

    def _look(self) -> dict[int, tuple[VirtualSocket, int]]:
        return self._registered


def _descriptor(place: Any) -> int:
    return place if isinstance(place, int) else int(place.fileno())


def _events(sock: VirtualSocket, mask: int) -> int:
    if sock.fileno() < 0:
        return select.POLLNVAL
    found = mask & select.POLLIN if sock.is_readable else 0
    return found | (mask & select.POLLOUT if sock.is_writable else 0)


def replace_selecting(seams: Seams, sockets: Sockets) -> None:
    """Let every new selector be a virtual one until the world ends."""
    VirtualSelector.sockets = sockets
    for kind in KINDS:
        seams.replace(kind, "__new__", _make)
    seams.replace(select, "select", _select_of(sockets))
    if hasattr(select, "poll"):
        seams.replace(select, "poll", lambda: VirtualPoll(sockets))


def _make(kind: type, *_args: Any) -> Any:
    virtual = _virtual_kind(kind)
    return object.__new__(virtual)


@functools.cache
def _virtual_kind(kind: type) -> type:
    """A virtual selector that is a `kind` too."""
    return type(kind.__name__, (VirtualSelector, kind), {})


def _select_of(sockets: Sockets) -> Callable[..., tuple[list[Any], list[Any], list[Any]]]:
    def virtual_select(
        rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any], timeout: Any = None, /
    ) -> tuple[list[Any], list[Any], list[Any]]:
        if timeout is not None and timeout < 0:
            raise ValueError("timeout must be non-negative")
        readers = [(each, sockets.of(each)) for each in rlist]
        writers = [(each, sockets.of(each)) for each in wlist]
        waiting = Waiting(sockets.scheduler, "select.select")

        def look() -> list[tuple[list[Any], list[Any]]]:
            readable = [each for each, sock in readers if sock.is_readable]
            writable = [each for each, sock in writers if sock.is_writable]
            return [(readable, writable)] if readable or writable else []

        watched = [sock for _each, sock in (*readers, *writers)]
        for sock in watched:
            sock.watch(waiting.changed)
        try:
            for readable, writable in waiting.until(look, timeout):
                return readable, writable, []
            return [], [], []
        finally:
            for sock in watched:
                sock.unwatch(waiting.changed)

    return virtual_select
