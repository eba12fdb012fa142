"""Calls batch handlers in the blocking service, and keeps the time of batches.

When a batch ends, and whether its handler is called again, is the engine's decision.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from data_analysis.batches import BatchCollector, BatchResultAggregator
from data_analysis.clock import Clock
from data_analysis.effects import Effect
from data_analysis.engine import Engine
from data_analysis.sync_threads import ends_with_process

logger = logging.getLogger(__name__)

HANDLERS_AT_A_TIME = 8


class BatchThreads:
    """A pool for handlers, and one thread that waits for what is due.

    Args:
        engine: gets what became of a handler.
        lock: held by whoever touches the engine; never while a handler runs.
        aggregator: knows the handler; says when the time of a batch has changed.
        perform: does the engine's effects, under the lock.
        clock: that of the aggregator.
        failed: told of what none of this has foreseen.
    """

    def __init__(
        self,
        engine: Engine,
        lock: threading.RLock,
        aggregator: BatchResultAggregator,
        perform: Callable[[Sequence[Effect]], None],
        clock: Clock,
        failed: Callable[[str, BaseException], None],
    ) -> None:
        self._engine = engine
        self._lock = lock
        self._aggregator = aggregator
        self._perform = perform
        self._clock = clock
        self._failed = failed
        self._pool = ThreadPoolExecutor(HANDLERS_AT_A_TIME, thread_name_prefix="batch")
        self._running: dict[Future[None], BatchCollector] = {}
        self._here = threading.local()
        self._stopped = False
        self._news = threading.Condition(lock)
        aggregator.changed = self._changed

    def run(self) -> None:
        """End batches when their time is up, until the end."""
        with self._lock:
            while not self._stopped:
                due = self._aggregator.next_due()
                left = None if due is None else due - self._clock.monotonic()
                if left is None or left > 0:
                    self._news.wait(left)
                else:
                    self._perform(self._engine.batches_due())

    def call(self, batch: BatchCollector) -> None:
        """Call the handler for a batch, in a thread; not any more once stopped. The lock is held.

        A batch whose handler is not called comes again with its record.
        """
        if not self._stopped:
            future = self._pool.submit(self._work, batch)
            self._running[future] = batch
            future.add_done_callback(self._forget)

    def stop(self, timeout_seconds: float) -> None:
        """Wait for running handlers within a limit; batches time out no more.

        The handler that stops the service goes on. A batch that is open, or whose handler has not
        returned, comes again with its record.
        """
        with self._lock:
            self._stopped = True
            self._news.notify_all()
            here = getattr(self._here, "batch", None)
            running = [each for each, batch in self._running.items() if batch is not here]
        self._pool.shutdown(wait=False)
        late = wait(running, timeout=timeout_seconds).not_done
        if late and timeout_seconds:
            logger.warning("%d batch handlers did not end within %g s", len(late), timeout_seconds)

    def _changed(self) -> None:
        """Note that what is due may have changed; numbers may be changed from any thread."""
        with self._lock:
            self._news.notify_all()

    def _forget(self, future: Future[None]) -> None:
        with self._lock:
            self._running.pop(future, None)

    def _work(self, batch: BatchCollector) -> None:
        handler = self._aggregator.batch_upload_handler
        assert handler is not None, "batches are only opened where there is a handler"
        with self._lock:
            if not self._engine.wants(batch):
                return
        error: BaseException | None = None
        self._here.batch = batch
        try:
            handler(batch.batch_id, batch.results)
        except BaseException as raised:
            if ends_with_process(raised):
                raise
            error = raised
        finally:
            self._here.batch = None
        try:
            with self._lock:
                self._perform(self._engine.batch_handled(batch, error))
        except BaseException as unforeseen:
            if ends_with_process(unforeseen):
                raise
            self._failed("a batch", unforeseen)
