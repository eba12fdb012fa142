"""Sends commits when they are due, in threads of their own: one at a time, with a deadline each.

What is sent, and what an answer means, is decided in `data_analysis.kafka.commits`.
"""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

from data_analysis.failure import Failed
from data_analysis.kafka.commits import (
    COMMIT_TIMEOUT_SECONDS,
    Committing,
    SendCommit,
    commit_safe,
)
from data_analysis.kafka.errors import CLIENT_ERRORS, UnansweredError, unanswered
from data_analysis.kafka.sync_member import GroupMember
from data_analysis.observe import Counters
from data_analysis.offsets import OffsetManager
from data_analysis.sync_threads import ends_with_process

logger = logging.getLogger(__name__)


class Committer:
    """Commits what the offset manager says is safe, as one member of a group.

    Args:
        member: on whose behalf to commit.
        offsets: what is safe.
        counters: where commits are counted.
        lock: held by whoever touches the engine and its offsets.
        failed: called with what nobody has foreseen.
        shares: whether other members commit other topics of the same offset manager.
    """

    def __init__(
        self,
        member: GroupMember,
        offsets: OffsetManager,
        counters: Counters,
        lock: threading.RLock,
        failed: Failed,
        *,
        shares: bool = False,
    ) -> None:
        self.last_error: str | None = None
        self._member = member
        self._failed = failed
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._waiting: Future[None] | None = None
        self._offsets = offsets
        self._counters = counters
        self._lock = lock
        self._shares = shares
        self._stopping = threading.Event()
        self._one_at_a_time = threading.Lock()

    def commit_soon(self) -> "Future[None]":
        """Commit in a thread of its own; once more after a commit that is under way.

        The lock is held.
        """
        if self._waiting is None:
            self._waiting = self._pool.submit(self._commit_wanted)
        return self._waiting

    def stop(self) -> None:
        """Begin no more commits, and have retries end."""
        self._stopping.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _commit_wanted(self) -> None:
        with self._lock:
            self._waiting = None
        try:
            self.commit()
        except BaseException as error:
            if ends_with_process(error):
                raise
            self._failed("committing", error)

    def commit(
        self, tries: int | None = None, timeout_seconds: float = COMMIT_TIMEOUT_SECONDS
    ) -> bool:
        """Commit what is safe now; return whether it was acknowledged, or nothing was to do.

        `tries` is the manager's `max_commit_retries` unless given; each has `timeout_seconds`.
        """
        if not self._one_at_a_time.acquire(timeout=timeout_seconds):
            logger.warning("commit not sent: the last one has no answer yet")
            return False
        topics = self._member.topics if self._shares else None
        try:
            committing = commit_safe(self._offsets, self._counters, tries, topics)
            return self._drive(committing, timeout_seconds)
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
            self._member.commit(commit.offsets, int(timeout_seconds * 1000))
        except CLIENT_ERRORS as error:
            return unanswered(error)
        return None


class Commits:
    """Sends commits when they are due, each member's without waiting for the others'.

    Args:
        offsets: when a commit is due.
        lock: held by whoever touches the engine and its offsets.

    `committers`, one for each member, changes under the lock.
    """

    def __init__(self, offsets: OffsetManager, lock: threading.RLock) -> None:
        self.committers: list[Committer] = []
        self._offsets = offsets
        self._lock = lock
        self._changed = threading.Condition(lock)
        self._idle = False
        self._stopped = False

    def nudge(self) -> None:
        """Look again whether a commit is due: something was finished. The lock is held."""
        if self._idle or self._offsets.full():
            self._changed.notify()

    def run(self) -> None:
        """Commit, whenever it is due, until the end."""
        with self._lock:
            while not self._stopped:
                wait_seconds = self._offsets.seconds_until_due()
                if wait_seconds != 0:
                    self._idle = wait_seconds is None
                    self._changed.wait(wait_seconds)
                    self._idle = False
                else:
                    self._send()

    def commit(self) -> None:
        """Commit what is safe now, and wait for it."""
        with self._lock:
            sent = self._send()
        wait(sent)

    def stop(self) -> None:
        """Have `run` end, and what is under way with it."""
        with self._lock:
            self._stopped = True
            for committer in self.committers:
                committer.stop()
            self._changed.notify_all()

    def _send(self) -> "list[Future[None]]":
        if self._stopped:
            return []
        self._offsets.attempted()
        return [committer.commit_soon() for committer in self.committers]
