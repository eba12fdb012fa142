"""Sends results with kafka-python's producer, in a thread of its own, and retries what may pass.

Results of one key go out in the order in which they came: those that wait are sent together, the
next ones when all of them have an answer. What cannot pass is reported for the one record that
caused it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from kafka.errors import BrokerResponseError

from data_analysis.clock import WALL
from data_analysis.effects import Upload
from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.errors import describe, is_vague, may_pass, producer_is_lost
from data_analysis.kafka.producer import KafkaProducerClient, partition_for
from data_analysis.kafka.sync_sending import Sent
from data_analysis.observe import Counters
from data_analysis.sync_answers import Answers

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
ROUND = 1_000
"""Uploads that go out until their acknowledgements are looked for."""

VAGUE_TRIES = 20
"""How often in a row an error that says nothing may pass; with the waits, more than a minute."""


class _Lane:
    """The uploads of one key of one topic: `flying` ones have no answer yet."""

    __slots__ = ("delay_seconds", "failed", "flying", "key", "topic", "vague", "waiting")

    def __init__(self, topic: str, key: bytes) -> None:
        self.topic = topic
        self.key = key
        self.waiting: list[Upload] = []
        self.flying = 0
        self.failed: list[tuple[int, Upload]] = []
        self.vague = 0
        self.delay_seconds = FIRST_DELAY_SECONDS

    def take_off(self, most: int | None) -> list[Upload]:
        """Return the uploads of the next round, at most so many."""
        taken, self.waiting = self.waiting, []
        if most is not None:
            taken, self.waiting = taken[:most], taken[most:]
        self.flying = len(taken)
        return taken

    def put_back(self) -> int:
        """Have those that failed go first in the next round; return how many they are."""
        failed = [upload for _, upload in sorted(self.failed, key=lambda each: each[0])]
        self.failed.clear()
        self.waiting[:0] = failed
        return len(failed)


class _Sent(Sent):
    """An upload that goes out as the one of this index in its lane's round."""

    __slots__ = ("index", "lane")

    record: Upload

    def __init__(self, lane: _Lane, index: int, upload: Upload) -> None:
        super().__init__(upload)
        self.lane = lane
        self.index = index


