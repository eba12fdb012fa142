"""The clock that services are given: what it must offer, and the system's own.

Nothing else in the library reads a clock. The system's functions are looked up at every call, so a
program that replaces `time.time` and `time.monotonic` (virtual time does) is followed.
"""

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Two readings, both in seconds."""

    def time(self) -> float:
        """Return seconds since the epoch: expiry, output timestamps."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never steps back: intervals."""


class SystemClock:
    """The clock of the machine, or whatever replaces `time.time` and `time.monotonic`."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    @property
    def monotonic(self) -> Callable[[], float]:
        """What returns seconds of the monotonic clock: it is asked for twice a callback."""
        return time.monotonic


WALL: Clock = SystemClock()
"""What threads that wait go by, whatever clock a service was given."""
