"""Regular looks at logs, of which those that can find nothing are left out.

Apache Kafka looks for work at its logs again and again. Here a timer is set for the first of these
looks at which there may be some, so that an idle broker does nothing. What there is to do is in
`retention.py` and `cleaner.py`.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from station_sim.kafka.error_codes import RefusalError
from station_sim.kafka.logs import PartitionLog


class RegularLooks:
    """Looks at logs `initial_ms()` after the start and every `interval_ms()` from then on.

    `due_of` tells when there may be something to do at a log, in epoch ms (None: never), and `act`
    does it; both are given the log and the time `now_ms()`.
    """

    def __init__(
        self,
        *,
        logs: Callable[[], Iterable[PartitionLog]],
        now_ms: Callable[[], int],
        initial_ms: Callable[[], int],
        interval_ms: Callable[[], int],
        due_of: Callable[[PartitionLog, int], int | None],
        act: Callable[[PartitionLog, int], object],
    ) -> None:
        self._logs = logs
        self._now_ms = now_ms
        self._initial_ms = initial_ms
        self._interval_ms = interval_ms
        self._due_of = due_of
        self._act = act
        self._first_look_s = 0.0
        self.due_ms: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin with the broker."""
        self._first_look_s = asyncio.get_running_loop().time() + self._initial_ms() / 1000
        for log in self._logs():
            self.watch(log)

    def stop(self) -> None:
        """End with the broker."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self.due_ms = None

    def watch(self, log: PartitionLog) -> None:
        """Something changed in a log: look in time for it."""
        now_ms = self._now_ms()
        due_ms = self._due_of(log, now_ms)
        if due_ms is None or (self.due_ms is not None and self.due_ms <= due_ms):
            return
        if self._timer is not None:
            self._timer.cancel()
        self.due_ms = due_ms
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(self._look_at_s(due_ms - now_ms, loop.time()), self._look)

    def _look_at_s(self, wait_ms: int, now_s: float) -> float:
        """The first of the regular looks after a wait, in the loop's time."""
        due_s = now_s + max(0, wait_ms) / 1000
        interval_s = max(1, self._interval_ms()) / 1000
        looks = max(0, -(-(due_s - self._first_look_s) // interval_s))
        return self._first_look_s + looks * interval_s

    def _look(self) -> None:
        self._timer = None
        self.due_ms = None
        now_ms = self._now_ms()
        logs = list(self._logs())
        for log in logs:
            with suppress(RefusalError):  # what cannot be written down is done at a later look
                self._act(log, now_ms)
        for log in logs:
            self.watch(log)
