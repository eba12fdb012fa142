"""Calls the handlers of an aggregator that no service looks after.

Services do it in their own way: see `data_analysis.async_batches`.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_analysis.batches import BatchCollector, BatchResultAggregator

logger = logging.getLogger(__name__)


class LoneBatches:
    """Calls a handler as soon as its batch has ended; keeps time where an event loop runs.

    Without a loop a batch times out at the next call of the aggregator.

    Args:
        aggregator: whose batches.
    """

    def __init__(self, aggregator: "BatchResultAggregator") -> None:
        self._aggregator = aggregator
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: dict[asyncio.Task[None], None] = {}

    def changed(self) -> None:
        """Something was opened, has ended, or is timed otherwise."""
        for batch in self._aggregator.take_ended():
            self._call(batch)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._aggregator.next_due()
        if due is not None:
            delay_seconds = max(0.0, due - self._aggregator.clock.monotonic())
            self._timer = loop.call_later(delay_seconds, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._aggregator.expire()
        self.changed()

    def _call(self, batch: "BatchCollector") -> None:
        handler = self._aggregator.batch_upload_handler
        if handler is None:
            return
        try:
            answer: Any = handler(batch.batch_id, batch.results)
            if hasattr(answer, "__await__"):
                task = asyncio.get_running_loop().create_task(_finish(batch, answer))
                self._tasks[task] = None
                task.add_done_callback(lambda done: self._tasks.pop(done, None))
        except Exception:
            _log_failure(batch)


async def _finish(batch: "BatchCollector", answer: Awaitable[Any]) -> None:
    try:
        await answer
    except Exception:
        _log_failure(batch)


def _log_failure(batch: "BatchCollector") -> None:
    logger.exception("batch handler failed for %s", batch.batch_id)
