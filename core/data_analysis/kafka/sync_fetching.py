"""Keeps kafka-python from spinning while the group's coordinator does not answer, or for ever.

Its poll waits no longer than until the next heartbeat is due. While the last one has no answer the
next is not sent, however long it has been due: the poll then waits for nothing, over and over,
until its time is up, and takes a whole core.

It joins while it sees a reason to. If that passes before it has joined (a topic that was deleted is
there again) it never looks at how the join ended, sends no heartbeat any more and reads nothing.
"""

import time
from typing import Any

from data_analysis.clock import WALL

LATE_TURN_SECONDS = 0.02
"""How long records may lie there, at most, while a heartbeat is late."""


def poll(client: Any, timeout_ms: float, max_records: int | None) -> Any:
    """Return what kafka-python's consumer returns of one poll, without its spinning."""
    deadline = WALL.monotonic() + timeout_ms / 1000
    while True:
        _finish_join(client._coordinator)
        left_ms = max(0.0, (deadline - WALL.monotonic()) * 1000)
        calm_ms = _calm_ms(client)
        wait_ms = left_ms if calm_ms is None else min(left_ms, calm_ms)
        polled = client.poll(timeout_ms=wait_ms, max_records=max_records)
        left_seconds = deadline - WALL.monotonic()
        if polled or left_seconds <= 0:
            return polled
        if calm_ms == 0:
            time.sleep(min(LATE_TURN_SECONDS, left_seconds))


def _finish_join(coordinator: Any) -> None:
    """Have a join that has begun come to its end, whatever became of the reason for it."""
    if coordinator.rejoining and not coordinator.need_rejoin():
        coordinator.request_rejoin()


def _calm_ms(client: Any) -> float | None:
    """Return for how long a poll waits as it should, None for as long as it may.

    A member that has to join again waits for that, and is not to be interrupted.
    """
    coordinator = client._coordinator
    heartbeat = coordinator.heartbeat
    if heartbeat.last_send <= heartbeat.last_receive or coordinator.need_rejoin():
        return None
    seconds: float = coordinator.time_to_next_heartbeat()
    return seconds * 1000
