"""The options of `station-lab broker`, checked, as what `serve` is told.

Every refusal is one line that names the option, its value and what is allowed instead; none shows a
password.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from station_sim.errors import LabError
from station_sim.kafka.command import USERS_VARIABLE
from station_sim.kafka.sasl.users import parse_users
from station_sim.kafka.serving import NewTopic, ServeOptions
from station_sim.kafka.settings import BrokerSettings

ANY_ADDRESS = ("0.0.0.0", "::", "")
"""Addresses to listen at that nobody can connect to."""


def serve_options(
    *,
    host: str,
    advertised_host: str | None,
    allow_remote: bool,
    topics: Sequence[str],
    properties: Sequence[str],
    users: Sequence[str],
    users_file: Path | None,
    **rest: Any,
) -> ServeOptions:
    """What the command line says; raises `LabError` for what cannot be meant."""
    _check_host(host, advertised_host, allow_remote=allow_remote)
    return ServeOptions(
        host=host,
        advertised_host=advertised_host,
        topics=[_topic(text) for text in topics],
        settings=BrokerSettings.from_kafka(dict(map(_property, properties))),
        users=_users(users, users_file),
        **rest,
    )


def _check_host(host: str, advertised_host: str | None, *, allow_remote: bool) -> None:
    if not allow_remote and not _is_loopback(host):
        raise LabError(
            f"--host {host} lets other machines in, without encryption; "
            "add --allow-remote if that is meant, or take 127.0.0.1"
        )
    if host in ANY_ADDRESS and not advertised_host:
        raise LabError(
            f"--host {host} is no address that clients can connect to; "
            "add --advertised-host with the name or address of this machine"
        )


def _is_loopback(host: str) -> bool:
    if host == "127.0.0.1":
        return True
    from station_sim.brokers.ports import is_loopback  # its package takes a tenth of a second

    return host not in ANY_ADDRESS and is_loopback(host)


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
