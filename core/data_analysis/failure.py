"""What ends a service: an error that none of its parts has foreseen, said once."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)


Failed = Callable[[str, BaseException], None]
"""Is told what has failed, and of what."""


class Failure:
    """The first such error of a run; `text` is None until there is one.

    Args:
        end: called with the first one, to end the run; it must not wait.
    """

    def __init__(self, end: Callable[[], None]) -> None:
        self.text: str | None = None
        self._end = end
        self._lock = threading.Lock()

    def declare(self, what: str, error: BaseException) -> None:
        """End the run because `what` cannot go on; every further call does nothing."""
        with self._lock:
            if self.text is not None:
                return
            self.text = f"the service has ended: {what} met {type(error).__name__}: {error}"
        logger.critical("%s; restart it", self.text, exc_info=error)
        self._end()


def declare_end(what: str, failed: Failed, task: "asyncio.Task[Any]") -> None:
    """Tell of an error that has ended a task; to be called when it is done."""
    if not task.cancelled():
        error = task.exception()
        if error is not None:
            failed(what, error)
