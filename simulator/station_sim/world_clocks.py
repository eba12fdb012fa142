"""The world's clock in place of the process's: `time.*`, `datetime.now`, aiokafka's record builder.

How a function is replaced is in `seams.py`. Code that waits in real time is refused, see
`guards.py`.
"""

import datetime
import time
from collections.abc import Callable
from typing import Any, Protocol

from aiokafka.producer.message_accumulator import BatchBuilder

from station_sim.seams import Seams

NS_PER_S = 1_000_000_000

_SINCE_START = ("monotonic", "perf_counter", "process_time", "thread_time")
_BROKEN_DOWN = ("localtime", "gmtime", "ctime")
_WALL_CLOCK_IDS = {
    getattr(time, name)
    for name in ("CLOCK_REALTIME", "CLOCK_TAI")
    if hasattr(time, name)  # they differ between systems
}


class Clock(Protocol):
    """What the clocks need of a virtual loop."""

    def time(self) -> float:
        """Seconds since the world began."""
        ...

    def wall_time(self) -> float:
        """Epoch seconds."""
        ...


def replace_clocks(seams: Seams, loop: Clock) -> None:
    """Have every clock of the process show the time of `loop`."""

    def clock_gettime(clock_id: int) -> float:
        return loop.wall_time() if clock_id in _WALL_CLOCK_IDS else loop.time()

    seams.replace_reading(time, "time", loop.wall_time)
    seams.replace_reading(time, "time_ns", lambda: int(loop.wall_time() * NS_PER_S))
    for name in _SINCE_START:
        seams.replace_reading(time, name, loop.time)
        seams.replace_reading(time, f"{name}_ns", lambda: int(loop.time() * NS_PER_S))
    if hasattr(time, "clock_gettime"):
        seams.replace(time, "clock_gettime", clock_gettime)
        seams.replace(
            time, "clock_gettime_ns", lambda clock_id: int(clock_gettime(clock_id) * NS_PER_S)
        )
    _replace_calendar(seams, loop)
    seams.replace(BatchBuilder, "append", _append_at_world_time(BatchBuilder.append, loop))


def _replace_calendar(seams: Seams, loop: Clock) -> None:
    for name in _BROKEN_DOWN:
        seams.replace(time, name, _at_world_time(getattr(time, name), loop))
    for name, form in (("strftime", time.strftime), ("asctime", time.asctime)):
        seams.replace(time, name, _formatted_at_world_time(form, time.localtime))
    _replace_datetime(seams, loop)


def _at_world_time(real: Callable[..., Any], loop: Clock) -> Callable[..., Any]:
    def broken_down(seconds: float | None = None) -> Any:
        return real(loop.wall_time() if seconds is None else seconds)

    return broken_down


def _formatted_at_world_time(
    real: Callable[..., str], localtime: Callable[[], Any]
) -> Callable[..., str]:
    """`strftime(text)` and `asctime()` without a moment; the moment is their last argument."""

    def formatted(*args: Any) -> str:
        has_moment = args and not isinstance(args[-1], str)
        return real(*args) if has_moment else real(*args, localtime())

    return formatted


def _append_at_world_time(real: Callable[..., Any], loop: Clock) -> Callable[..., Any]:
    """aiokafka's record builder reads the C clock where no timestamp is given: give it ours."""

    def append(builder: BatchBuilder, *, timestamp: int | None, **record: Any) -> Any:
        if timestamp is None:
            timestamp = int(loop.wall_time() * 1000)
        return real(builder, timestamp=timestamp, **record)

    return append


def _replace_datetime(seams: Seams, loop: Clock) -> None:
    """`datetime.now` and `utcnow` read the C clock; `today` asks `time.time`.

    The class is the interpreter's own, known by many names and parent of many classes, so its
    methods are exchanged in the class itself.
    """
    real_now, real_utcnow = (vars(datetime.datetime)[name] for name in ("now", "utcnow"))
    seam = seams.of_caller

    def now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> datetime.datetime:
        if not seam():
            return real_now.__get__(None, cls)(tz)  # type: ignore[no-any-return]  # a C method
        return cls.fromtimestamp(loop.wall_time(), tz)

    def utcnow(cls: type[datetime.datetime]) -> datetime.datetime:
        if not seam():
            return real_utcnow.__get__(None, cls)()  # type: ignore[no-any-return]  # a C method
        return cls.fromtimestamp(loop.wall_time(), datetime.UTC).replace(tzinfo=None)

    seams.exchange(datetime.datetime, now=classmethod(now), utcnow=classmethod(utcnow))
