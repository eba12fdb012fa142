"""SimPy's clock driven by the loop: story time follows `loop.time()`, at a stated pace.

On a virtual loop the pace is 1; on a real one a pace of 240 lets four story minutes pass in a wall
second. The processes themselves know nothing of either.
"""

import asyncio
import math

import simpy

EVENTS_PER_TURN_MAX = 1000  # then the loop's other work gets a turn, when the world lags behind


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


async def drive(
    env: simpy.Environment,
    until_s: float,
    *,
    clock: StoryClock | None = None,
    pace: float = 1.0,
) -> None:
    """Run the events of `env` that come before `until_s`, each when its story time has come.

    Without `clock` story time goes on from `env.now` at `pace`; with one, `pace` is the clock's.
    Returns when story time has reached `until_s`; `env.now` is `until_s` then. Events of one
    instant cost one wake-up. A world that lags behind real time catches up, events in order.
    """
    loop = asyncio.get_running_loop()
    if clock is None:
        clock = StoryClock(0.0, pace, loop, story_s=env.now)
    while (due_s := env.peek()) < until_s:
        await _sleep_until(loop, clock.loop_time(due_s))
        _step_through(env, min(max(due_s, clock.story_s()), until_s), until_s)
    await _sleep_until(loop, clock.loop_time(until_s))
    if env.now < until_s:
        env.run(until=until_s)


def _step_through(env: simpy.Environment, now_s: float, until_s: float) -> None:
    """Process what is due by `now_s` and before `until_s`, a bounded number of events."""
    for _ in range(EVENTS_PER_TURN_MAX):
        due_s = env.peek()
        if due_s > now_s or due_s >= until_s:
            return
        env.step()


async def _sleep_until(loop: asyncio.AbstractEventLoop, when: float) -> None:
    await asyncio.sleep(max(0.0, when - loop.time()))
