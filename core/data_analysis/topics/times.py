"""Local times on the wire: text to seconds and back. No clock, and no zone, is looked at.

All are of one zone, so they are reckoned with as if it were UTC.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SEND_TIME_KEY = "sendTime"
HOUR_SECONDS = 3600

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_CHARACTERS = len("2026-03-01")
_SHORTEST = len("2026-03-01 09:00:00")
_LONGEST = len("2026-03-01 09:00:00.000000")


def local_seconds(text: object) -> int | None:
    """Return the seconds from 1970 to a `YYYY-MM-DD HH:MM:SS` of the same zone.

    None if it is no such time, if there is no such date, or if it is before 1970.
    """
    if type(text) is not str or not _SHORTEST <= len(text) <= _LONGEST:
        return None
    return _read(text)


def seconds_of_all(texts: Sequence[object]) -> list[int | None]:
    """Return the seconds of each of many texts; see `local_seconds`."""
    if set(map(type, texts)) == {str}:
        lengths = set(map(len, texts))  # type: ignore[arg-type]  # texts
        if min(lengths) >= _SHORTEST and max(lengths) <= _LONGEST:
            return [*map(_read, texts)]
    return [*map(local_seconds, texts)]


@lru_cache(maxsize=4096)
def _read(text: str) -> int | None:
    if text[4] != "-" or text[_DAY_CHARACTERS] not in " T":
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if time.tzinfo is not None or time.year < _EPOCH.year:
        return None
    return int((time.replace(tzinfo=UTC) - _EPOCH).total_seconds())


@lru_cache(maxsize=64)
def hour_marks(newest: int, count: int) -> tuple[str, ...]:
    """Return `count` times, an hour apart, oldest first, up to the local second `newest`."""
    end = (_EPOCH + timedelta(seconds=newest)).replace(tzinfo=None)
    return tuple(
        (end - timedelta(hours=back)).isoformat(" ", "seconds") for back in range(count - 1, -1, -1)
    )
