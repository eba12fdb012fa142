"""Names of hosts in virtual time: every host is known by its name, which is its address too."""

import socket
from typing import Any

from station_sim.network import Network
from station_sim.seams import Seams


def replace_names(seams: Seams, network: Network) -> None:
    """Resolve names by the virtual network until the world ends."""
    seams.replace(socket, "getaddrinfo", getaddrinfo)
    seams.replace(socket, "gethostbyname", _same)
    seams.replace(socket, "gethostbyname_ex", lambda name: (name, [], [name]))
    seams.replace(socket, "gethostbyaddr", lambda address: (address, [], [address]))
    seams.replace(socket, "getnameinfo", lambda address, flags=0: (address[0], str(address[1])))
    seams.replace(socket, "getfqdn", lambda name="": name or network.hosts.current())
    seams.replace(socket, "gethostname", network.hosts.current)


def getaddrinfo(
    host: str | bytes | None,
    port: str | int | None,
    family: int = 0,
    type: int = 0,  # noqa: A002  # the real one's name
    proto: int = 0,
    flags: int = 0,
) -> list[tuple[Any, Any, int, str, tuple[str, int]]]:
    """One address, of TCP: (family, type, proto, canonical name, (host, port)).

    Raises: socket.gaierror for a port that is no number.
    """
    name = host.decode() if isinstance(host, bytes) else host or _own_name(flags)
    try:
        number = int(port or 0)
    except ValueError:
        raise socket.gaierror(
            socket.EAI_SERVICE, f"virtual hosts know no services by name, got {port!r}"
        ) from None
    kind = socket.AF_INET if family in (0, socket.AF_UNSPEC) else socket.AddressFamily(family)
    canonical = name if flags & socket.AI_CANONNAME else ""
    return [(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP, canonical, (name, number))]


def _own_name(flags: int) -> str:
    return "0.0.0.0" if flags & socket.AI_PASSIVE else "localhost"


def _same(name: str) -> str:
    return name
