"""What `health()` tells of a service: whether it lives, whether it is ready, and why not.

The services say what they know; the words and keys are made here, the same for both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from data_analysis.engine import Engine
from data_analysis.gaps import GapEvent

STOPPED = "the service is not running"


def health_of(
    engine: Engine,
    status: Mapping[str, Any],
    trouble: Sequence[str],
    gaps: Iterable[GapEvent],
    *,
    running: bool,
    positions_known: bool,
) -> dict[str, Any]:
    """Return the answer of `health()`.

    `live` is False where only a restart helps: polling has ended though nobody stopped it. `ready`
    is True where records are read and worked on. `reason` is the first trouble, None without any.

    Args:
        engine: its counters, what is in flight, commits without an answer.
        status: the answer of `get_service_status()`.
        trouble: what is not as it should be, one line each.
        gaps: the newest gaps.
        running: between start and stop.
        positions_known: whether every partition's position is known.
    """
    polling = bool(status["main_thread_alive"])
    ready = running and polling and positions_known and bool(status["consumer_alive"])
    return {
        "status": "stopped" if not running else "degraded" if trouble else "ok",
        "live": polling or not running,
        "ready": ready,
        "reason": STOPPED if not running else trouble[0] if trouble else None,
        "trouble": list(trouble),
        **status,
        "in_flight": engine.in_flight,
        "commits_unknown": engine.offsets.commits_unknown,
        "gaps": [{**asdict(gap), "cause": str(gap.cause)} for gap in gaps],
        "counters": engine.counters.shown(),
    }
