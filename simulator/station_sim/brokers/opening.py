"""The one way to ask for a broker: `open_broker(kind)`.

Each kind's module is imported when it is asked for, because some need an extra.
"""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from station_sim.brokers.broker import Broker
from station_sim.errors import LabError

KINDS = {
    "virtual": ("station_sim.brokers.virtual", "VirtualBroker"),
    "embedded": ("station_sim.brokers.embedded", "EmbeddedBroker"),
    "jvm": ("station_sim.brokers.jvm", "JvmBroker"),
    "docker": ("station_sim.brokers.docker", "DockerBroker"),
}
"""Where each kind lives; everything else is `host:port`."""

REMOTE = ("station_sim.brokers.remote", "RemoteBroker")


@asynccontextmanager
async def open_broker(kind: str, **options: Any) -> AsyncIterator[Broker]:
    """A running broker, ended when the context is left.

    `kind` is `"virtual"`, `"embedded"`, `"jvm"`, `"docker"` or `"host:port"`; the options are
    those of the kind's class. Raises `LabError` with one line when it cannot be had.
    """
    broker = make_broker(kind, **options)
    try:
        await broker.start()
        yield broker
    finally:
        await broker.close()


def make_broker(kind: str, **options: Any) -> Broker:
    """The broker object, not started yet; raises `LabError` for an unknown kind or option."""
    if kind in KINDS:
        broker_class = _load(*KINDS[kind])
    elif _is_address(kind):
        broker_class = _load(*REMOTE)
        options = {"bootstrap": kind, **options}
    else:
        choice = ", ".join(KINDS)
        raise LabError(f"unknown broker {kind!r}; choose {choice} or host:port")
    known = inspect.signature(broker_class).parameters
    for name in options:
        if name not in known:
            choice = ", ".join(each for each in known if each != "bootstrap") or "none"
            raise LabError(f"broker {kind!r} has no option {name!r}; it has: {choice}")
    broker: Broker = broker_class(**options)
    return broker


def _is_address(kind: str) -> bool:
    host, _, port = kind.rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) < 65536


def _load(module: str, name: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("station_sim"):
            raise
        raise LabError(
            f"this broker needs {error.name}; install it with: pip install 'station-lab[kafka]'"
        ) from error
