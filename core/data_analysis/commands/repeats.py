"""Holds back what a client's log would say ten times a second, such as a topic that is not there.

For programs of ours that write the log; the library leaves loggers of others alone.
"""

import logging

INTERVAL_SECONDS = 60.0


class OncePerMinute(logging.Filter):
    """Lets each line of `name` and below through once a minute, with how many were held back."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._written_at: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written; what is of other loggers always is."""
        if record.levelno < logging.WARNING or not super().filter(record):
            return True
        text = record.getMessage()
        last = self._written_at.get(text)
        if last is not None and record.created - last < INTERVAL_SECONDS:
            self._held_back[text] = self._held_back.get(text, 0) + 1
            return False
        self._written_at[text] = record.created
        held_back = self._held_back.pop(text, 0)
        if held_back:
            record.msg, record.args = "%s (%d more since the last such line)", (text, held_back)
        return True
