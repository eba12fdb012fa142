"""From a frame to the bytes of its answer: header, version, faults, handler, encoding.

A connection (`connection.py`) feeds frames in, one at a time. What a request means is in
`requests/`.
"""

import struct
from struct import Struct
from typing import TYPE_CHECKING, Any

from station_sim.kafka.decoding import MalformedError, decoder_of, skip_tags
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.outbox import Frame
from station_sim.kafka.request_log import LoggedRequest, entry_of
from station_sim.kafka.requests.context import Peer, RequestContext
from station_sim.kafka.requests.parked import answered_late
from station_sim.kafka.requests.registry import API_VERSIONS, KINDS, SASL_AUTHENTICATE, Kind
from station_sim.kafka.requests.shapes import refuse
from station_sim.kafka.requests.topic_ids import fill_names
from station_sim.kafka.requests.unwritten import handle
from station_sim.kafka.sasl.authentication import Admission, Authentication, Stage

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster
    from station_sim.kafka.node import Node

_HEADER = Struct(">hhih")
_LENGTH = Struct(">i")
_RESPONSE_HEADER = Struct(">ii")
_RESPONSE_HEADER_FLEXIBLE = Struct(">iib")


class BadRequestError(Exception):
    """A frame that Kafka answers by closing the connection; the text says what is wrong."""


class Call:
    """One request on its way through the broker; `logged` is what is remembered of it."""

    __slots__ = ("context", "kind", "logged", "request", "request_bytes", "response_version")

    def __init__(
        self, kind: Kind, request: Any, context: RequestContext, request_bytes: int
    ) -> None:
        self.kind = kind
        self.request = request
        self.context = context
        self.request_bytes = request_bytes
        self.response_version = context.version
        self.logged: LoggedRequest | None = None

    def answer_with(self, response: Any) -> Frame:
        """The framed answer, which is sent now."""
        frame = self.encode(response)
        if self.logged is not None:
            self.logged.answer_with(response, frame.size_bytes)
        return frame

    def encode(self, response: Any) -> Frame:
        """The framed answer."""
        body = self.kind.encode(response, self.response_version)
        size_bytes = sum(map(len, body))
        correlation_id = self.context.correlation_id
        flexible = self.kind.response.flexible_version_q(self.response_version)
        if flexible and self.kind.api_key != API_VERSIONS:
            head = _RESPONSE_HEADER_FLEXIBLE.pack(size_bytes + 5, correlation_id, 0)
        else:
            head = _RESPONSE_HEADER.pack(size_bytes + 4, correlation_id)
        return Frame((head, *body), len(head) + size_bytes)


class RawTokenCall(Call):
    """A token without a request around it, as it comes after a handshake of version 0."""

    __slots__ = ()

    def encode(self, response: Any) -> Frame:
        """The framed token; a refusal is told by closing the connection alone."""
        if response.error_code:
            return Frame((), 0)
        token = bytes(response.auth_bytes)
        return Frame((_LENGTH.pack(len(token)), token), _LENGTH.size + len(token))


def read_token(frame: bytes, *, node: "Node", client_host: str, connection: Peer) -> Call:
    """A frame that is a token, as the request that it stands for."""
    kind = KINDS[SASL_AUTHENTICATE]
    context = RequestContext(0, 0, None, client_host, node, connection)
    return RawTokenCall(kind, kind.request(auth_bytes=frame), context, _framed_bytes(frame))


def read_call(frame: bytes, *, node: "Node", client_host: str, connection: Peer) -> Call:
    """Decode a frame; raises `BadRequestError` for what no broker understands."""
    try:
        api_key, version, correlation_id, length = _HEADER.unpack_from(frame)
        position = _HEADER.size
        client_id = None
        if length >= 0:
            client_id = frame[position : position + length].decode(errors="replace")
            position += length
        kind = node.cluster.kinds.get(api_key)
        if kind is None:
            raise BadRequestError(f"unknown API key {api_key}")
        context = RequestContext(version, correlation_id, client_id, client_host, node, connection)
        if kind.request.flexible_version_q(version):
            position = skip_tags(frame, position)
        if not kind.versions[0] <= version <= kind.versions[1]:
            return _read_unknown_version(kind, context, _framed_bytes(frame))
        request = decoder_of(kind.request, version)(frame, position)
        return Call(kind, request, context, _framed_bytes(frame))
    except MalformedError as error:
        raise BadRequestError(_no_request(frame, str(error))) from error
    except (IndexError, ValueError, struct.error) as error:
        raise BadRequestError(_no_request(frame, "it ends early")) from error


def _no_request(frame: bytes, why: str) -> str:
    return f"a frame of {len(frame)} bytes that is no request: {why}"


def _framed_bytes(frame: bytes) -> int:
    return _LENGTH.size + len(frame)


def _read_unknown_version(kind: Kind, context: RequestContext, request_bytes: int) -> Call:
    if kind.api_key != API_VERSIONS:
        raise BadRequestError(f"{kind.name} version {context.version} is not supported")
    call = Call(kind, None, context, request_bytes)
    call.response_version = 0
    return call


def perform(cluster: "Cluster", call: Call) -> Any:
    """Handle a request: a response, None, or an awaitable of either."""
    kind, request, context = call.kind, call.request, call.context
    if request is not None:
        fill_names(kind.name, request, context.version, cluster.topics)
    logged = call.logged = entry_of(
        kind, request, context, at_ms=cluster.now_ms(), request_bytes=call.request_bytes
    )
    cluster.requests.add(logged)
    authentication = context.connection.authentication
    if authentication is not None:
        is_understood = request is not None
        admission = authentication.admit(kind.name, is_understood=is_understood)
        if admission is not Admission.HANDLE:
            return _not_admitted(admission, authentication, cluster, call)
    if cluster.faults.installed and request is not None:
        fault = cluster.faults.take(logged)
        if fault is not None:
            return cluster.faults.perform(fault, cluster, call)
    return handle(kind, cluster, request, context)


def _not_admitted(
    admission: Admission, authentication: Authentication, cluster: "Cluster", call: Call
) -> Any:
    """What a client gets that asks before it has proved who it is."""
    authentication.stage = Stage.FAILED
    if admission is Admission.HANG_UP:
        return None
    if call.kind.api_key == API_VERSIONS:
        call.response_version = 0
    refusal = refuse(call.kind.name, call.request, call.kind.response, ErrorCode.ILLEGAL_SASL_STATE)
    return answered_late(refusal, cluster.settings.connection_failed_authentication_delay_ms)
