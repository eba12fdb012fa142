"""When the broker looks for segments that retention no longer keeps.

Kafka looks every `log.retention.check.interval.ms`. Looks that can find nothing are left out here:
the timer is set for the first look at which some segment may go, so that an idle broker does
nothing. What goes is decided in `logs.py`.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from station_sim.kafka.error_codes import RefusalError
from station_sim.kafka.logs import PartitionLog

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster


class RetentionTimer:
    """Deletes old segments at the instants Kafka's own cleaner would."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster
        self._first_look_s = 0.0
        self.due_ms: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin with the broker."""
        initial_s = self._cluster.settings.log_initial_task_delay_ms / 1000
        self._first_look_s = asyncio.get_running_loop().time() + initial_s
        for log in self._cluster.topics.logs():
            self.watch(log)

    def stop(self) -> None:
        """End with the broker."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self.due_ms = None

    def watch(self, log: PartitionLog) -> None:
        """Something changed in a log: look in time for it."""
        due_ms = self._due_of(log)
        if due_ms is None or (self.due_ms is not None and self.due_ms <= due_ms):
            return
        if self._timer is not None:
            self._timer.cancel()
        self.due_ms = due_ms
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(self._look_at_s(due_ms, loop.time()), self._look)

    def _due_of(self, log: PartitionLog) -> int | None:
        config = log.config
        if config.deletes and 0 <= config.retention_bytes < log.size_bytes:
            return self._cluster.now_ms()
        return log.expires_at_ms()

    def _look_at_s(self, due_ms: int, now_s: float) -> float:
        """The first of the regular looks at or after `due_ms`, in the loop's time."""
        due_s = now_s + max(0, due_ms - self._cluster.now_ms()) / 1000
        interval_s = self._cluster.settings.log_retention_check_interval_ms / 1000
        looks = max(0, -(-(due_s - self._first_look_s) // interval_s))
        return self._first_look_s + looks * interval_s

    def _look(self) -> None:
        self._timer = None
        self.due_ms = None
        now_ms = self._cluster.now_ms()
        logs = list(self._cluster.topics.logs())
        for log in logs:
            with suppress(RefusalError):  # what cannot be written down is done at a later look
                log.delete_old_segments(now_ms)
        for log in logs:
            self.watch(log)
