"""An in-memory network between named hosts, in virtual time.

Here live listeners, connections and the rules that act on them: delay, partition (one-way too),
hold, loss of connections. Bytes arrive in the order in which they were sent, whatever the rules.

Rules come in pairs (`partition`/`repair`, `hold`/`release`) and as context managers (`partitioned`,
`held`). A partition behaves as TCP does: nothing is lost inside a connection, it arrives after the
repair and a retransmission's delay; new connections find no answer meanwhile. Held bytes arrive at
once when released.
"""

import asyncio
import contextvars
import errno
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from station_sim.wire import Transport, Wire

FIRST_FREE_PORT = 49152
"""Where the ports begin that port 0 asks for (RFC 6335's dynamic ports)."""

LAST_FREE_PORT = 65535

_LOOPBACK = {"127.0.0.1": "localhost", "::1": "localhost", "0.0.0.0": "localhost"}

_ALL_INTERFACES = (None, "", "0.0.0.0", "::")

_current_host: contextvars.ContextVar[str] = contextvars.ContextVar("host", default="localhost")


@dataclass(frozen=True)
class Latency:
    """One-way delay of a message: uniform between the two, in seconds."""

    min_s: float = 0.0005
    max_s: float = 0.0010

    def __post_init__(self) -> None:
        if not 0 <= self.min_s <= self.max_s:
            raise ValueError(f"latency must have 0 <= min_s <= max_s, got {self}")


@dataclass(frozen=True)
class Address:
    """A virtual socket as `server.sockets` shows it: knows its own name only."""

    host: str
    port: int

    def getsockname(self) -> tuple[str, int]:
        """(host, port)"""
        return (self.host, self.port)


class Server(asyncio.AbstractServer):
    """A listener; closing it leaves accepted connections open, as asyncio's servers do."""

    def __init__(self, network: "Network", factory: Callable[[], Any], address: Address) -> None:
        self._network = network
        self._context = contextvars.copy_context()
        self._serving = True
        self.factory = factory
        self.sockets = (Address(address.host, address.port),)

    @property
    def context(self) -> contextvars.Context:
        """A fresh copy of the context in which the host began to listen."""
        return self._context.copy()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The virtual loop."""
        return self._network.loop

    def close(self) -> None:
        """Stop listening; a second close is harmless."""
        if self._serving:
            self._serving = False
            self._network.stop_listening(self)

    def is_serving(self) -> bool:
        """True until closed."""
        return self._serving

    async def start_serving(self) -> None:
        """It serves from the start."""

    async def serve_forever(self) -> None:
        """Wait until cancelled, then close."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.close()

    async def wait_closed(self) -> None:
        """Nothing is left to wait for once closed."""


class Network:
    """All connections of one world. Hosts are names; they exist as soon as they are named."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self.loop = loop
        self._seed = seed
        self._servers: dict[tuple[str, int], Server] = {}
        self._connections: dict[int, tuple[Transport, Transport]] = {}
        self._wires: dict[tuple[str, str], dict[int, Wire]] = {}
        self._numbers: dict[tuple[str, str, int], int] = {}
        self._ids = itertools.count()
        self._ports = itertools.count(FIRST_FREE_PORT)
        self._blocked: dict[tuple[str, str], str] = {}
        self._waiting: dict[tuple[str, str], list[asyncio.Future[None]]] = {}
        self.latency = Latency()

    # -- hosts, listening, connecting

    @contextmanager
    def host(self, name: str) -> Iterator[None]:
        """What is started inside, opens its connections as host `name`."""
        token = _current_host.set(name)
        try:
            yield
        finally:
            _current_host.reset(token)

    def listen(self, factory: Callable[[], Any], host: str | None, port: int) -> Server:
        """Accept connections at `host`, or (None, 0.0.0.0) at the host on whose behalf this runs.

        Port 0 takes a free one. Raises: OSError if the port is taken.
        """
        name = _current_host.get() if host in _ALL_INTERFACES or host is None else _named(host)
        address = Address(name, port or next(self._ports))
        key = (address.host, address.port)
        if key in self._servers:
            raise OSError(errno.EADDRINUSE, f"port {port} of virtual host {name} is in use")
        server = Server(self, factory, address)
        self._servers[key] = server
        return server

    def stop_listening(self, server: Server) -> None:
        """Called by the server that closes."""
        address = server.sockets[0]
        self._servers.pop((address.host, address.port), None)

    async def connect(
        self, factory: Callable[[], Any], host: str, port: int
    ) -> tuple[Transport, Any]:
        """Connect from the current host. Raises ConnectionRefusedError if nobody listens."""
        here, there = _current_host.get(), _named(host)
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
        await asyncio.sleep(self.draw_delay_s(rng))
        while (source, target) in self._blocked:
            turn = self.loop.create_future()
            self._waiting.setdefault((source, target), []).append(turn)
            await turn

    # -- what wires ask

    def draw_delay_s(self, rng: random.Random) -> float:
        """The next message's delay."""
        return self.latency.min_s + (self.latency.max_s - self.latency.min_s) * rng.random()

    def rng(self, wire_name: str) -> random.Random:
        """The stream of delays of one direction of one connection."""
        return random.Random(f"{self._seed}/{wire_name}")

    def is_blocked(self, source: str, target: str) -> bool:
        """True while a partition or a hold stops messages from `source` to `target`."""
        return (source, target) in self._blocked

    # -- rules

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
            for turn in self._waiting.pop(way, []):
                if not turn.done():
                    turn.set_result(None)


def _named(host: str) -> str:
    return _LOOPBACK.get(host, host)


def _ways(a: str, b: str, one_way: bool) -> list[tuple[str, str]]:
    a, b = _named(a), _named(b)
    return [(a, b)] if one_way else [(a, b), (b, a)]
