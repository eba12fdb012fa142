"""cProfile over all threads of a process; it slows Python down, and calls in C less."""

import cProfile
import pstats
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


def profiled(file: str, function: Callable[[], T]) -> T:
    """Call a function; what it and the threads begun meanwhile spent is in the file then."""
    profiles: list[cProfile.Profile] = []

    def begin(_frame: FrameType, _event: str, _argument: Any) -> None:
        # A thread's first event; enabling puts the profile in the place of this function.
        profile = cProfile.Profile()
        profiles.append(profile)
        profile.enable()

    threading.setprofile(begin)
    here = cProfile.Profile()
    try:
        return here.runcall(function)
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]  # None ends it, says the manual
        stats = pstats.Stats(here)
        for profile in profiles:
            stats.add(_Taken(profile))
        stats.dump_stats(file)


class _Taken:
    """The figures of a thread that may still run: only it could end its profile."""

    def __init__(self, profile: cProfile.Profile) -> None:
        self._profile = profile
        self.stats: dict[Any, Any] = {}

    def create_stats(self) -> None:
        """Give pstats what it asks for."""
        self._profile.snapshot_stats()
        self.stats = self._profile.stats  # type: ignore[attr-defined]  # not in typeshed
