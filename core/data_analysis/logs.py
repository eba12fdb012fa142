"""Writes the engine's notes to a log, those with a limit at most once a minute."""

import logging

from data_analysis.clock import Clock
from data_analysis.effects import Note

INTERVAL_SECONDS = 60.0


class LimitedLog:
    """A logger that counts what it holds back.

    Args:
        logger: where notes go.
        clock: for the interval.
    """

    def __init__(self, logger: logging.Logger, clock: Clock) -> None:
        self._logger = logger
        self._clock = clock
        self._written_at: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def write(self, note: Note) -> None:
        """Write a note, or count it if one of its kind was written a moment ago."""
        text = note.text
        if note.limit is not None:
            now = self._clock.monotonic()
            last = self._written_at.get(note.limit)
            if last is not None and now - last < INTERVAL_SECONDS:
                self._held_back[note.limit] = self._held_back.get(note.limit, 0) + 1
                return
            self._written_at[note.limit] = now
            held_back = self._held_back.pop(note.limit, 0)
            if held_back:
                text += f" ({held_back} more since the last such line)"
        self._logger.log(note.level, text, *note.details, exc_info=note.error)
