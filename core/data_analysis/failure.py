"""What ends a service: an error that none of its parts has foreseen, said once."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


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
