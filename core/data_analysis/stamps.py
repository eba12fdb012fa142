"""Local times as the wire writes them, `2026-01-31 12:00:00`, and as seconds since 1970.

A text takes twenty times as much room. Zones and other spellings are not known here: such texts
stay what they are.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

LENGTH = 19
LAST = 2**32 - 2
"""The largest number of seconds, in 2106: behind it is one number that says something else."""

FEWEST_TEXTS = 4_096
MOST_TEXTS = 50_000
"""Texts that are kept for who reads the same times again: as windows are read that have more, more,
until there are more than the longest windows have."""

_TWO_DIGITS = {f"{number:02}": number for number in range(60)}
_SECOND = timedelta(seconds=1)
_FIRST = datetime(1970, 1, 1)  # noqa: DTZ001 - local, whatever the zone


def seconds_of(text: str) -> int | None:
    """Return the seconds from 1970 to a local time, None for another text of this `LENGTH`."""
    hour = _hour_of(text[:14])
    minute, second = _TWO_DIGITS.get(text[14:16]), _TWO_DIGITS.get(text[17:])
    if hour is None or minute is None or second is None or text[16] != ":":
        return None
    return hour + 60 * minute + second


@lru_cache(maxsize=4096)
def _hour_of(text: str) -> int | None:
    """Return the seconds to the hour that `2026-01-31 12:` begins."""
    # Of all that is an hour of this length, one spelling has these marks here.
    if text[4:11:3] != "-- " or text[13] != ":":
        return None
    try:
        seconds = (datetime.fromisoformat(text + "00") - _FIRST) // _SECOND
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LAST - 3600 else None


class StampTexts(dict[int, Any]):
    """The text of each number of seconds that was asked for; the same object for all who ask.

    Args:
        others: numbers that stand for something else, and what for.
        most: entries held at a time; beyond, all are forgotten and made anew.
    """

    def __init__(self, others: dict[int, None], most: int = FEWEST_TEXTS) -> None:
        super().__init__(others)
        self._others = others
        self._most = most

    def of_all(self, seconds: list[int]) -> list[str | None]:
        """Return the text of each."""
        wanted = min(len(seconds) * 5 // 4, MOST_TEXTS)
        if wanted > self._most:
            self._most = wanted
        return [*map(self.__getitem__, seconds)]

    def __missing__(self, seconds: int) -> str:
        return self.shared(seconds, str(_FIRST + timedelta(seconds=seconds)))

    def shared(self, seconds: int, text: str) -> str:
        """Return the text that all get, the one given where there was none."""
        if len(self) >= self._most:
            self.clear()
            self.update(self._others)
        known: str = self.setdefault(seconds, text)
        return known
