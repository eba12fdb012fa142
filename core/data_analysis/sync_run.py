"""One run of the blocking service: the parts that live between its start and its stop.

Here effects are performed, and here is the order in which parts begin and end. What belongs to one
consumer alone is in `data_analysis.sync_reader`. Whoever touches the engine holds the one lock, and
nobody waits for Kafka or for a callback while holding it.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from data_analysis.batches import BatchResultAggregator
from data_analysis.clock import Clock
from data_analysis.effects import Effect, Note, RunBatchHandler, RunCallback, RunHandlers, Upload
from data_analysis.empty_polls import EmptyPoll
from data_analysis.engine import Engine
from data_analysis.errors import DataAnalysisError, KafkaConnectionError
from data_analysis.failure import Failure
from data_analysis.kafka.consumer import KafkaConsumerClient
from data_analysis.kafka.producer import KafkaProducerClient
from data_analysis.kafka.sync_commits import Commits
from data_analysis.kafka.sync_member import GroupMember
from data_analysis.kafka.sync_uploads import Uploader
from data_analysis.lanes import Job
from data_analysis.logs import LimitedLog
from data_analysis.offsets import Partition
from data_analysis.options import ServiceOptions
from data_analysis.poll_watch import PollWatch
from data_analysis.sync_batches import BatchThreads
from data_analysis.sync_gap_reports import GapReports
from data_analysis.sync_reader import Reader
from data_analysis.sync_stations import StationThreads
from data_analysis.sync_threads import guarded_thread, join, side_by_side

logger = logging.getLogger(__name__)


class SyncRun:
    """Connects, polls, performs, commits, closes.

    Args:
        engine: decides.
        lock: held by whoever touches the engine.
        consumer: not connected yet.
        producer: not connected yet; connected only if something is to be sent.
        stations: runs callbacks.
        options: of the service.
        clock: of the service.
        gap_reports: told of every gap.
        aggregator: knows the batch handler.
        ended: called when the run has ended by itself.
    """

    def __init__(
        self,
        engine: Engine,
        lock: threading.RLock,
        consumer: KafkaConsumerClient,
        producer: KafkaProducerClient,
        stations: StationThreads,
        options: ServiceOptions,
        clock: Clock,
        gap_reports: GapReports,
        aggregator: BatchResultAggregator,
        ended: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._lock = lock
        self._consumer = consumer
        self._producer = producer
        self._stations = stations
        self._options = options
        self._clock = clock
        self._gap_reports = gap_reports
        self._ended = ended
        self._log = LimitedLog(logger, clock)
        self._stopping = threading.Event()
        self._closing = False
        self._aborting = threading.Lock()
        self.failure = Failure(self._end)
        self._watch = PollWatch(consumer, clock)
        self._uploader = Uploader(producer, self._settled, engine.counters)
        self._batches = BatchThreads(
            engine, lock, aggregator, self.perform, clock, self.failure.declare
        )
        self._commits = Commits(engine.offsets, lock)
        self._readers: list[Reader] = []
        for member in consumer.members:
            self._add_reader(member)
        self._committing = guarded_thread("committing", self._commits.run, self.failure.declare)
        self._uploading = guarded_thread("uploading", self._uploader.run, self.failure.declare)
        self._watching = guarded_thread(
            "the work of a station", stations.watch, self.failure.declare
        )
        self._batching = guarded_thread("batches", self._batches.run, self.failure.declare)
        self._acknowledging = guarded_thread(
            "uploading", self._uploader.settle, self.failure.declare
        )
        self._leaving: list[threading.Thread] = []

    @property
    def polling(self) -> bool:
        """Whether the polling threads run."""
        return all(reader.polling for reader in self._readers)

    @property
    def positions_known(self) -> bool:
        """Whether every assigned partition is read from a position that is known."""
        return not any(reader.positions.searching for reader in self._readers)

    def start(self) -> None:
        """Connect, begin to poll, return when the positions are found.

        In multi-consumer mode a topic whose consumer cannot start is tried again in the background,
        unless none can.

        Raises:
            KafkaConnectionError: Kafka cannot be reached, or does not say where to read from.
            DataAnalysisError: something inside has failed.
        """
        if self._options.output_topic or self._options.dead_letter_topic:
            self._producer.connect(self._stopping)
        self._uploading.start()
        self._acknowledging.start()
        self._committing.start()
        self._watching.start()
        self._batching.start()
        self._start_readers()
        self._consumer.watch(self._progress)

    def _start_readers(self) -> None:
        """Start all side by side; those that cannot go on trying, if others could."""
        answers = side_by_side([reader.start for reader in self._readers])
        failed = [answer for answer in answers if answer is not None]
        if self.failure.text is not None:
            raise DataAnalysisError(self.failure.text)
        for error in failed:
            if len(failed) == len(answers) or not isinstance(error, KafkaConnectionError):
                raise error
        for reader, answer in zip(self._readers, answers, strict=True):
            if answer is not None:
                logger.error("consumer of %s: %s; trying again", reader.name, answer)
                reader.poller.last_error = str(answer)
                reader.join_and_poll()

    def stop(self) -> None:
        """End in the order that loses nothing: polling, callbacks, uploads, commit, clients."""
        self._stopping.set()
        if self.failure.text is None:
            self._finish(self._options.stop_timeout_seconds)
        self.abort()

    def abort(self) -> None:
        """Close everything, finishing nothing; a second call waits for the first."""
        self._stopping.set()
        with self._aborting:
            if not self._closing:
                self._closing = True
                self._close()

    def perform(self, effects: Sequence[Effect]) -> None:
        """Do what the engine wants done. The lock is held."""
        if self._closing:
            return
        jobs: list[Job] = []
        uploads: list[Upload] = []
        for effect in effects:
            if type(effect) is RunCallback or type(effect) is RunHandlers:
                jobs.append(effect)
            elif type(effect) is Upload:
                uploads.append(effect)
            elif isinstance(effect, RunBatchHandler):
                self._batches.call(effect.batch)
            elif isinstance(effect, Note):
                self._log.write(effect)
        if uploads:
            self._uploader.submit(uploads)
        if jobs:
            self._stations.run(jobs)
        # Something may have been finished: there may be a commit to send, and room for records.
        self._commits.nudge()
        for reader in self._readers:
            reader.poller.progressed()

    def resubscribe(self, topics: Sequence[str]) -> None:
        """Read other topics: what is in work is finished and committed, then the group rejoined.

        In multi-consumer mode consumers of new topics join, those of others leave; the rest go on.
        The lock is held.
        """
        self._watch.read(topics)
        if not self._consumer.per_topic:
            self._readers[0].member.read(topics)
            self._readers[0].poller.rejoin_soon()
            return
        for reader in [each for each in self._readers if each.name not in topics]:
            self._leave(reader)
        known = [reader.name for reader in self._readers]
        for topic in topics:
            if topic not in known:
                self._add_reader(self._consumer.add_member([topic])).join_and_poll()
        for reader in self._readers:
            reader.poller.most_pending = self._share()

    def explain_empty_polls(self) -> dict[str, EmptyPoll]:
        """Return why nothing comes, by topic. The lock is held."""
        return self._watch.explain(self._readers)

    def trouble(self) -> list[str]:
        """Return what is not as it should be, one line each. The lock is held."""
        trouble = [] if self.failure.text is None else [self.failure.text]
        trouble += [line for reader in self._readers for line in reader.trouble()]
        if self._uploader.last_error is not None:
            trouble.append(f"upload: {self._uploader.last_error}")
        if self._consumer.lag.last_error is not None:
            trouble.append(f"Kafka does not answer: {self._consumer.lag.last_error}")
        if self._engine.last_batch_error is not None:
            trouble.append(f"batch handler: {self._engine.last_batch_error}")
        for name, thread in (
            ("committing", self._committing),
            ("uploading", self._uploading),
            ("ending batches", self._batching),
        ):
            if not thread.is_alive():
                trouble.append(f"{name} has ended")
        return list(dict.fromkeys(trouble))

    def _add_reader(self, member: GroupMember) -> Reader:
        reader = Reader(
            member,
            self._engine,
            self._lock,
            self._clock,
            perform=self.perform,
            report=self._gap_reports.report,
            nudge=self._commits.nudge,
            begun=self._stations.wait_until_begun,
            ticked=lambda: self._stations.keep(self._engine.dispatcher.station_ids()),
            polled=self._watch.polled,
            failed=self.failure.declare,
            most_pending=self._share(),
            shares=self._consumer.per_topic,
        )
        self._readers.append(reader)
        self._commits.committers.append(reader.committer)
        return reader

    def _share(self) -> int:
        """Return how many records may be in work for one reader: each topic has its own."""
        readers = len(self._consumer.members) if self._consumer.per_topic else 1
        return max(1, self._options.max_pending_records // readers)

    def _leave(self, reader: Reader) -> None:
        """Have a reader finish its work and leave its group. The lock is held."""

        def leave() -> None:
            reader.give_up()
            with self._lock:
                self._commits.committers.remove(reader.committer)

        self._readers.remove(reader)
        self._consumer.members.remove(reader.member)
        thread = guarded_thread("leaving", leave, self.failure.declare)
        self._leaving = [each for each in self._leaving if each.is_alive()] + [thread]
        thread.start()

    def _finish(self, limit_seconds: float) -> None:
        """Finish what is in work, within limits, and commit it."""
        side_by_side([reader.stop_polling for reader in self._readers])
        late = self._stations.wait_for(None, limit_seconds)
        if late:
            logger.warning("%d callbacks did not end within %g s", late, limit_seconds)
        self._uploader.stop(limit_seconds)
        self._stations.wait_for(None, 0 if late else limit_seconds)
        self._batches.stop(limit_seconds)
        side_by_side([reader.stop_searching for reader in self._readers])
        self._commits.commit()
        self._gap_reports.stop(limit_seconds)

    def _close(self) -> None:
        for reader in self._readers:
            reader.let_go()
        self._commits.stop()
        self._stations.stop()
        self._batches.stop(0)
        self._uploader.stop(0)
        for thread in (
            *self._leaving,
            self._watching,
            self._batching,
            self._committing,
            self._uploading,
            self._acknowledging,
        ):
            join(thread)
        closing = [*(reader.close for reader in self._readers), self._consumer.lag.stop]
        failed = [error for error in side_by_side(closing) if error is not None]
        self._gap_reports.stop(0)
        self._producer.close()
        for error in failed:
            raise error

    def _end(self) -> None:
        """Close everything from a thread of its own: something has failed for good."""

        def end() -> None:
            try:
                self.abort()
            finally:
                self._ended()

        threading.Thread(target=end, name="data-analysis-ending", daemon=True).start()

    def _progress(self, tp: Partition) -> tuple[int | None, int | None]:
        with self._lock:
            offsets = self._engine.offsets
            if not offsets.owns(tp):
                return None, None
            return offsets.position(tp), offsets.committed(tp)

    def _settled(self, tickets: Sequence[Any], error: str | None) -> None:
        engine, now = self._engine, self._clock.time()
        with self._lock:
            if error is None:
                self.perform(engine.acknowledged_all(tickets, now))
            else:
                for ticket in tickets:
                    self.perform(engine.acknowledged(ticket, now, error))
