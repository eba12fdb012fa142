"""Ctrl-C that waits for a write to end, so that what was written can be read.

Outside of writes it interrupts at once, as usual.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Use as `with`, in the main thread; `shielded` blocks are not interrupted but right after."""

    def __init__(self) -> None:
        self._is_shielded = False
        self._came = False

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Let a write end; raises `KeyboardInterrupt` afterwards if Ctrl-C came in between."""
        self._is_shielded = True
        try:
            yield
        finally:
            self._is_shielded = False
        if self._came:
            raise KeyboardInterrupt

    def __enter__(self) -> "Interruption":
        self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again, self._came = self._came, True
        if again or not self._is_shielded:
            raise KeyboardInterrupt
