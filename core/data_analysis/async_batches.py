"""Calls batch handlers in the asynchronous service, and keeps the time of batches.

When a batch ends, and whether its handler is called again, is the engine's decision.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from data_analysis.batches import BatchCollector, BatchResultAggregator
from data_analysis.cancelling import ends_the_task
from data_analysis.clock import Clock
from data_analysis.effects import Effect
from data_analysis.engine import Engine

logger = logging.getLogger(__name__)


class BatchTasks:
    """One task per handler that runs, and one timer for all batches.

    Args:
        engine: gets what became of a handler.
        aggregator: knows the handler; says when the time of a batch has changed.
        perform: does the engine's effects.
        clock: that of the aggregator.
        stall_seconds: holding the loop longer is worth a warning.
    """

    def __init__(
        self,
        engine: Engine,
        aggregator: BatchResultAggregator,
        perform: Callable[[Sequence[Effect]], None],
        clock: Clock,
        stall_seconds: float,
    ) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._perform = perform
        self._clock = clock
        self._stall_seconds = stall_seconds
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False
        self._loop = asyncio.get_running_loop()
        aggregator.changed = self._changed

    def run(self, batch: BatchCollector) -> None:
        """Call the handler for a batch, in a task of its own; not any more once stopped."""
        if self._stopped:
            return
        task = self._loop.create_task(self._work(batch))
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def stop(self, timeout_seconds: float) -> None:
        """Wait for running handlers within a limit, then cancel; batches time out no more.

        The handler that stops the service goes on. A batch that is open, or whose handler has not
        returned, comes again with its record.
        """
        self._stopped = True
        self._aggregator.changed = _nobody
        if self._timer is not None:
            self._timer.cancel()
        here = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not here]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout_seconds)
            if late:
                logger.warning(
                    "%d batch handlers did not end within %g s", len(late), timeout_seconds
                )
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _changed(self) -> None:
        """Note that the timer may be wrong now; numbers may be changed from any thread."""
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._set_timer()
        else:
            self._loop.call_soon_threadsafe(self._set_timer)

    def _set_timer(self) -> None:
        if self._stopped:
            return
        due = self._aggregator.next_due()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            delay_seconds = max(0.0, due - self._clock.monotonic())
            self._timer = self._loop.call_later(delay_seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        self._perform(self._engine.batches_due())
        self._set_timer()

    async def _work(self, batch: BatchCollector) -> None:
        if not self._engine.wants(batch):
            return
        handler = self._aggregator.batch_upload_handler
        assert handler is not None, "batches are only opened where there is a handler"
        error: BaseException | None = None
        began = self._clock.monotonic()
        try:
            answer = handler(batch.batch_id, batch.results)
            self._check_stall(batch, began)
            if hasattr(answer, "__await__"):
                await answer
        except BaseException as raised:
            if ends_the_task(raised):
                raise
            error = raised
        self._perform(self._engine.batch_handled(batch, error))

    def _check_stall(self, batch: BatchCollector, began: float) -> None:
        held = self._clock.monotonic() - began
        if held > self._stall_seconds:
            logger.warning(
                "the handler of batch %s held the event loop for %.1f s: nothing else ran;"
                " make it a coroutine that awaits",
                batch.batch_id,
                held,
            )


def _nobody() -> None:
    """Nobody listens: the service is stopped."""
