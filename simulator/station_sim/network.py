"""An in-memory network between named hosts, in virtual time.

Here live connections and the rules that act on them: slow links, partition (one-way too), hold,
loss of connections. Bytes arrive in the order in which they were sent, whatever the rules. Hosts
that crash and come back are in `hosts.py`, what a link is like in `links.py`.

Rules come in pairs (`partition`/`repair`, `hold`/`release`, `slow_down`/`restore`) and as context
managers (`partitioned`, `held`, `slowed`). A partition behaves as TCP does: nothing is lost inside
a connection, it arrives after the repair and a retransmission's delay; new connections find no
answer meanwhile. Held bytes arrive at once when released.
"""

import asyncio
import contextvars
import errno
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from station_sim.hosts import Hosts, Program
from station_sim.links import Latency, Link, Links
from station_sim.listeners import Address, Server
from station_sim.wire import Transport, Wire

FIRST_FREE_PORT = 49152
"""Where the ports begin that port 0 asks for (RFC 6335's dynamic ports)."""

LAST_FREE_PORT = 65535

_LOOPBACK = {"127.0.0.1": "localhost", "::1": "localhost", "0.0.0.0": "localhost"}

_ALL_INTERFACES = (None, "", "0.0.0.0", "::")


class Network:
    """All connections of one world. Hosts are names; they exist as soon as they are named."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self.loop = loop
        self.hosts = Hosts(loop, self)
        self._seed = seed
        self._servers: dict[tuple[str, int], Server] = {}
        self._connections: dict[int, tuple[Transport, Transport]] = {}
        self._wires: dict[tuple[str, str], dict[int, Wire]] = {}
        self._numbers: dict[tuple[str, str, int], int] = {}
        self._ids = itertools.count()
        self._ports = itertools.count(FIRST_FREE_PORT)
        self._blocked: dict[tuple[str, str], str] = {}
        self._waiting: dict[tuple[str, str], list[asyncio.Future[None]]] = {}
        self._links = Links()

    @property
    def latency(self) -> Latency:
        """The latency of every link that was not slowed down."""
        return self._links.usual.latency

    @latency.setter
    def latency(self, latency: Latency) -> None:
        self._links.usual = Link(latency, self._links.usual.bytes_per_s)

    # -- hosts, listening, connecting

    def host(self, name: str) -> AbstractContextManager[None]:
        """What is started inside, runs on host `name` and opens its connections from there.

        Raises: ValueError while the host is down after a crash.
        """
        return self.hosts.entered(_named(name))

    def start(self, host: str, program: Program) -> "asyncio.Task[Any]":
        """Run `program()` as a task on a host; `bounce` runs it again."""
        return self.hosts.start(_named(host), program)

    def crash(self, host: str, *, silently: bool = False) -> None:
        """End all that runs on a host at this instant, as `kill -9` does; see `Hosts.crash`."""
        self.hosts.crash(_named(host), silently=silently)

    def bounce(self, host: str) -> "asyncio.Task[Any] | None":
        """Bring a crashed host back; returns the task of the program that `start` had been given.

        Raises: ValueError if it has not crashed.
        """
        task = self.hosts.bounce(_named(host))
        for way in [way for way in self._waiting if way[1] == _named(host)]:
            self._let_pass(way)
        return task

    @contextmanager
    def crashed(self, host: str, *, silently: bool = False) -> Iterator[None]:
        """A host that is down for as long as the block runs."""
        self.crash(host, silently=silently)
        try:
            yield
        finally:
            self.bounce(host)

    def listen(self, factory: Callable[[], Any], host: str | None, port: int) -> Server:
        """Accept connections at `host`, or (None, 0.0.0.0) at the host on whose behalf this runs.

        Port 0 takes a free one. Raises: OSError if the port is taken.
        """
        address = self.address(host, port)
        server = Server(self, factory, address)
        self._servers[address.host, address.port] = server
        return server

    def address(self, host: str | None, port: int) -> Address:
        """Where one would listen who asks to do so there; as `listen`."""
        here = self.hosts.current()
        name = here if host in _ALL_INTERFACES or host is None else _named(host)
        address = Address(name, port or next(self._ports))
        if (address.host, address.port) in self._servers:
            raise OSError(errno.EADDRINUSE, f"port {port} of virtual host {name} is in use")
        return address

    def stop_listening(self, server: Server) -> None:
        """Called by the server that closes."""
        address = server.sockets[0]
        self._servers.pop((address.host, address.port), None)

    async def connect(
        self, factory: Callable[[], Any], host: str, port: int
    ) -> tuple[Transport, Any]:
        """Connect from the current host. Raises ConnectionRefusedError if nobody listens."""
        here, there = self.hosts.current(), _named(host)
        number = self._number(here, there, port)
        rng = random.Random(f"{self._seed}/{here}>{there}:{port}#{number}/connect")
        await self._pass(here, there, rng)
        server = self._servers.get((there, port))
        if server is not None:
            await self._pass(there, here, rng)
            server = self._servers.get((there, port))
        if server is None:
            raise ConnectionRefusedError(
                errno.ECONNREFUSED, f"nobody listens at virtual {host}:{port}"
            )
        return self._establish(factory, server, here, there, port, number)

    def _establish(
        self,
        factory: Callable[[], Any],
        server: Server,
        here: str,
        there: str,
        port: int,
        number: int,
    ) -> tuple[Transport, Any]:
        key = next(self._ids)
        name = f"{here}>{there}:{port}#{number}"
        local = (here, FIRST_FREE_PORT + number % (LAST_FREE_PORT - FIRST_FREE_PORT + 1))
        wires = Wire(self, name, here, there, key), Wire(self, f"{name}/back", there, here, key)
        near = Transport(self.loop, wires[0], contextvars.copy_context(), local, (there, port))
        far = Transport(self.loop, wires[1], server.context, (there, port), local)
        near.face(far)
        self._connections[key] = (near, far)
        for wire in wires:
            self._wires.setdefault((wire.source, wire.target), {})[key] = wire
        far.accept(server.factory)
        return near, near.begin(factory)

    def forget(self, key: int) -> None:
        """Called when both ends of a connection have closed."""
        near, far = self._connections.pop(key)
        for wire in (near.wire, far.wire):
            self._wires[wire.source, wire.target].pop(key, None)

    def _number(self, here: str, there: str, port: int) -> int:
        """The how-manieth connection this is from `here` to `there`."""
        key = (here, there, port)
        self._numbers[key] = self._numbers.get(key, 0) + 1
        return self._numbers[key]

    async def _pass(self, source: str, target: str, rng: random.Random) -> None:
        """One handshake message: its delay, and the end of whatever blocks the way."""
        await asyncio.sleep(self.link(source, target).latency.draw_s(rng))
        while (source, target) in self._blocked or self.hosts.is_silent(target):
            turn = self.loop.create_future()
            self._waiting.setdefault((source, target), []).append(turn)
            await turn

    # -- what wires ask

    def link(self, source: str, target: str) -> Link:
        """What the way from `source` to `target` is like now."""
        return self._links.between(source, target)

    def rng(self, wire_name: str) -> random.Random:
        """The stream of delays of one direction of one connection."""
        return random.Random(f"{self._seed}/{wire_name}")

    def is_blocked(self, source: str, target: str) -> bool:
        """True while a partition or a hold stops messages from `source` to `target`."""
        return (source, target) in self._blocked

    # -- what hosts ask

    def transports_of(self, host: str) -> list[Transport]:
        """The ends of connections that are on a host, oldest first."""
        pairs = list(self._connections.values())
        return [end for pair in pairs for end in pair if end.wire.source == host]

    def stop_listening_at(self, host: str) -> None:
        """Accept nothing for a host any more."""
        for server in [server for (name, _), server in self._servers.items() if name == host]:
            server.close()

    # -- rules

    def slow_down(self, a: str, b: str, link: Link, *, one_way: bool = False) -> None:
        """Let what is sent from `a` to `b` from now on (and back) go by `link` until `restore`."""
        self._links.put(_ways(a, b, one_way), link)

    def restore(self, a: str, b: str, *, one_way: bool = False) -> None:
        """Let it go by the usual link again."""
        self._links.remove(_ways(a, b, one_way))

    @contextmanager
    def slowed(self, a: str, b: str, link: Link, *, one_way: bool = False) -> Iterator[None]:
        """Another link for as long as the block runs."""
        self.slow_down(a, b, link, one_way=one_way)
        try:
            yield
        finally:
            self.restore(a, b, one_way=one_way)

    def partition(self, a: str, b: str, *, one_way: bool = False) -> None:
        """No message passes from `a` to `b` (and back, unless `one_way`) until `repair`."""
        self._block(a, b, one_way, "partition")

    def repair(self, a: str, b: str, *, one_way: bool = False) -> None:
        """End a partition; what was sent meanwhile arrives after a retransmission's delay."""
        self._unblock(a, b, one_way)

    def hold(self, a: str, b: str, *, one_way: bool = False) -> None:
        """Keep messages between `a` and `b` in flight until `release`."""
        self._block(a, b, one_way, "hold")

    def release(self, a: str, b: str, *, one_way: bool = False) -> None:
        """Deliver what was held, at once and in order."""
        self._unblock(a, b, one_way)

    @contextmanager
    def partitioned(self, a: str, b: str, *, one_way: bool = False) -> Iterator[None]:
        """A partition for as long as the block runs."""
        self.partition(a, b, one_way=one_way)
        try:
            yield
        finally:
            self.repair(a, b, one_way=one_way)

    @contextmanager
    def held(self, a: str, b: str, *, one_way: bool = False) -> Iterator[None]:
        """A hold for as long as the block runs."""
        self.hold(a, b, one_way=one_way)
        try:
            yield
        finally:
            self.release(a, b, one_way=one_way)

    def cut(self, a: str, b: str) -> int:
        """Break every connection between two hosts (both ends see a reset). Returns how many."""
        ends = [
            (near, far)
            for near, far in self._connections.values()
            if {near.wire.source, near.wire.target} == {_named(a), _named(b)}
        ]
        for near, far in ends:
            reset = f"the virtual network cut {near.wire.name}"
            near.break_off(ConnectionResetError(errno.ECONNRESET, reset))
            far.break_off(ConnectionResetError(errno.ECONNRESET, reset))
        return len(ends)

    def _block(self, a: str, b: str, one_way: bool, rule: str) -> None:
        for way in _ways(a, b, one_way):
            if way in self._blocked:
                raise ValueError(
                    f"{way[0]} to {way[1]} is under a {self._blocked[way]} already: end it first"
                )
        for way in _ways(a, b, one_way):
            self._blocked[way] = rule

    def _unblock(self, a: str, b: str, one_way: bool) -> None:
        for way in _ways(a, b, one_way):
            rule = self._blocked.pop(way, None)
            if rule is None:
                raise ValueError(f"{way[0]} to {way[1]} is under no rule that could end")
            for wire in list(self._wires.get(way, {}).values()):
                wire.resume(retransmit=rule == "partition")
            self._let_pass(way)

    def _let_pass(self, way: tuple[str, str]) -> None:
        """Let those who wait for a way look again."""
        for turn in self._waiting.pop(way, []):
            if not turn.done():
                turn.set_result(None)


def _named(host: str) -> str:
    return _LOOPBACK.get(host, host)


def _ways(a: str, b: str, one_way: bool) -> list[tuple[str, str]]:
    a, b = _named(a), _named(b)
    return [(a, b)] if one_way else [(a, b), (b, a)]
