"""What a fault does to a request: answer, delay, throttle, hang up, hold, or nothing.

Which requests a fault takes is in `faults.py`. Nothing in a handler knows of faults.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.request_patterns import Pattern
from station_sim.kafka.requests.registry import API_VERSIONS, KINDS_BY_NAME
from station_sim.kafka.requests.shapes import SHAPES, add_refused, refuse, take_out
from station_sim.kafka.requests.topic_ids import ids_by_name
from station_sim.kafka.requests.unwritten import handle

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster
    from station_sim.kafka.dispatch import Call

Drop = Literal["before", "after"]

_THROTTLE = "throttle_time_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is done to a request that a fault takes; with none of it, it is only counted.

    First it is held, then delayed, then dropped, answered or handled. Raises: ValueError for what
    makes no sense, alone or together.
    """

    answer: ErrorCode | None = None
    delay_s: float = 0.0
    throttle_ms: int = 0
    drop: Drop | None = None
    hold: bool = False

    def __post_init__(self) -> None:
        if self.drop not in (None, "before", "after"):
            raise ValueError(f"drop={self.drop!r} must be 'before' or 'after' the effect")
        if self.answer is not None and self.drop is not None:
            raise ValueError(
                "a fault either answers or drops: a connection that is closed gets no answer; "
                "install two faults for both"
            )
        if self.throttle_ms and self.drop is not None:
            raise ValueError(
                "a fault either throttles or drops: who is dropped is not told to wait"
            )
        if self.answer is ErrorCode.NONE:
            raise ValueError("answer=0 is no error; leave it out to let the request pass")
        if not 0 <= self.delay_s < float("inf"):
            raise ValueError(f"delay_s={self.delay_s} must be >= 0 s; use hold=True for ever")
        if self.throttle_ms < 0:
            raise ValueError(f"throttle_ms={self.throttle_ms} must be >= 0 ms")

    def check_kinds(self, kinds: tuple[str, ...]) -> None:
        """Raise ValueError for kinds whose answers cannot tell of this."""
        if not self.throttle_ms or not kinds:
            return
        for kind in kinds:
            if _THROTTLE not in KINDS_BY_NAME[kind].response.fields:
                raise ValueError(f"throttle_ms: answers to {kind} have no {_THROTTLE}")

    @property
    def only_watches(self) -> bool:
        """Whether requests pass unchanged."""
        return not (self.answer or self.delay_s or self.throttle_ms or self.drop or self.hold)


async def perform(action: Action, pattern: Pattern, cluster: "Cluster", call: "Call") -> Any:
    """Handle a request under a fault, when it was held and delayed: a response, or None."""
    connection = call.context.connection
    if action.drop == "before":
        connection.abort()
        return None
    if action.answer is None:
        response = await _settled(handle(call.kind, cluster, call.request, call.context))
    else:
        response = await _refused(action.answer, pattern, cluster, call)
    if action.drop == "after":
        connection.abort()
        return None
    if action.throttle_ms:
        connection.mute(action.throttle_ms / 1000)
        if response is not None and _THROTTLE in call.kind.response.fields:
            response.throttle_time_ms = action.throttle_ms
    return response


async def _refused(code: ErrorCode, pattern: Pattern, cluster: "Cluster", call: "Call") -> Any:
    kind, request = call.kind, call.request
    if kind.api_key == API_VERSIONS:
        call.response_version = 0  # clients expect an error in the form that all can read
    if kind.name not in SHAPES or not pattern.names_partitions:
        response = refuse(kind.name, request, kind.response, code)
    else:
        ids = ids_by_name(kind.name, request)
        taken = take_out(kind.name, request, pattern.wants)
        if kind.name == "Fetch":
            request.max_wait_ms = 0  # an error ends a long poll at once
        response = await _settled(handle(kind, cluster, request, call.context))
        if response is not None:
            add_refused(kind.name, response, taken, code, ids)
    if kind.name == "Produce" and request.acks == 0:
        call.context.connection.close()
        return None
    return response


async def _settled(answer: Any) -> Any:
    return await answer if isinstance(answer, Awaitable) else answer
