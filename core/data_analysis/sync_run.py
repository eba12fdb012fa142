"""One run of the blocking service: the threads that live between its start and its stop.

Here effects are performed, and here is the order in which parts begin and end. One thread polls,
one commits, one searches for positions, one sends results; callbacks have a pool. Whoever touches
the engine holds the one lock, and nobody waits for Kafka or for a callback while holding it.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from data_analysis.clock import Clock
from data_analysis.effects import Effect, Note, RunCallback, RunHandlers, Upload
from data_analysis.engine import Engine
from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.consumer import KafkaConsumerClient
from data_analysis.kafka.producer import KafkaProducerClient
from data_analysis.kafka.sync_commits import Committer
from data_analysis.kafka.sync_positions import SyncPositions
from data_analysis.kafka.sync_uploads import Uploader
from data_analysis.logs import LimitedLog
from data_analysis.offsets import Partition
from data_analysis.options import ServiceOptions
from data_analysis.sync_gap_reports import GapReports
from data_analysis.sync_polling import Poller
from data_analysis.sync_stations import StationThreads

logger = logging.getLogger(__name__)

START_TIMEOUT_SECONDS = 60.0
"""How long the start waits for the positions of its partitions."""

REVOCATION_COMMIT_SECONDS = 5.0
"""How long a rebalance waits for the last commit of what it takes away."""

THREAD_END_SECONDS = 30.0
"""How long the end waits for a thread that waits for Kafka; all of their waits are shorter."""


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
    ) -> None:
        self._engine = engine
        self._lock = lock
        self._consumer = consumer
        self._producer = producer
        self._stations = stations
        self._options = options
        self._clock = clock
        self._gap_reports = gap_reports
        self._log = LimitedLog(logger, clock)
        self._closing = False
        self._uploader = Uploader(producer, self._settled, engine.counters)
        self._committer = Committer(consumer, engine.offsets, engine.counters, lock)
        self._positions = SyncPositions(
            consumer,
            engine,
            clock,
            lock,
            gap_reports.report,
            self._committer.nudge,
            lambda tp: self._poller.forget(tp),
        )
        self._poller = Poller(
            consumer,
            engine,
            lock,
            self._positions,
            self.perform,
            clock,
            options.max_pending_records,
            lambda: stations.forget(engine.dispatcher.station_ids()),
            self.revoked,
        )
        self._polling = _thread("polling", self._poller.run)
        self._committing = _thread("committing", self._committer.run)
        self._searching = _thread("positions", self._positions.run)
        self._uploading = _thread("uploading", self._uploader.run)

    @property
    def polling(self) -> bool:
        """Whether the polling thread runs."""
        return self._polling.is_alive()

    def start(self) -> None:
        """Connect, begin to poll, return when the positions are found.

        Raises:
            KafkaConnectionError: Kafka cannot be reached, or does not say where to read from.
        """
        if self._options.output_topic or self._options.dead_letter_topic:
            self._producer.connect()
        self._consumer.connect()
        for thread in (self._uploading, self._committing, self._searching, self._polling):
            thread.start()
        if self._positions.wait_until_known(START_TIMEOUT_SECONDS, self._is_broken):
            return
        if self._is_broken():
            raise KafkaConnectionError(f"joining the group failed: {self._poller.last_error}")
        searching = [f"{tp.topic}/{tp.partition}" for tp in self._positions.searching]
        raise KafkaConnectionError(
            f"no position found within {START_TIMEOUT_SECONDS:g} s for"
            f" {', '.join(searching) or ', '.join(self._consumer.topics)}"
        )

    def stop(self) -> None:
        """End in the order that loses nothing: polling, callbacks, uploads, commit, clients."""
        limit_seconds = self._options.stop_timeout_seconds
        self._poller.stop()
        _join(self._polling)
        late = self._stations.wait_for(None, limit_seconds)
        if late:
            logger.warning("%d callbacks did not end within %g s", late, limit_seconds)
        self._uploader.stop(limit_seconds)
        self._stations.wait_for(None, 0 if late else limit_seconds)
        self._committer.commit()
        self._gap_reports.stop(limit_seconds)
        self.abort()

    def abort(self) -> None:
        """Close everything, finishing nothing."""
        self._closing = True
        self._poller.stop()
        self._positions.stop()
        self._committer.stop()
        self._stations.stop()
        self._uploader.stop(0)
        self._gap_reports.stop(0)
        for thread in (self._polling, self._searching, self._committing, self._uploading):
            _join(thread)
        try:
            self._consumer.close()
        finally:
            self._producer.close()

    def perform(self, effects: Sequence[Effect]) -> None:
        """Do what the engine wants done. The lock is held."""
        if self._closing:
            return
        for effect in effects:
            if isinstance(effect, RunCallback | RunHandlers):
                self._stations.run(effect)
            elif isinstance(effect, Upload):
                self._uploader.submit(effect)
            elif isinstance(effect, Note):
                self._log.write(effect)
        # Something may have been finished: there may be a commit to send, and room for records.
        self._committer.nudge()
        self._poller.progressed()

    def resubscribe(self, topics: Sequence[str]) -> None:
        """Read other topics: what is in work is finished and committed, then the group rejoined."""
        self._consumer.read(topics)
        self._poller.rejoin_soon()

    def assigned(self, partitions: list[Partition]) -> None:
        """Find the positions of partitions that are ours now."""
        self._positions.assigned(partitions)

    def revoked(self, partitions: list[Partition]) -> None:
        """Finish what is in work for these partitions, within a limit, commit it, give them up.

        The commit carries the generation that ends: once another member may own the partitions,
        Kafka refuses it. From the return on nothing is committed for them, and what is still in
        work counts no more: their next owner sees those records again.
        """
        if self._closing:
            return
        self._poller.revoked(partitions)
        with self._lock:
            owned = any(self._engine.offsets.owns(tp) for tp in partitions)
        if owned:
            self._committer.commit(tries=1, timeout_seconds=REVOCATION_COMMIT_SECONDS)
        self.lost(partitions)

    def lost(self, partitions: list[Partition]) -> None:
        """Give partitions up that others own already."""
        with self._lock:
            self._positions.revoked()
            self._engine.revoked(partitions)
            self._poller.drop(partitions)

    @property
    def positions_known(self) -> bool:
        """Whether it is known where every partition of this member is read."""
        return not self._positions.searching

    def trouble(self) -> list[str]:
        """Return what is not as it should be, one line each. The lock is held."""
        trouble = [
            f"position of {tp.topic} partition {tp.partition} is not known"
            for tp in self._positions.searching
        ]
        if self._uploader.last_error is not None:
            trouble.append(f"upload: {self._uploader.last_error}")
        if self._committer.last_error is not None:
            trouble.append(f"commit: {self._committer.last_error}")
        if self._poller.last_error is not None:
            trouble.append(f"poll: {self._poller.last_error}")
        if self._positions.held:
            trouble.append("paused: too many records in work")
        for name, thread in (
            ("polling", self._polling),
            ("committing", self._committing),
            ("searching for positions", self._searching),
            ("uploading", self._uploading),
        ):
            if not thread.is_alive():
                trouble.append(f"{name} has ended")
        return trouble

    def _is_broken(self) -> bool:
        return self._poller.failed_for_good or not self._polling.is_alive()

    def _settled(self, ticket: Any, error: str | None) -> None:
        with self._lock:
            self.perform(self._engine.acknowledged(ticket, self._clock.time(), error))


def _thread(name: str, run: Callable[[], None]) -> threading.Thread:
    def guarded() -> None:
        try:
            run()
        except Exception:
            logger.critical("%s has ended", name, exc_info=True)

    return threading.Thread(target=guarded, name=f"data-analysis-{name}", daemon=True)


def _join(thread: threading.Thread) -> None:
    if thread.is_alive() and thread is not threading.current_thread():
        thread.join(THREAD_END_SECONDS)
