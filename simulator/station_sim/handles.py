"""What a virtual loop keeps of a callback: asyncio's handles, made in fewer steps.

A world makes two or three of them for every message, so what asyncio's own constructors do one by
one is done here at once. Where asyncio's debug mode wants tracebacks, they are called.
"""

import asyncio
from asyncio import format_helpers
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any


class Soon(asyncio.Handle):
    """A callback that is ready."""

    __slots__ = ()
    _args: Any
    _callback: Any
    _cancelled: bool
    _context: Context

    def __init__(
        self, callback: Callable[..., object], args: Any, loop: Any, context: Context | None
    ) -> None:
        if loop._debug:
            asyncio.Handle.__init__(self, callback, args, loop, context)
            return
        self._context: Any = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = self._source_traceback = None


class Timer(asyncio.TimerHandle):
    """A callback that is due at a time; `_scheduled` while it is in the loop's heap."""

    __slots__ = ()
    _args: Any
    _callback: Any
    _cancelled: bool
    _context: Context
    _loop: Any
    _scheduled: bool

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Any,
        loop: Any,
        context: Context | None,
    ) -> None:
        if loop._debug:
            asyncio.TimerHandle.__init__(self, when, callback, args, loop, context)
            return
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = self._source_traceback = None
        self._when = when
        self._scheduled = False

    def cancel(self) -> None:
        """As asyncio's."""
        if self._loop._debug:
            asyncio.TimerHandle.cancel(self)
        elif not self._cancelled:
            self._loop._timer_handle_cancelled(self)
            self._cancelled = True
            self._callback = self._args = None


def report(handle: Any, error: BaseException) -> None:
    """Tell the loop's exception handler that a callback failed, as asyncio's handles do."""
    called = format_helpers._format_callback_source(handle._callback, handle._args)
    told = {"message": f"Exception in callback {called}", "exception": error, "handle": handle}
    if handle._source_traceback:
        told["source_traceback"] = handle._source_traceback
    handle._loop.call_exception_handler(told)
