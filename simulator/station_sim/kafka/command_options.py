"""The options of `station-lab broker`, checked, as what `serve` is told.

Every refusal is one line that names the option, its value and what is allowed instead; none shows a
password.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from station_sim.errors import LabError
from station_sim.kafka.command import USERS_VARIABLE
from station_sim.kafka.releases import offered_by
from station_sim.kafka.sasl.users import parse_users
from station_sim.kafka.serving import ControlAddress, NewTopic, ServeOptions
from station_sim.kafka.settings import BrokerSettings

PORT_MAX = 65535

ANY_ADDRESS = ("0.0.0.0", "::", "")
"""Addresses to listen at that nobody can connect to."""


def serve_options(
    *,
    host: str,
    port: int,
    nodes: int,
    advertised_host: str | None,
    allow_remote: bool,
    as_version: str | None,
    control: str | None,
    topics: Sequence[str],
    properties: Sequence[str],
    users: Sequence[str],
    users_file: Path | None,
    **rest: Any,
) -> ServeOptions:
    """What the command line says; raises `LabError` for what cannot be meant."""
    _check_host(host, "--host", allow_remote=allow_remote)
    _check_reachable(host, advertised_host)
    _check_ports(port, nodes)
    _check_release(as_version)
    return ServeOptions(
        host=host,
        port=port,
        nodes=nodes,
        advertised_host=advertised_host,
        as_version=as_version,
        control=None if control is None else _control(control, allow_remote=allow_remote),
        topics=_topics(topics),
        settings=BrokerSettings.from_kafka(dict(map(_property, properties))),
        users=_users(users, users_file),
        **rest,
    )


def _check_host(host: str, option: str, *, allow_remote: bool) -> None:
    _check_known(host, option)
    if not allow_remote and not _is_loopback(host):
        raise LabError(
            f"{option} {host} lets other machines in, without encryption; "
            "add --allow-remote if that is meant, or take 127.0.0.1"
        )


def _check_known(host: str, option: str) -> None:
    if host in ANY_ADDRESS or host == "127.0.0.1":
        return
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:
        raise LabError(
            f"{option} {host}: no address is known by that name; "
            "take one that this machine has, such as 127.0.0.1"
        ) from error


def _check_reachable(host: str, advertised_host: str | None) -> None:
    if host in ANY_ADDRESS and not advertised_host:
        raise LabError(
            f"--host {host} is no address that clients can connect to; "
            "add --advertised-host with the name or address of this machine"
        )


def _check_ports(port: int, nodes: int) -> None:
    if port + nodes - 1 > PORT_MAX:
        raise LabError(
            f"--port {port} leaves no room for --nodes {nodes}, which take the ports that follow; "
            f"the highest port is {PORT_MAX}"
        )


def _check_release(as_version: str | None) -> None:
    """Raise `LabError` for a release that is not known."""
    if as_version is not None:
        offered_by(as_version)


def _control(text: str, *, allow_remote: bool) -> ControlAddress:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port) <= PORT_MAX):
        raise LabError(f"--control {text} is not [HOST:]PORT, as in 9094 or 127.0.0.1:9094")
    _check_host(host, "--control", allow_remote=allow_remote)
    return ControlAddress(host, int(port))


def _is_loopback(host: str) -> bool:
    if host == "127.0.0.1":
        return True
    from station_sim.brokers.ports import is_loopback  # its package takes a tenth of a second

    return host not in ANY_ADDRESS and is_loopback(host)


def _topics(texts: Sequence[str]) -> list[NewTopic]:
    topics: dict[str, NewTopic] = {}
    for text in texts:
        topic = _topic(text)
        if topic.name in topics:
            raise LabError(f"--topic {text}: the topic already exists; name it once")
        topics[topic.name] = topic
    return list(topics.values())


def _topic(text: str) -> NewTopic:
    name, _, count = text.rpartition(":")
    if not name or not (count.isascii() and count.isdigit()):
        raise LabError(f"--topic {text} is not NAME:PARTITIONS, as in REAL-STATION-DATA:3")
    return NewTopic(name, int(count))


def _property(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise LabError(f"--set {text} is not KEY=VALUE, as in num.partitions=3")
    return name.strip(), value


def _users(texts: Sequence[str], path: Path | None) -> dict[str, str]:
    users = parse_users(texts, where="--user")
    if path is not None:
        users |= parse_users(_lines(_text(path)), where=f"--users-file {path}")
    from_environment = _lines(os.environ.get(USERS_VARIABLE, ""))
    return parse_users(from_environment, where=USERS_VARIABLE) | users


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise LabError(f"--users-file {path} cannot be read: {reason}") from error


def _lines(text: str) -> Iterable[str]:
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]
