"""The control over HTTP: JSON in and out, on asyncio's streams, read and written with h11.

Every answer is one line of JSON; one that is no success says why in `error`. What can be asked is
in `routes.py`. It serves machines on this host: a request whose Host or Origin is a stranger's is
refused, so that no web page can have a browser speak for it.
"""

import asyncio
import ipaddress
import json
import logging
from collections.abc import Awaitable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import h11

from station_sim.errors import LabError
from station_sim.kafka.control.control import Control
from station_sim.kafka.control.errors import UnknownThingError
from station_sim.kafka.control.options import arguments_for, option_names, read_body
from station_sim.kafka.control.routes import WrongMethodError, find_route, routes_of
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.node import why_not

logger = logging.getLogger("station_sim.kafka.control")

BODY_BYTES_MAX = 1 << 20
"""The longest body; installing a fault takes some hundred bytes."""

IDLE_TIMEOUT_S = 60.0
"""A connection on which nothing comes for so long is closed."""

READ_BYTES = 65536

_NOT_THERE = (
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode.UNKNOWN_TOPIC_ID,
    ErrorCode.GROUP_ID_NOT_FOUND,
)
_NOT_NOW = (ErrorCode.TOPIC_ALREADY_EXISTS, ErrorCode.NON_EMPTY_GROUP)


class ForeignError(Exception):
    """The request comes from where no request should come from."""


class TooLongError(Exception):
    """The body is longer than any that makes sense."""


class ControlServer:
    """Serves one control at `host`:`port` (0: a free port).

    `known_hosts` are names, beside addresses and localhost, by which it may be called.
    """

    def __init__(
        self, control: Control, *, host: str, port: int, known_hosts: Sequence[str] = ()
    ) -> None:
        self._routes = routes_of(control)
        self._host = host
        self._port = port
        self._known_hosts = {"localhost", host.lower(), *map(str.lower, known_hosts)}
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it is found, once started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Listen; raises `LabError` if the address cannot be had."""
        try:
            self._server = await asyncio.start_server(self._converse, self._host, self._port)
        except OSError as error:
            raise LabError(
                f"the control cannot listen at {self._host}:{self._port}: {why_not(error)}"
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and every connection; what is being done is given up."""
        if self._server is not None:
            self._server.close()
        for conversation in list(self._conversations):
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes on one connection until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._answer_one(connection, reader, writer):
                connection.start_next_cycle()
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass  # gone, silent for too long, or the end of the broker
        finally:
            writer.close()

    async def _answer_one(
        self,
        connection: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Whether the connection may ask for more."""
        try:
            request, body = await _receive(connection, reader)
        except h11.RemoteProtocolError as error:
            status, answer = error.error_status_hint, {"error": f"no HTTP: {error}"}
        except TooLongError as error:
            status, answer = 413, {"error": str(error)}
        else:
            if request is None:
                raise ConnectionResetError("the client has ended")
            status, answer = await self._answer(request, body)
        if connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            writer.write(_response(connection, status, answer))
            await writer.drain()
        return connection.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}

    async def _answer(self, request: h11.Request, body: bytes) -> tuple[int, Any]:
        """The status and what is told; only a bug of ours gets beyond this."""
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        method, target = request.method.decode(), request.target.decode("latin-1")
        try:
            self._check_origin(headers)
            return 200, await self._perform(method, target, body)
        except ForeignError as error:
            return 403, {"error": str(error)}
        except UnknownThingError as error:
            return 404, {"error": str(error)}
        except WrongMethodError as error:
            return 405, {"error": str(error), "allowed": error.allowed}
        except RefusalError as error:
            text = error.message or error.code.name
            return _status_of(error.code), {"error": text, "code": error.code.name}
        except LabError as error:
            return 409, {"error": str(error)}
        except ValueError as error:
            return 400, {"error": " ".join(str(error).split())}
        except TimeoutError as error:
            return 504, {"error": str(error)}
        except Exception as error:
            logger.exception("the control failed at %s %s", method, target)
            return 500, {"error": f"a bug of the control: {type(error).__name__}: {error}"}

    def _check_origin(self, headers: dict[str, str]) -> None:
        """Raise `ForeignError` for what a web page would have a browser ask."""
        host = headers.get("host", "")
        name = (urlsplit(f"//{host}").hostname or "").lower()
        if name not in self._known_hosts and not _is_address(name):
            raise ForeignError(f"Host {host!r} is not this control; ask {self.url}")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise ForeignError(f"Origin {origin!r} may not ask this control")

    async def _perform(self, method: str, target: str, body: bytes) -> Any:
        path, _, query = target.partition("?")
        if path == "/" and method == "GET":
            return {"routes": self._told()}
        route, in_path = find_route(self._routes, method, path.rstrip("/") or "/")
        options: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
        in_query = bool(options)
        if body.strip() and method != "GET":
            if in_query:
                raise ValueError("options are given in the body or in the query, not in both")
            options = read_body(body)
        arguments = arguments_for(route.verb, in_path, options, as_text=in_query)
        answer = route.verb(**arguments)
        return await answer if isinstance(answer, Awaitable) else answer

    def _told(self) -> list[dict[str, Any]]:
        return [
            {
                "method": route.method,
                "path": route.path,
                "options": option_names(route.verb),
                "what": (route.verb.__doc__ or "").partition("\n")[0],
            }
            for route in self._routes
        ]


async def _receive(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> tuple[h11.Request | None, bytes]:
    """The next request with its body; None when there is no further one."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            async with asyncio.timeout(IDLE_TIMEOUT_S):
                connection.receive_data(await reader.read(READ_BYTES))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_BYTES_MAX:
                raise TooLongError(f"the body is longer than {BODY_BYTES_MAX} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return request, bytes(body)
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            return None, b""


def _response(connection: h11.Connection, status: int, answer: Any) -> bytes:
    body = json.dumps(answer, ensure_ascii=False).encode() + b"\n"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if status == 405:
        headers.append(("Allow", ", ".join(answer["allowed"])))
    sent = connection.send(h11.Response(status_code=status, headers=headers))
    sent = (sent or b"") + (connection.send(h11.Data(data=body)) or b"")
    return sent + (connection.send(h11.EndOfMessage()) or b"")


def _status_of(code: ErrorCode) -> int:
    if code in _NOT_THERE:
        return 404
    return 409 if code in _NOT_NOW else 400


def _is_address(name: str) -> bool:
    """Addresses are safe: it is by names that a page can reach what it should not."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
