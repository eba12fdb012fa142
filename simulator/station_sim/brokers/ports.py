"""Addresses and free ports on loopback."""

import errno
import ipaddress
import socket

from station_sim.errors import LabError

LOOPBACK = "127.0.0.1"
PORT_MAX = 65535

ROWS_TRIED_MAX = 100
"""Where so many ports have a neighbour that is taken, there is no row to be found by chance."""


def free_ports(count: int) -> list[int]:
    """`count` different ports that nobody listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def free_row(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on at this moment."""
    for _ in range(ROWS_TRIED_MAX):
        first = free_ports(1)[0]
        if all(_why_taken(port) is None for port in range(first + 1, first + count)):
            return first
    raise LabError(f"no {count} ports in a row are free on {LOOPBACK}; choose the first with port=")


def require_free(port: int) -> None:
    """Raises `LabError` when somebody listens on `port` of loopback."""
    reason = _why_taken(port)
    if reason is not None:
        raise LabError(
            f"port {port} on {LOOPBACK} is {reason}; choose another with port=, or leave it"
        )


def _why_taken(port: int) -> str | None:
    """Why nobody can listen on `port` of loopback; None if somebody can."""
    if port > PORT_MAX:
        return "beyond the highest port"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            return "in use" if error.errno == errno.EADDRINUSE else "not allowed"
    return None


def is_loopback(host: str) -> bool:
    """Whether every address of `host` is on this machine's loopback."""
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo(host.strip("[]"), None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(str(each).split("%")[0]).is_loopback for each in addresses)
