"""The name of a blocking call, and the place that made it, from the frames of a thread.

A queue waits by a condition, a condition by a lock: what users called is the outermost of the
standard library's functions.
"""

import sys
from collections.abc import Iterator
from types import FrameType

_OURS = "station_sim.threads."
_LIBRARY = ("threading", "queue", "concurrent.futures", "socket", "selectors", "asyncio")
_PRIVATE = {"concurrent.futures._base": "concurrent.futures"}


def blocking_call(inner: str) -> str:
    """What the caller's caller called that blocks; `inner` if that was nothing of the library's."""
    return called(sys._getframe(1), inner)[0]


def called(frame: FrameType | None, inner: str) -> tuple[str, FrameType | None]:
    """The blocking call that the stack at `frame` is in, and the frame of the code that made it."""
    name = inner
    for each in _frames(frame):
        module = str(each.f_globals.get("__name__", ""))
        if module.startswith(_OURS):
            continue
        if not _is_library(module) or _runs_others(each):
            return name, each
        name = f"{_PRIVATE.get(module, module)}.{each.f_code.co_qualname}"
    return name, None


def _is_library(module: str) -> bool:
    return module.partition(".")[0] in _LIBRARY or module.startswith("concurrent.futures")


def _runs_others(frame: FrameType) -> bool:
    """Whether a frame of the library runs what it was given: a thread's or a task's own frames."""
    return frame.f_code.co_name in ("run", "_bootstrap_inner", "_run", "_worker")


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """From the innermost outwards."""
    while frame is not None:
        yield frame
        frame = frame.f_back
