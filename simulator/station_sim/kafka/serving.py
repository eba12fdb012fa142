"""The simulated broker as a server of its own, in real time, until it is told to end.

Its end is a signal, or the end of whoever started it. SIGUSR1 closes the listener and every
connection and SIGUSR2 listens again, with everything kept: how stories stop and start a broker in a
process of its own. The command line is in `command.py`.
"""

import asyncio
import logging
import os
import random
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from station_sim.errors import LabError
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.error_codes import RefusalError
from station_sim.kafka.open_file_limit import ExhaustionTeller, raise_limit
from station_sim.kafka.settings import BrokerSettings
from station_sim.kafka.storage.data_folder import DataFolder

logger = logging.getLogger(__name__)

PARENT_CHECK_S = 0.5
"""How often a broker with `parent_pid` looks whether that process is still there."""


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic to begin with."""

    name: str
    partitions: int


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """Where the control listens; port 0 is a free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What a broker process is told at its start."""

    host: str
    port: int
    topics: Sequence[NewTopic]
    settings: BrokerSettings
    seed: int
    data: Path | None = None
    nodes: int = 1
    node_id: int = 0
    advertised_host: str | None = None
    as_version: str | None = None
    control: ControlAddress | None = None
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    log_level: str = "info"
    parent_pid: int | None = None
    exit_on_stdin_close: bool = False


async def serve(options: ServeOptions) -> signal.Signals | None:
    """Listen, print one line when ready, and serve until the end is asked for.

    Returns the signal that asked for it, None if it was something else. Raises `LabError` if the
    address or the data cannot be had or Kafka would not make a topic.
    """
    with ExitStack() as stack:
        folder = None
        if options.data is not None:
            folder = DataFolder(options.data)
            stack.callback(folder.close)
        return await _serve(options, folder)


async def _serve(options: ServeOptions, folder: DataFolder | None) -> signal.Signals | None:
    cluster = _cluster(options, folder)
    for topic in options.topics:
        _have(cluster, topic)
    over = End()
    raise_limit()
    asyncio.get_running_loop().set_exception_handler(ExhaustionTeller())
    await cluster.start()
    door = asyncio.create_task(_open_and_close(cluster, over))
    try:
        async with _control(cluster, options) as control_url:
            _end_on_signals(over)
            if options.exit_on_stdin_close:
                _end_with_stdin(over)
            print(f"listening on {cluster.bootstrap}", flush=True)
            if control_url is not None:
                print(f"control on {control_url}", flush=True)
            logger.info(_welcome(cluster, folder))
            loading = asyncio.create_task(_load(cluster))
            await _until_over(over, options.parent_pid)
            loading.cancel()
    finally:
        door.cancel()
        await cluster.stop()
    logger.info(f"ended; {cluster.tally.told(sum(cluster.requests.counts.values()))}")
    return over.signal


async def _load(cluster: Cluster) -> None:
    """Import what requests need, in pieces, for the first clients not to wait for all of it."""
    for kind in cluster.kinds.values():
        kind.load()
        await asyncio.sleep(0)


def _cluster(options: ServeOptions, folder: DataFolder | None) -> Cluster:
    try:
        return Cluster(
            rng=random.Random(options.seed),
            nodes=options.nodes,
            host=options.host,
            port=options.port,
            node_id=options.node_id,
            advertised_host=options.advertised_host,
            settings=options.settings,
            users=options.users,
            as_version=options.as_version,
            storage=folder,
        )
    except RefusalError as error:
        raise LabError(f"cannot go on from the folder {options.data}: {error.message}") from error


def _have(cluster: Cluster, wanted: NewTopic) -> None:
    """See that a topic is there, one that was kept as it is; raises `LabError` for a bad one."""
    if wanted.name in cluster.topics:
        return
    try:
        cluster.topics.create(wanted.name, partitions=wanted.partitions)
    except RefusalError as refused:
        text = f"--topic {wanted.name}:{wanted.partitions}: {refused.message}"
        raise LabError(f"cannot make a topic, {text}") from refused


@asynccontextmanager
async def _control(cluster: Cluster, options: ServeOptions) -> AsyncIterator[str | None]:
    """The HTTP control for as long as the block runs, if it is asked for; gives its address."""
    if options.control is None:
        yield None
        return
    from station_sim.kafka.control.control import Control
    from station_sim.kafka.control.http_server import ControlServer

    server = ControlServer(
        Control(cluster),
        host=options.control.host,
        port=options.control.port,
        known_hosts=[options.advertised_host] if options.advertised_host else [],
    )
    await server.start()
    try:
        yield server.url
    finally:
        await server.stop()


class End(asyncio.Event):
    """Set when the end is asked for; `signal` is what asked for it, if it was one."""

    def __init__(self) -> None:
        super().__init__()
        self.signal: signal.Signals | None = None

    def by_signal(self, number: signal.Signals) -> None:
        """The end was asked for by a signal; the first one counts."""
        if not self.is_set():
            self.signal = number
        self.set()


def _welcome(cluster: Cluster, folder: DataFolder | None) -> str:
    """What a person wants to know at the start."""
    where = "in memory" if folder is None else f"data in {folder.path}"
    who = f"only for {', '.join(cluster.users)}" if cluster.users else "for everybody on it"
    return f"a simulated Kafka at {cluster.bootstrap}, {who}; {where}; Ctrl-C ends it"


def _end_on_signals(over: End) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.by_signal, number)


async def _open_and_close(cluster: Cluster, over: asyncio.Event) -> None:
    """Stop and start the broker as signals say, one after another."""
    loop = asyncio.get_running_loop()
    orders: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
    loop.add_signal_handler(signal.SIGUSR1, orders.put_nowait, cluster.stop)
    loop.add_signal_handler(signal.SIGUSR2, orders.put_nowait, cluster.start)
    while True:
        order = await orders.get()
        if cluster.is_running and order == cluster.start:
            continue
        try:
            await order()
        except LabError as error:
            print(error, file=sys.stderr, flush=True)
            over.set()


def _end_with_stdin(over: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def read_to_the_end() -> None:
        while sys.stdin.buffer.readline():
            pass
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=read_to_the_end, name="stdin", daemon=True).start()


async def _until_over(over: asyncio.Event, parent_pid: int | None) -> None:
    while not over.is_set() and (parent_pid is None or _lives(parent_pid)):
        try:
            async with asyncio.timeout(None if parent_pid is None else PARENT_CHECK_S):
                await over.wait()
        except TimeoutError:
            continue


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
