"""One run of the asynchronous service: the parts that live between its start and its stop.

Here effects are performed, and here is the order in which parts begin and end. What belongs to one
consumer alone is in `data_analysis.async_reader`.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiokafka.structs import TopicPartition

from data_analysis.async_batches import BatchTasks
from data_analysis.async_gap_reports import GapReports
from data_analysis.async_reader import Reader, end
from data_analysis.async_stations import StationTasks
from data_analysis.batches import BatchResultAggregator
from data_analysis.clock import Clock
from data_analysis.effects import (
    AwaitAnswer,
    Effect,
    Note,
    Results,
    RunBatchHandler,
    RunCallback,
    RunHandlers,
    Sent,
    Upload,
)
from data_analysis.empty_polls import EmptyPoll
from data_analysis.engine import Engine
from data_analysis.errors import DataAnalysisError, KafkaConnectionError
from data_analysis.failure import Failure, declare_end
from data_analysis.kafka.async_commits import Commits
from data_analysis.kafka.async_consumer import AsyncGroupMember
from data_analysis.kafka.async_consumers import AsyncKafkaConsumerClient
from data_analysis.kafka.async_producer import AsyncKafkaProducerClient
from data_analysis.kafka.async_uploads import Uploader
from data_analysis.logs import LimitedLog
from data_analysis.options import ServiceOptions
from data_analysis.poll_watch import PollWatch

logger = logging.getLogger(__name__)


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
        self.failure = Failure(self._end)
        self._ending: asyncio.Task[None] | None = None
        self._uploader = Uploader(
            producer, self._settled, engine.counters, clock, self.failure.declare
        )
        self._gap_reports = gap_reports
        self._batches = BatchTasks(
            engine, aggregator, self.perform, clock, options.callback_stall_seconds
        )
        self._watch = PollWatch(consumer, clock)
        self._readers = [self._reader(member) for member in consumer.members]
        self._commits = Commits(engine.offsets, [reader.committer for reader in self._readers])
        self._committing: asyncio.Task[None] | None = None
        self._leaving: dict[asyncio.Task[None], None] = {}

    @property
    def polling(self) -> bool:
        """Whether the polling tasks run."""
        return all(reader.polling for reader in self._readers)

    @property
    def positions_known(self) -> bool:
        """Whether every assigned partition is read from a position that is known."""
        return not any(reader.positions.searching for reader in self._readers)

    async def start(self) -> None:
        """Connect, find the positions, begin to poll.

        In multi-consumer mode a topic whose consumer cannot start is tried again in the background,
        unless none can.

        Raises:
            KafkaConnectionError: Kafka cannot be reached, or does not say where to read from.
            DataAnalysisError: something inside has failed.
        """
        if self._options.output_topic or self._options.dead_letter_topic:
            await self._producer.start()
        self._committing = asyncio.create_task(self._commits.run())
        self._committing.add_done_callback(partial(declare_end, "committing", self.failure.declare))
        await self._start_readers()
        if self.failure.text is not None:
            raise DataAnalysisError(self.failure.text)
        self._consumer.watch(self._progress)

    async def _start_readers(self) -> None:
        """Start all side by side; those that cannot go on trying, if others could."""
        if len(self._readers) == 1:
            await self._readers[0].start()
            self._readers[0].poll()
            return
        answers = await asyncio.gather(
            *(reader.start() for reader in self._readers), return_exceptions=True
        )
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        for error in failed:
            if len(failed) == len(answers) or not isinstance(error, KafkaConnectionError):
                raise error
        for reader, answer in zip(self._readers, answers, strict=True):
            if isinstance(answer, BaseException):
                logger.error("consumer of %s: %s; trying again", reader.name, answer)
                reader.poller.last_error = str(answer)
                reader.join_and_poll()
            else:
                reader.poll()

    async def stop(self) -> None:
        """End in the order that loses nothing: polling, callbacks, uploads, commit, clients."""
        if self._ending is not None:
            await self._ending
            return
        limit_seconds = self._options.stop_timeout_seconds
        for reader in self._readers:
            await reader.stop_polling()
        try:
            late = await self._stations.stop(limit_seconds)
            if late:
                logger.warning("%d callbacks did not end within %g s", late, limit_seconds)
            await self._uploader.stop(limit_seconds)
            await self._stations.stop(limit_seconds)
            await self._batches.stop(limit_seconds)
            await self._commits.commit()
            await self._gap_reports.stop(limit_seconds)
        finally:
            await self.abort()

    async def abort(self) -> None:
        """Close everything, finishing nothing."""
        for reader in self._readers:
            await reader.stop_polling()
        for reader in self._readers:
            await reader.positions.stop()
        await self._stations.stop(0)
        await self._batches.stop(0)
        await self._uploader.stop(0)
        await self._gap_reports.stop(0)
        for task in list(self._leaving):
            await end(task)
        await end(self._committing)
        await self._commits.stop()
        await self._consumer.lag.stop()
        try:
            await self._consumer.stop()
        finally:
            await self._producer.stop()

    def perform(self, effects: Sequence[Effect]) -> None:
        """Do what the engine wants done."""
        uploads: list[Sent] = []
        for effect in effects:
            kind = type(effect)
            if kind is Results or kind is Upload:
                uploads.append(effect)  # type: ignore[arg-type]  # of this kind
            elif kind is RunCallback or kind is RunHandlers or kind is AwaitAnswer:
                self._stations.run(effect)  # type: ignore[arg-type]  # of these kinds
            elif kind is RunBatchHandler:
                self._batches.run(effect.batch)  # type: ignore[union-attr]  # of this kind
            elif kind is Note:
                self._log.write(effect)  # type: ignore[arg-type]  # of this kind
        if uploads:
            self._uploader.submit(uploads)
        # Something may have been finished: there may be a commit to send, and room for records.
        self._commits.nudge()
        for reader in self._readers:
            reader.poller.progressed()
        if self._engine.idle and not any(reader.poller.has_more for reader in self._readers):
            self._uploader.flush()

    def resubscribe(self, topics: Sequence[str]) -> None:
        """Read other topics: what is in work is finished and committed, then the group rejoined.

        In multi-consumer mode consumers of new topics join, those of others leave; the rest go on.
        """
        self._watch.read(topics)
        if not self._consumer.per_topic:
            self._readers[0].member.read(topics)
            self._readers[0].poller.rejoin_soon()
            return
        for reader in [each for each in self._readers if each.name not in topics]:
            self._readers.remove(reader)
            self._consumer.members.remove(reader.member)
            self._leave(reader)
        known = [reader.name for reader in self._readers]
        for topic in topics:
            if topic not in known:
                reader = self._reader(self._consumer.add_member([topic]))
                self._readers.append(reader)
                self._commits.committers.append(reader.committer)
                reader.join_and_poll()
        for reader in self._readers:
            reader.poller.most_pending = self._share()

    def explain_empty_polls(self) -> dict[str, EmptyPoll]:
        """Return why nothing comes, by topic."""
        return self._watch.explain(self._readers)

    def trouble(self) -> list[str]:
        """Return what is not as it should be, one line each."""
        trouble = [] if self.failure.text is None else [self.failure.text]
        trouble += [line for reader in self._readers for line in reader.trouble()]
        trouble += self._uploader.trouble()
        if self._consumer.lag.last_error is not None:
            trouble.append(f"Kafka does not answer: {self._consumer.lag.last_error}")
        if self._engine.last_batch_error is not None:
            trouble.append(f"batch handler: {self._engine.last_batch_error}")
        if self._committing is None or self._committing.done():
            trouble.append("committing has ended")
        return list(dict.fromkeys(trouble))

    def _reader(self, member: AsyncGroupMember) -> Reader:
        return Reader(
            member,
            self._engine,
            self._clock,
            perform=self.perform,
            report=self._gap_reports.report,
            nudge=lambda: self._commits.nudge(),
            flush=self._uploader.flush,
            begun=self._stations.begun,
            answering=self._stations.answering if self._stations.answers_at_once else None,
            ticked=lambda: self._stations.forget(self._engine.dispatcher.station_ids()),
            polled=self._watch.polled,
            failed=self.failure.declare,
            most_pending=self._share(),
            shares=self._consumer.per_topic,
        )

    def _share(self) -> int:
        """Return how many records may be in work for one reader: each topic has its own."""
        readers = len(self._consumer.members) if self._consumer.per_topic else 1
        return max(1, self._options.max_pending_records // readers)

    def _leave(self, reader: Reader) -> None:
        async def leave() -> None:
            await reader.give_up()
            self._commits.committers.remove(reader.committer)

        task = asyncio.create_task(leave())
        self._leaving[task] = None
        task.add_done_callback(lambda done: self._leaving.pop(done, None))

    async def _progress(self, tp: TopicPartition) -> tuple[int | None, int | None]:
        offsets = self._engine.offsets
        if not offsets.owns(tp):
            return None, None
        return offsets.position(tp), offsets.committed(tp)

    def _settled(self, tickets: Sequence[Any], error: str | None) -> None:
        try:
            self.perform(self._acknowledged(tickets, error))
        except Exception as unforeseen:
            self.failure.declare("uploading", unforeseen)

    def _acknowledged(self, tickets: Sequence[Any], error: str | None) -> list[Effect]:
        now = self._clock.time()
        if error is None:
            return self._engine.acknowledged_all(tickets, now)
        effects: list[Effect] = []
        for ticket in tickets:
            effects += self._engine.acknowledged(ticket, now, error)
        return effects

    def _end(self) -> None:
        """Close everything from a task of its own: something has failed for good."""
        self._ending = asyncio.create_task(self.abort())
