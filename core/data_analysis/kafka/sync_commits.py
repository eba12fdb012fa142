"""Sends commits when they are due, in a thread of its own: one at a time, with a deadline each.

What is sent, and what an answer means, is decided in `data_analysis.kafka.commits`.
"""

import logging
import threading

from data_analysis.kafka.commits import (
    COMMIT_TIMEOUT_SECONDS,
    Committing,
    SendCommit,
    commit_safe,
)
from data_analysis.kafka.consumer import KafkaConsumerClient
from data_analysis.kafka.errors import CLIENT_ERRORS, UnansweredError, unanswered
from data_analysis.observe import Counters
from data_analysis.offsets import OffsetManager

logger = logging.getLogger(__name__)


class Committer:
    """Commits what the offset manager says is safe.

    Args:
        consumer: the group member on whose behalf to commit.
        offsets: what is safe, and when a commit is due.
        counters: where commits are counted.
        lock: held by whoever touches the engine and its offsets.
    """

    def __init__(
        self,
        consumer: KafkaConsumerClient,
        offsets: OffsetManager,
        counters: Counters,
        lock: threading.RLock,
    ) -> None:
        self.last_error: str | None = None
        self._consumer = consumer
        self._offsets = offsets
        self._counters = counters
        self._lock = lock
        self._changed = threading.Condition(lock)
        self._idle = False
        self._stopping = threading.Event()
        self._one_at_a_time = threading.Lock()

    def nudge(self) -> None:
        """Look again whether a commit is due: something was finished. The lock is held."""
        if self._idle or self._offsets.full():
            self._changed.notify()

    def run(self) -> None:
        """Commit, whenever it is due, until the end."""
        while not self._stopping.is_set():
            with self._lock:
                wait_seconds = self._offsets.seconds_until_due()
                if wait_seconds != 0:
                    self._idle = wait_seconds is None
                    self._changed.wait(wait_seconds)
                    self._idle = False
                    continue
            self.commit()

    def stop(self) -> None:
        """Have `run` end, and retries with it."""
        self._stopping.set()
        with self._lock:
            self._changed.notify_all()

    def commit(
        self, tries: int | None = None, timeout_seconds: float = COMMIT_TIMEOUT_SECONDS
    ) -> bool:
        """Commit what is safe now; return whether it was acknowledged, or nothing was to do.

        `tries` is the manager's `max_commit_retries` unless given; each has `timeout_seconds`.
        """
        if not self._one_at_a_time.acquire(timeout=timeout_seconds):
            logger.warning("commit not sent: the last one has no answer yet")
            return False
        try:
            return self._drive(commit_safe(self._offsets, self._counters, tries), timeout_seconds)
        finally:
            self._one_at_a_time.release()

    def _drive(self, committing: Committing, timeout_seconds: float) -> bool:
        """Send what a commit asks for until it is done."""
        error: UnansweredError | None = None
        while True:
            try:
                with self._lock:
                    step = next(committing) if error is None else committing.throw(error)
            except StopIteration as done:
                return bool(done.value)
            error = None
            if isinstance(step, SendCommit):
                error = self._send(step, timeout_seconds)
                self.last_error = None if error is None else str(error)
            elif self._stopping.wait(step.seconds):
                return False

    def _send(self, commit: SendCommit, timeout_seconds: float) -> UnansweredError | None:
        try:
            self._consumer.commit(commit.offsets, int(timeout_seconds * 1000))
        except CLIENT_ERRORS as error:
            return unanswered(error)
        return None
