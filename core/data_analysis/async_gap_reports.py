"""Tells of gaps in the async service: the log, the newest ones, and the user's `on_gap`.

Nothing waits for a handler: reading goes on while a coroutine of the user pages somebody. What a
gap is lives in `data_analysis.gaps`, how one is found in `data_analysis.kafka.positions`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from data_analysis.gap_log import GapLog
from data_analysis.gaps import GapEvent
from data_analysis.observe import Counters

logger = logging.getLogger(__name__)


class GapReports(GapLog):
    """Where gaps go.

    Args:
        on_gap: `(GapEvent)`, sync or async; None for nobody.
        counters: where failing handlers are counted.
    """

    def __init__(self, on_gap: Callable[..., Any] | None, counters: Counters) -> None:
        super().__init__()
        self._on_gap = on_gap
        self._counters = counters
        self._tasks: dict[asyncio.Task[None], None] = {}

    def report(self, gap: GapEvent) -> None:
        """Log a gap, keep it, and hand it to the handler; a coroutine runs on its own."""
        self.write(gap)
        if self._on_gap is None:
            return
        try:
            answer = self._on_gap(gap)
        except Exception:
            self._failed(gap)
            return
        if hasattr(answer, "__await__"):
            task = asyncio.create_task(self._finish(gap, answer))
            self._tasks[task] = None
            task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def stop(self, timeout_seconds: float) -> None:
        """Let running handlers finish within a limit."""
        here = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not here]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_seconds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _finish(self, gap: GapEvent, answer: Awaitable[Any]) -> None:
        try:
            await answer
        except Exception:
            self._failed(gap)

    def _failed(self, gap: GapEvent) -> None:
        self._counters.handler_errors += 1
        logger.exception("on_gap failed for %s partition %d", gap.topic, gap.partition)
