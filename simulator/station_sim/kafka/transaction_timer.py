"""When the coordinator looks for transactions that have been open for too long.

Kafka looks every `transaction.abort.timed.out.transaction.cleanup.interval.ms`. Looks that can find
nothing are left out here: the timer is set for the first look at which some transaction may have
timed out, and for none while nothing is open.
"""

from collections.abc import Callable

from station_sim.kafka.group_timers import RunningLoop, Scheduler, TimerHandle


class TransactionTimer:
    """Calls `look` at the instants of Kafka's own looks, from `start` on, as far as needed."""

    def __init__(
        self,
        look: Callable[[], None],
        *,
        now_ms: Callable[[], int],
        interval_ms: int,
        scheduler: Scheduler | None = None,
    ) -> None:
        self._look = look
        self._now_ms = now_ms
        self._interval_s = interval_ms / 1000
        self._scheduler = scheduler or RunningLoop()
        self._started_s = 0.0
        self._due_ms: int | None = None
        self._handle: TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether it will look."""
        return self._handle is not None

    def start(self) -> None:
        """Begin with the broker: the looks are counted from here."""
        self._started_s = self._scheduler.time()

    def stop(self) -> None:
        """End with the broker."""
        self.clear()

    def watch(self, due_ms: int) -> None:
        """Look at `due_ms` (epoch ms) or as soon after as Kafka would."""
        if self._due_ms is not None and self._due_ms <= due_ms:
            return
        self.clear()
        self._due_ms = due_ms
        now_s = self._scheduler.time()
        due_s = now_s + max(0, due_ms - self._now_ms()) / 1000
        looks = max(1, -(-(due_s - self._started_s) // self._interval_s))
        delay_s = self._started_s + looks * self._interval_s - now_s
        self._handle = self._scheduler.call_later(max(0.0, delay_s), self._fire)

    def clear(self) -> None:
        """Nothing is open: look no more."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
        self._due_ms = None

    def _fire(self) -> None:
        self._handle = None
        self._due_ms = None
        self._look()
