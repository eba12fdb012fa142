"""The thread that ties a result to its record: fields that travel through the service.

A record carries its run, its number within its station and when it was due; the service under load
keeps them as ordinary fields of its topic, and `traced` puts them beside what the callback
returns. The record itself is made in `readings.py`.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

RUN_FIELD = "loadRun"
SEQ_FIELD = "loadSeq"
DUE_FIELD = "loadDueS"
TRACE_FIELDS = (RUN_FIELD, SEQ_FIELD, DUE_FIELD)

TRACE_KEY = "loadTrace"
RESULT_KEY = "result"


class Trace(NamedTuple):
    """Which record: the run's number, the record's within its station, due in epoch seconds."""

    run: int
    seq: int
    due_s: float


def traced(callback: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """A callback that returns `{"loadTrace": [run, seq, due], "result": what callback returns}`.

    It is a coroutine function if `callback` is one. An error of the callback stays an error, so
    its record has no result and is counted as lost.
    """
    if inspect.iscoroutinefunction(callback):

        async def answer_later(station_id: str, module_input: Any) -> dict[str, Any]:
            return _with_trace(module_input, await callback(station_id, module_input))

        return answer_later

    def answer(station_id: str, module_input: Any) -> dict[str, Any]:
        return _with_trace(module_input, callback(station_id, module_input))

    return answer


def trace_of(result: Mapping[str, Any]) -> Trace | None:
    """The trace in an uploaded result (`{"station_id", "module", "output", ...}`), None without."""
    output = result.get("output")
    trace = output.get(TRACE_KEY) if isinstance(output, Mapping) else None
    if not isinstance(trace, list) or len(trace) != len(TRACE_FIELDS) or None in trace:
        return None
    run, seq, due_s = trace
    return Trace(int(run), int(seq), float(due_s))


def _with_trace(module_input: Any, result: Any) -> dict[str, Any]:
    return {TRACE_KEY: [module_input.get(field) for field in TRACE_FIELDS], RESULT_KEY: result}
