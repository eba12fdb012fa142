"""What a loop in virtual time refuses of asyncio's: sockets, files, processes, signals.

Every such method raises `VirtualTimeError` and names itself. What the virtual loop does offer is in
`clock.py`.
"""

import asyncio
from typing import Any, NoReturn

from station_sim.errors import VirtualTimeError

_SOCKETS = "the virtual network has hosts and ports, and no sockets: use create_connection"
_FILES = "files and pipes are watched in real time"
_NAMES = "names are resolved by the virtual network: connect to the host by its name"
_PROCESSES = "a subprocess lives in real time"
_SIGNALS = "signals come in real time: end a virtual world from inside, by a task"

REFUSED: dict[str, str] = {
    "add_reader": _FILES,
    "remove_reader": _FILES,
    "add_writer": _FILES,
    "remove_writer": _FILES,
    "connect_read_pipe": _FILES,
    "connect_write_pipe": _FILES,
    "sendfile": _FILES,
    "sock_accept": _SOCKETS,
    "sock_connect": _SOCKETS,
    "sock_recv": _SOCKETS,
    "sock_recv_into": _SOCKETS,
    "sock_recvfrom": _SOCKETS,
    "sock_recvfrom_into": _SOCKETS,
    "sock_sendall": _SOCKETS,
    "sock_sendfile": _SOCKETS,
    "sock_sendto": _SOCKETS,
    "connect_accepted_socket": _SOCKETS,
    "create_datagram_endpoint": _SOCKETS,
    "create_unix_connection": _SOCKETS,
    "create_unix_server": _SOCKETS,
    "start_tls": "the virtual network has no TLS",
    "getaddrinfo": _NAMES,
    "getnameinfo": _NAMES,
    "subprocess_exec": _PROCESSES,
    "subprocess_shell": _PROCESSES,
    "add_signal_handler": _SIGNALS,
    "remove_signal_handler": _SIGNALS,
}
"""Names of methods, and why there are none."""


class RealTimeRefusals(asyncio.BaseEventLoop):
    """A loop whose methods in `REFUSED` raise."""


def _refusing(name: str, reason: str) -> Any:
    def refuse(_loop: asyncio.AbstractEventLoop, *_args: Any, **_options: Any) -> NoReturn:
        raise VirtualTimeError(f"{name}: {reason}")

    refuse.__name__ = name
    refuse.__doc__ = f"Raises VirtualTimeError: {reason}."
    return refuse


for _name, _reason in REFUSED.items():
    setattr(RealTimeRefusals, _name, _refusing(_name, _reason))
