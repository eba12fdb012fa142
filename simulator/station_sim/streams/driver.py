"""Records handed over by the loop's clock: story time follows `loop.time()`, at a stated pace.

On a virtual loop the pace is 1; on a real one a pace of 240 lets four story minutes pass in a wall
second. Who makes the records knows nothing of either.
"""

import asyncio
import math
from collections.abc import Callable, Iterator
from itertools import chain

from station_sim.streams.record import Record

RECORDS_PER_TURN_MAX = 1000  # then the loop's other work gets a turn, when the driver lags behind


class StoryClock:
    """Story time, for the service's `clock=`, the gateway and the driver alike.

    `time()` is the story's wall clock in epoch seconds (what records are stamped with and data
    expire by); `monotonic()` is the loop's own time, unscaled, by which everything else goes.
    The story stands at `story_s` seconds after `epoch_s` when the clock is made.
    """

    def __init__(
        self,
        epoch_s: float,
        pace: float = 1.0,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        story_s: float = 0.0,
    ) -> None:
        if not (pace > 0 and math.isfinite(pace)):
            raise ValueError(f"pace must be finite and > 0 story seconds per second, got {pace}")
        self.epoch_s = epoch_s
        self.pace = pace
        self._loop = loop or asyncio.get_running_loop()
        self._began = self._loop.time() - story_s / pace

    def time(self) -> float:
        """The story's wall clock: epoch seconds."""
        return self.epoch_s + self.story_s()

    def monotonic(self) -> float:
        """The loop's time in seconds; only differences mean something."""
        return self._loop.time()

    def story_s(self) -> float:
        """Story seconds since the story began."""
        return (self._loop.time() - self._began) * self.pace

    def loop_time(self, story_s: float) -> float:
        """The loop's time at which a story instant comes."""
        return self._began + story_s / self.pace


class RecordDriver:
    """Hands records over, each when its story time has come; `now_s` is how far it is.

    `records` come in the order of `sent_ms`. Records of one instant cost one wake-up; a driver
    that lags behind real time catches up, in order.
    """

    def __init__(
        self, records: Iterator[Record], clock: StoryClock, submit: Callable[[Record], None]
    ) -> None:
        self.now_s = 0.0
        self._records = records
        self._clock = clock
        self._submit = submit
        self._next = next(records, None)

    async def drive(self, until_s: float) -> None:
        """Returns when story time has reached `until_s`; records due then are the next part's."""
        loop = asyncio.get_running_loop()
        while self._next is not None and self._next.sent_ms < until_s * 1000:
            due_s = self._next.sent_ms / 1000
            await _sleep_until(loop, self._clock.loop_time(due_s))
            self._hand_over(min(max(due_s, self._clock.story_s()), until_s) * 1000, until_s * 1000)
        await _sleep_until(loop, self._clock.loop_time(until_s))
        self.now_s = max(self.now_s, until_s)

    def _hand_over(self, now_ms: float, until_ms: float) -> None:
        """What is due by `now_ms` and before `until_ms`, a bounded number of records."""
        for _ in range(RECORDS_PER_TURN_MAX):
            record = self._next
            if record is None or record.sent_ms > now_ms or record.sent_ms >= until_ms:
                return
            self._submit(record)
            self._next = next(self._records, None)


def told_ahead(records: Iterator[Record]) -> Iterator[Record]:
    """The same records, the first of them made now: not when a clock runs already."""
    first = next(records, None)
    return records if first is None else chain([first], records)


async def _sleep_until(loop: asyncio.AbstractEventLoop, when: float) -> None:
    await asyncio.sleep(max(0.0, when - loop.time()))
