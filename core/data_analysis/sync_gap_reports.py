"""Tells of gaps in the blocking service: the log, the newest ones, and the user's `on_gap`.

Nothing waits for a handler: it runs in a thread of its own, one gap after another.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from data_analysis.gap_log import GapLog
from data_analysis.gaps import GapEvent
from data_analysis.observe import Counters

logger = logging.getLogger(__name__)


class GapReports(GapLog):
    """Where gaps go.

    Args:
        on_gap: `(GapEvent)`; None for nobody.
        counters: where failing handlers are counted.
    """

    def __init__(self, on_gap: Callable[[GapEvent], Any] | None, counters: Counters) -> None:
        super().__init__()
        self._on_gap = on_gap
        self._counters = counters
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="on-gap")
        self._handing_over = threading.Lock()
        self._stopped = False
        self._here: int | None = None
        self._newest_told: Future[None] | None = None

    def report(self, gap: GapEvent) -> None:
        """Log a gap, keep it, and hand it to the handler, unless stopped."""
        self.write(gap)
        with self._handing_over:
            if self._on_gap is not None and not self._stopped:
                self._newest_told = self._pool.submit(self._tell, self._on_gap, gap)

    def stop(self, timeout_seconds: float) -> None:
        """Let running handlers finish within a limit, but for one that calls this itself."""
        with self._handing_over:
            self._stopped = True
        if self._newest_told is not None and self._here != threading.get_ident():
            wait([self._newest_told], timeout=timeout_seconds)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _tell(self, on_gap: Callable[[GapEvent], Any], gap: GapEvent) -> None:
        self._here = threading.get_ident()
        try:
            on_gap(gap)
        except BaseException:
            self._counters.handler_errors += 1
            logger.exception("on_gap failed for %s partition %d", gap.topic, gap.partition)
