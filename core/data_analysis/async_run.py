"""One run of the asynchronous service: the parts that live between its start and its stop.

Here effects are performed, and here is the order in which parts begin and end.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from data_analysis.async_batches import BatchTasks
from data_analysis.async_gap_reports import GapReports
from data_analysis.async_polling import Poller
from data_analysis.async_stations import StationTasks
from data_analysis.batches import BatchResultAggregator
from data_analysis.clock import Clock
from data_analysis.effects import Effect, Note, RunBatchHandler, RunCallback, RunHandlers, Upload
from data_analysis.engine import Engine
from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.async_commits import Committer
from data_analysis.kafka.async_consumer import AsyncKafkaConsumerClient
from data_analysis.kafka.async_positions import Positions
from data_analysis.kafka.async_producer import AsyncKafkaProducerClient
from data_analysis.kafka.async_uploads import Uploader
from data_analysis.logs import LimitedLog
from data_analysis.options import ServiceOptions

logger = logging.getLogger(__name__)

START_TIMEOUT_SECONDS = 60.0
"""How long the start waits for the positions of its partitions."""

REVOCATION_COMMIT_SECONDS = 5.0
"""How long a rebalance waits for the last commit of what it takes away."""


class AsyncRun:
    """Connects, polls, performs, commits, closes.

    Args:
        engine: decides.
        consumer: not started yet.
        producer: not started yet; started only if something is to be sent.
        stations: runs callbacks.
        options: of the service.
        clock: of the service.
        gap_reports: told of every gap.
        aggregator: knows the batch handler.
    """

    def __init__(
        self,
        engine: Engine,
        consumer: AsyncKafkaConsumerClient,
        producer: AsyncKafkaProducerClient,
        stations: StationTasks,
        options: ServiceOptions,
        clock: Clock,
        gap_reports: GapReports,
        aggregator: BatchResultAggregator,
    ) -> None:
        self._engine = engine
        self._consumer = consumer
        self._producer = producer
        self._stations = stations
        self._options = options
        self._clock = clock
        self._log = LimitedLog(logger, clock)
        self._uploader = Uploader(producer, self._settled, engine.counters)
        self._committer = Committer(consumer, engine.offsets, engine.counters)
        self._gap_reports = gap_reports
        self._batches = BatchTasks(
            engine, aggregator, self.perform, clock, options.callback_stall_seconds
        )
        self._positions = Positions(
            consumer,
            engine,
            clock,
            gap_reports.report,
            self._committer.nudge,
            lambda tp: self._poller.forget(tp),
        )
        self._poller = Poller(
            consumer,
            engine,
            self._positions,
            self.perform,
            clock,
            options.max_pending_records,
            lambda: stations.forget(engine.dispatcher.station_ids()),
            self.revoked,
        )
        self._polling: asyncio.Task[None] | None = None
        self._committing: asyncio.Task[None] | None = None

    @property
    def polling(self) -> bool:
        """Whether the polling task runs."""
        return self._polling is not None and not self._polling.done()

    async def start(self) -> None:
        """Connect, find the positions, begin to poll.

        Raises:
            KafkaConnectionError: Kafka cannot be reached, or does not say where to read from.
        """
        if self._options.output_topic or self._options.dead_letter_topic:
            await self._producer.start()
        self._committing = asyncio.create_task(self._committer.run())
        self._committing.add_done_callback(lambda task: _log_end("committing", task))
        await self._consumer.start()
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                await self._positions.found()
        except TimeoutError:
            searching = [f"{tp.topic}/{tp.partition}" for tp in self._positions.searching]
            raise KafkaConnectionError(
                f"no position found within {START_TIMEOUT_SECONDS:g} s for {', '.join(searching)}"
            ) from None
        self._polling = asyncio.create_task(self._poller.run())
        self._polling.add_done_callback(lambda task: _log_end("polling", task))

    async def stop(self) -> None:
        """End in the order that loses nothing: polling, callbacks, uploads, commit, clients."""
        limit_seconds = self._options.stop_timeout_seconds
        await _end(self._polling)
        try:
            late = await self._stations.stop(limit_seconds)
            if late:
                logger.warning("%d callbacks did not end within %g s", late, limit_seconds)
            await self._uploader.stop(limit_seconds)
            await self._stations.stop(limit_seconds)
            await self._batches.stop(limit_seconds)
            await self._committer.commit()
            await self._gap_reports.stop(limit_seconds)
        finally:
            await self.abort()

    async def abort(self) -> None:
        """Close everything, finishing nothing."""
        await _end(self._polling)
        await self._positions.stop()
        await self._stations.stop(0)
        await self._batches.stop(0)
        await self._uploader.stop(0)
        await self._gap_reports.stop(0)
        await _end(self._committing)
        try:
            await self._consumer.stop()
        finally:
            await self._producer.stop()

    def perform(self, effects: Sequence[Effect]) -> None:
        """Do what the engine wants done."""
        for effect in effects:
            if isinstance(effect, RunCallback | RunHandlers):
                self._stations.run(effect)
            elif isinstance(effect, RunBatchHandler):
                self._batches.run(effect.batch)
            elif isinstance(effect, Upload):
                self._uploader.submit(effect)
            elif isinstance(effect, Note):
                self._log.write(effect)
        # Something may have been finished: there may be a commit to send, and room for records.
        self._committer.nudge()
        self._poller.progressed()
        if self._engine.idle:
            self._uploader.flush()

    def resubscribe(self, topics: Sequence[str]) -> None:
        """Read other topics: what is in work is finished and committed, then the group rejoined."""
        self._consumer.read(topics)
        self._poller.rejoin_soon()

    def assigned(self, partitions: list[Any]) -> None:
        """Find the positions of partitions that are ours now."""
        self._positions.assigned(partitions)

    async def revoked(self, partitions: list[Any]) -> None:
        """Finish what is in work for these partitions, within a limit, commit it, give them up.

        The commit carries the generation that ends: once another member may own the partitions,
        Kafka refuses it. From the return on nothing is committed for them, and what is still in
        work counts no more: their next owner sees those records again.
        """
        await self._poller.revoked(partitions, self._uploader.flush)
        if any(self._engine.offsets.owns(tp) for tp in partitions):
            try:
                async with asyncio.timeout(REVOCATION_COMMIT_SECONDS):
                    await self._committer.commit(tries=1)
            except TimeoutError:
                logger.warning(
                    "last commit of revoked partitions not known within %g s",
                    REVOCATION_COMMIT_SECONDS,
                )
        self._positions.revoked()
        self._engine.revoked(partitions)

    def trouble(self) -> list[str]:
        """Return what is not as it should be, one line each."""
        trouble = [
            f"position of {tp.topic} partition {tp.partition} is not known"
            for tp in self._positions.searching
        ]
        if self._uploader.last_error is not None:
            trouble.append(f"upload: {self._uploader.last_error}")
        if self._engine.last_batch_error is not None:
            trouble.append(f"batch handler: {self._engine.last_batch_error}")
        if self._poller.last_error is not None:
            trouble.append(f"poll: {self._poller.last_error}")
        if self._poller.paused:
            trouble.append("paused: too many records in work")
        if not self.polling:
            trouble.append("polling has ended")
        if self._committing is None or self._committing.done():
            trouble.append("committing has ended")
        return trouble

    def _settled(self, ticket: Any, error: str | None) -> None:
        self.perform(self._engine.acknowledged(ticket, self._clock.time(), error))


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _log_end(what: str, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.critical("%s has ended", what, exc_info=task.exception())
