"""Sends results with kafka-python's producer, in a thread of its own, and retries what may pass.

Results of one key go out in the order in which they came: those that wait are sent together, the
next ones when all of them have an answer. What cannot pass is reported for the one record that
caused it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from data_analysis.clock import WALL
from data_analysis.effects import Upload
from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.errors import describe, is_vague, may_pass, producer_is_lost
from data_analysis.kafka.producer import KafkaProducerClient
from data_analysis.observe import Counters

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
VAGUE_TRIES = 20
"""How often in a row an error that says nothing may pass; with the waits, more than a minute."""


class _Lane:
    """The uploads of one key of one topic: `flying` ones have no answer yet."""

    __slots__ = ("delay_seconds", "failed", "flying", "key", "topic", "vague", "waiting")

    def __init__(self, topic: str, key: bytes) -> None:
        self.topic = topic
        self.key = key
        self.waiting: deque[Upload] = deque()
        self.flying = 0
        self.failed: list[tuple[int, Upload]] = []
        self.vague = 0
        self.delay_seconds = FIRST_DELAY_SECONDS

    def take_off(self, most: int | None) -> list[Upload]:
        """Return the uploads of the next round, at most so many."""
        count = len(self.waiting) if most is None else min(most, len(self.waiting))
        self.flying = count
        return [self.waiting.popleft() for _ in range(count)]

    def put_back(self) -> int:
        """Have those that failed go first in the next round; return how many."""
        failed = [upload for _, upload in sorted(self.failed, key=lambda each: each[0])]
        self.failed.clear()
        self.waiting.extendleft(reversed(failed))
        return len(failed)


class Uploader:
    """Queues uploads and tells `settled(ticket, error)` what became of each.

    Args:
        producer: the client; it is connected anew if it is lost.
        settled: called once per upload from any thread, with None or the reason why it is lost.
        counters: where retries are counted.
    """

    def __init__(
        self,
        producer: KafkaProducerClient,
        settled: Callable[[Any, str | None], None],
        counters: Counters,
    ) -> None:
        self.last_error: str | None = None
        self._producer = producer
        self._settled = settled
        self._counters = counters
        self._changed = threading.Condition()
        self._lanes: dict[tuple[str, bytes], _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._later: list[tuple[float, _Lane]] = []
        self._flying = 0
        self._suspects = 0
        self._lost: BaseException | None = None
        self._stopped = False

    def submit(self, upload: Upload) -> None:
        """Queue one upload; it goes out at once unless others of its key have no answer yet."""
        with self._changed:
            place = (upload.topic, upload.key)
            lane = self._lanes.get(place)
            if lane is None:
                lane = self._lanes[place] = _Lane(*place)
                self._make_ready(lane)
            lane.waiting.append(upload)

    def run(self) -> None:
        """Send what is ready, until the end."""
        while True:
            with self._changed:
                while not self._stopped and self._lost is None and not self._may_send():
                    self._changed.wait(self._until_next())
                    self._take_due()
                if self._stopped:
                    return
                lost, self._lost = self._lost, None
                round_ = [] if lost is not None else self._next_round()
            if lost is not None:
                self._renew(lost)
            self._send(round_)

    def stop(self, timeout_seconds: float) -> None:
        """Wait for answers within a limit; what is left then stays unacknowledged."""
        with self._changed:
            self._changed.wait_for(lambda: not self._lanes or self._stopped, timeout_seconds)
            self._stopped = True
            self._changed.notify_all()

    # The queue; the condition is held.

    def _make_ready(self, lane: _Lane) -> None:
        self._ready.append(lane)
        self._changed.notify_all()

    def _may_send(self) -> bool:
        return bool(self._ready) and not (self._suspects and self._flying)

    def _next_round(self) -> list[tuple[_Lane, list[Upload]]]:
        """Return what goes out now: all that is ready, or one alone while some are suspects."""
        if self._suspects:
            lane = self._ready.popleft()
            round_ = [(lane, lane.take_off(1))]
        else:
            round_ = [(lane, lane.take_off(None)) for lane in self._ready]
            self._ready.clear()
        self._flying += sum(len(uploads) for _, uploads in round_)
        return round_

    def _until_next(self) -> float | None:
        if not self._later:
            return None
        return max(0.0, min(due_at for due_at, _ in self._later) - WALL.monotonic())

    def _take_due(self) -> None:
        now = WALL.monotonic()
        due = [lane for due_at, lane in self._later if due_at <= now]
        if due:
            self._later = [each for each in self._later if each[0] > now]
            self._ready.extend(due)

    # Sending and answers.

    def _send(self, round_: list[tuple[_Lane, list[Upload]]]) -> None:
        """Begin to send; a topic that cannot be reached is not tried again and again."""
        unreachable: dict[str, None] = {}
        for lane, uploads in round_:
            for index, upload in enumerate(uploads):
                if lane.topic in unreachable:
                    self._land(lane, index, upload, again=True)
                elif not self._begin(lane, index, upload):
                    unreachable[lane.topic] = None

    def _begin(self, lane: _Lane, index: int, upload: Upload) -> bool:
        """Begin to send one upload; False if the next one would fare no better."""
        try:
            self._producer.begin(
                upload.topic,
                upload.key,
                upload.value,
                upload.timestamp_ms,
                list(upload.headers),
                lambda error: self._answered(lane, index, upload, error),
            )
        except Exception as error:  # kafka-python also raises ValueError and the like here
            again = may_pass(error) or self._is_lost(error)
            self._finish(lane, index, upload, error, again)
            return not again
        return True

    def _answered(
        self, lane: _Lane, index: int, upload: Upload, error: BaseException | None
    ) -> None:
        again = error is not None and self._goes_again(lane, error)
        self._finish(lane, index, upload, error, again)

    def _goes_again(self, lane: _Lane, error: BaseException) -> bool:
        """Return whether an upload that Kafka has refused is tried again.

        A refusal for good ends kafka-python's idempotent producer, which then refuses all that it
        holds for the same reason: who is refused alone is meant.
        """
        if may_pass(error):
            return True
        with self._changed:
            alone = self._suspects > 0
            self._lost = self._lost or error
            self._changed.notify_all()
            if producer_is_lost(error):
                return True
            if is_vague(error):
                lane.vague += 1
                return lane.vague <= VAGUE_TRIES
            if not alone:
                self._suspects += 1
            return not alone

    def _is_lost(self, error: BaseException) -> bool:
        if not producer_is_lost(error):
            return False
        with self._changed:
            self._lost = self._lost or error
        return True

    def _finish(
        self, lane: _Lane, index: int, upload: Upload, error: BaseException | None, again: bool
    ) -> None:
        if error is not None:
            self.last_error = describe(error)
        if not again:
            reason = None if error is None else f"{upload.topic}: {describe(error)}"
            self._settled(upload.ticket, reason)
        self._land(lane, index, upload, again=again, acknowledged=error is None)

    def _land(
        self, lane: _Lane, index: int, upload: Upload, *, again: bool, acknowledged: bool = False
    ) -> None:
        """One of a lane's uploads has its answer, or has not gone out."""
        with self._changed:
            self._flying -= 1
            lane.flying -= 1
            if again:
                lane.failed.append((index, upload))
            elif self._suspects:
                self._suspects -= 1
            if acknowledged:
                self.last_error = None
                lane.vague = 0
            if lane.flying == 0:
                self._go_on(lane)
            self._changed.notify_all()

    def _go_on(self, lane: _Lane) -> None:
        """All of a lane's uploads have an answer: begin its next round, at once or later."""
        count = lane.put_back()
        if count:
            self._counters.uploads_retried += count
            delay_seconds, topic = lane.delay_seconds, lane.topic
            logger.warning(
                "upload to %s is tried again in %g s: %s", topic, delay_seconds, self.last_error
            )
            self._later.append((WALL.monotonic() + delay_seconds, lane))
            lane.delay_seconds = min(2 * delay_seconds, LONGEST_DELAY_SECONDS)
            return
        lane.delay_seconds = FIRST_DELAY_SECONDS
        if lane.waiting:
            self._make_ready(lane)
        else:
            del self._lanes[lane.topic, lane.key]

    def _renew(self, error: BaseException) -> None:
        """Connect anew, however often that takes."""
        logger.error("the producer has ended and is replaced: %s", describe(error))
        self._producer.close()
        while not self._stopped:
            try:
                self._producer.connect()
            except KafkaConnectionError as refused:
                self.last_error = str(refused)
                logger.error("%s; trying again", refused)
            else:
                return