class Uploader:
    """Queues uploads and tells `settled(tickets, error)` what became of them.

    Args:
        producer: the client; it is connected anew if it is lost.
        settled: called with the tickets of uploads, once for each of these, from two threads,
            with None or the reason why they are lost.
        counters: where retries are counted.
    """

    def __init__(
        self,
        producer: KafkaProducerClient,
        settled: Callable[[Sequence[Any], str | None], None],
        counters: Counters,
    ) -> None:
        self.last_error: str | None = None
        self._producer = producer
        self._settled = settled
        self._counters = counters
        self._linger_seconds = producer.options.linger_ms / 1000
        self._changed = threading.Condition()
        self._lanes: dict[tuple[str, bytes], _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._later: list[tuple[float, _Lane]] = []
        self._answers: Answers[Sequence[_Sent]] = Answers()
        self._flying = 0
        self._lingers = False
        self._suspects = 0
        self._lost: BaseException | None = None
        self._stopped = False

    def submit(self, uploads: Sequence[Upload]) -> None:
        """Queue uploads; each goes out at once unless others of its key have no answer yet."""
        with self._changed:
            for upload in uploads:
                place = (upload.topic, upload.key)
                lane = self._lanes.get(place)
                if lane is None:
                    lane = self._lanes[place] = _Lane(*place)
                    self._ready.append(lane)
                lane.waiting.append(upload)
            if self._ready:
                self._tell()

    def run(self) -> None:
        """Send what is ready, until the end."""
        while True:
            with self._changed:
                while not self._stopped and self._lost is None and not self._may_send():
                    self._changed.wait(self._until_next())
                    self._take_due()
                self._linger()
                if self._stopped:
                    return
                lost, self._lost = self._lost, None
                round_ = [] if lost is not None else self._next_round()
            if lost is not None:
                self._renew(lost)
            self._send(round_)

    def settle(self) -> None:
        """Tell what has become of what was sent, until the end."""
        while answers := self._answers.take():
            self._look_at([*chain.from_iterable(answers)])

    def stop(self, timeout_seconds: float) -> None:
        """Wait for answers within a limit; what is left then stays unacknowledged."""
        with self._changed:
            self._changed.wait_for(lambda: not self._lanes or self._stopped, timeout_seconds)
            self._stopped = True
            self._changed.notify_all()
        self._answers.stop()

    # The queue; the condition is held.

    def _may_send(self) -> bool:
        return bool(self._ready) and not (self._suspects and self._flying)

    def _next_round(self) -> list[tuple[_Lane, list[Upload]]]:
        """Return what goes out now: some that is ready, or one alone while some are suspects."""
        if self._suspects:
            lane = self._ready.popleft()
            round_ = [(lane, lane.take_off(1))]
        else:
            round_, count = [], 0
            while self._ready and count < ROUND:
                lane = self._ready.popleft()
                round_.append((lane, lane.take_off(None)))
                count += lane.flying
        self._flying += sum(lane.flying for lane, _ in round_)
        return round_

    def _linger(self) -> None:
        """Let more come: each round costs a request and turns of several threads."""
        if self._linger_seconds and len(self._ready) < ROUND:
            self._lingers = True
            self._changed.wait_for(
                lambda: len(self._ready) >= ROUND or self._stopped, self._linger_seconds
            )
            self._lingers = False

    def _tell(self) -> None:
        """Wake those who wait; who lets more come is not woken for less than there is to be."""
        if not self._lingers or len(self._ready) >= ROUND or not self._lanes:
            self._changed.notify_all()

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
        partitions: dict[str, int | None] = {}
        parts: dict[tuple[str, int], list[_Sent]] = {}
        for lane, uploads in round_:
            topic = lane.topic
            sents = [_Sent(lane, index, upload) for index, upload in enumerate(uploads)]
            if topic not in partitions:
                try:
                    partitions[topic] = self._producer.partitions(topic)
                except Exception as error:
                    again = [self._refuse(sent, error) for sent in sents]
                    if any(again):
                        partitions[topic] = None
                    continue
            count = partitions[topic]
            if count is None:
                for sent in sents:
                    self._land(sent, again=True)
                continue
            parts.setdefault((topic, partition_for(lane.key, count)), []).extend(sents)
        for (topic, partition), sents in parts.items():
            self._begin(topic, partition, sents)
        if parts:
            self._producer.wake()

    def _begin(self, topic: str, partition: int, sents: list[_Sent]) -> None:
        try:
            refused = self._producer.begin(topic, partition, sents, self._answers.add)
        except Exception as error:
            refused = [(sent, error) for sent in sents]
        for sent, reason in refused:
            self._refuse(sent, reason)

    def _look_at(self, sents: Sequence[_Sent]) -> None:
        errors = [sent.error for sent in sents]
        acknowledged = [sent for sent, error in zip(sents, errors, strict=True) if error is None]
        if acknowledged:
            self._settled([sent.record.ticket for sent in acknowledged], None)
            self._land_all(acknowledged)
        for sent, error in zip(sents, errors, strict=True):
            if error is not None:
                self._finish(sent, error, self._goes_again(sent.lane, error))

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

    def _refuse(self, sent: _Sent, error: Exception) -> bool:
        """An upload cannot go out; return whether it is tried again."""
        if isinstance(error, BrokerResponseError):
            again = self._goes_again(sent.lane, error)
        else:
            again = may_pass(error) or self._is_lost(error)
        self._finish(sent, error, again)
        return again

    def _finish(self, sent: _Sent, error: BaseException, again: bool) -> None:
        """An upload has failed: once more, or it is lost."""
        self.last_error = describe(error)
        if not again:
            upload = sent.record
            self._settled([upload.ticket], f"{upload.topic}: {describe(error)}")
        self._land(sent, again=again)

    def _land(self, sent: _Sent, *, again: bool) -> None:
        """One of a lane's uploads has failed, or has not gone out."""
        with self._changed:
            if again:
                sent.lane.failed.append((sent.index, sent.record))
            elif self._suspects:
                self._suspects -= 1
            self._come_down(sent.lane)
            self._changed.notify_all()

    def _land_all(self, acknowledged: list[_Sent]) -> None:
        with self._changed:
            self.last_error = None
            self._suspects = max(0, self._suspects - len(acknowledged))
            for sent in acknowledged:
                sent.lane.vague = 0
                self._come_down(sent.lane)
            self._tell()

    # The condition is held.

    def _come_down(self, lane: _Lane) -> None:
        self._flying -= 1
        lane.flying -= 1
        if lane.flying == 0:
            self._go_on(lane)

    def _go_on(self, lane: _Lane) -> None:
        """All of a lane's uploads have an answer: begin its next round, at once or later."""
        if lane.failed:
            self._counters.uploads_retried += lane.put_back()
            delay_seconds, topic = lane.delay_seconds, lane.topic
            logger.warning(
                "upload to %s is tried again in %g s: %s", topic, delay_seconds, self.last_error
            )
            self._later.append((WALL.monotonic() + delay_seconds, lane))
            lane.delay_seconds = min(2 * delay_seconds, LONGEST_DELAY_SECONDS)
            return
        lane.delay_seconds = FIRST_DELAY_SECONDS
        if lane.waiting:
            self._ready.append(lane)
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
