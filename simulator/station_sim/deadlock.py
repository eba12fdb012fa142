"""Who waits for what: the text of a deadlock.

Texts name tasks, threads, functions and lines, never addresses, so that those of two runs compare.
"""

import asyncio
import itertools
from collections.abc import Iterable
from types import FrameType
from typing import Any

_ASYNCIO_FOLDER = asyncio.__file__.rpartition("/")[0]


def who_waits(tasks: "Iterable[asyncio.Task[Any]]", threads: Iterable[str] = ()) -> str:
    """Every task with its place and what it waits for there, then `threads`, in one line."""
    return "; ".join([*sorted(map(_waiting, tasks)), *threads]) or "no task at all"


def place_of(frame: FrameType) -> str:
    """`file:line`"""
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}"


def _waiting(task: "asyncio.Task[Any]") -> str:
    """`name in function (file:line) waits for what`."""
    frames = list(_frames(task.get_coro()))
    if not frames:
        return f"{task.get_name()} not started"
    inside = list(itertools.takewhile(_is_asyncio, reversed(frames)))
    place = frames[-1 - len(inside)] if len(inside) < len(frames) else frames[-1]
    waits_for = inside[-1].f_code.co_qualname if inside else _awaited(task)
    return (
        f"{task.get_name()} in {place.f_code.co_qualname} ({place_of(place)}) waits for {waits_for}"
    )


def _frames(awaited: Any) -> Iterable[FrameType]:
    """The frames of a coroutine and of what it awaits, outermost first."""
    while awaited is not None:
        for kind in ("cr", "gi", "ag"):
            frame = getattr(awaited, f"{kind}_frame", None)
            if frame is not None:
                if getattr(awaited, f"{kind}_running", False) or frame.f_lasti >= 0:
                    yield frame
                awaited = getattr(awaited, f"{kind}_await", None) or getattr(
                    awaited, "gi_yieldfrom", None
                )
                break
        else:
            return


def _is_asyncio(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_ASYNCIO_FOLDER)


def _awaited(task: "asyncio.Task[Any]") -> str:
    """What the innermost frame awaits: a task by its name, a future by its class."""
    future = getattr(task, "_fut_waiter", None)
    if isinstance(future, asyncio.Task):
        return f"task {future.get_name()}"
    return type(future).__name__ if future is not None else "the loop"
